package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// An adminWriter makes, renames and deletes app clients in a pool of its own through the balancer, and remembers what it was
// told.
type adminWriter struct {
	*drill
	pool    string
	api     *cognitoidentityprovider.Client
	clients map[string]*remembered // by client id, without those whose deletion was acknowledged
	order   []string               // ids without a doubt, oldest first
	deleted map[string]bool        // acknowledged
}

// remembered is a client as the answers had it. After a change without an answer, both names are right, or it is gone.
type remembered struct {
	names  []string
	secret string
	gone   bool
}

// kept is how many clients a writer keeps, so that it deletes as often as it creates.
const kept = 8

func (d *drill) newWriter(n int) *adminWriter {
	return &adminWriter{drill: d, pool: d.newPool(fmt.Sprint("writer-", n)), api: d.fleet.api(d.balancer.URL),
		clients: map[string]*remembered{}, deleted: map[string]bool{}}
}

func (w *adminWriter) write() {
	for n := 0; w.pause(15 * time.Millisecond); n++ {
		var err error
		switch {
		case len(w.order) >= kept:
			err = w.remove(w.order[0])
		case n%3 == 0 && len(w.order) > 0:
			err = w.rename(w.order[n%len(w.order)], fmt.Sprint("renamed-", n))
		default:
			err = w.create(fmt.Sprint("client-", n))
		}
		if err == nil {
			w.count("changes acknowledged")
		} else {
			w.count("changes without an answer, or refused for the time of an outage")
		}
	}
}

func (w *adminWriter) create(name string) error {
	made, err := w.api.CreateUserPoolClient(context.Background(), &cognitoidentityprovider.CreateUserPoolClientInput{
		UserPoolId: &w.pool, ClientName: &name, GenerateSecret: true,
	})
	if err != nil {
		return err
	}
	id := aws.ToString(made.UserPoolClient.ClientId)
	w.clients[id] = &remembered{names: []string{name}, secret: aws.ToString(made.UserPoolClient.ClientSecret)}
	w.order = append(w.order, id)
	return nil
}

func (w *adminWriter) rename(id, name string) error {
	_, err := w.api.UpdateUserPoolClient(context.Background(), &cognitoidentityprovider.UpdateUserPoolClientInput{
		UserPoolId: &w.pool, ClientId: &id, ClientName: &name,
	})
	c := w.clients[id]
	switch {
	case err == nil:
		c.names = []string{name}
	case missing(err): // a replica that has not seen it yet: it says so, and nothing is in doubt
		w.count("changes that met a replica which did not know the client yet")
	default:
		c.names = append(c.names, name)
	}
	return err
}

func (w *adminWriter) remove(id string) error {
	_, err := w.api.DeleteUserPoolClient(context.Background(), &cognitoidentityprovider.DeleteUserPoolClientInput{UserPoolId: &w.pool, ClientId: &id})
	switch {
	case err == nil:
		delete(w.clients, id)
		w.deleted[id] = true
	case missing(err) && !w.clients[id].gone:
		w.count("changes that met a replica which did not know the client yet")
		return err
	default:
		w.clients[id].gone = true
	}
	w.order = w.order[1:]
	return err
}

func missing(err error) bool {
	var e *types.ResourceNotFoundException
	return errors.As(err, &e)
}

// compare holds one replica to what the writer was told.
func (w *adminWriter) compare(r *replica) {
	api := w.fleet.api("http://" + r.address())
	for id, want := range w.clients {
		got, err := api.DescribeUserPoolClient(context.Background(), &cognitoidentityprovider.DescribeUserPoolClientInput{UserPoolId: &w.pool, ClientId: &id})
		if missing(err) && want.gone {
			continue
		}
		if err != nil {
			w.t.Errorf("%s: client %s, which was acknowledged: %v", r.name, id, err)
			continue
		}
		name, secret := aws.ToString(got.UserPoolClient.ClientName), aws.ToString(got.UserPoolClient.ClientSecret)
		known := false
		for _, n := range want.names {
			known = known || n == name
		}
		if !known || secret != want.secret {
			w.t.Errorf("%s: client %s is called %s, acknowledged as %q; secret %s, acknowledged as %s", r.name, id, name, want.names, digest(secret), digest(want.secret))
		}
	}
	for id := range w.deleted {
		_, err := api.DescribeUserPoolClient(context.Background(), &cognitoidentityprovider.DescribeUserPoolClientInput{UserPoolId: &w.pool, ClientId: &id})
		if !missing(err) {
			w.t.Errorf("%s: client %s is there, and its deletion was acknowledged (%v)", r.name, id, err)
		}
	}
}

// rotateSecrets gives one caller after the other a second secret, waits until every replica that is up has it, lets the
// caller use it, and deletes the first.
func (d *drill) rotateSecrets(callers []*caller) {
	api := d.fleet.api(d.balancer.URL)
	for n := 0; d.pause(300 * time.Millisecond); n++ {
		c := callers[n%len(callers)]
		added, err := api.AddUserPoolClientSecret(context.Background(), &cognitoidentityprovider.AddUserPoolClientSecretInput{UserPoolId: &c.pool, ClientId: &c.id})
		if err != nil || added.ClientSecretDescriptor == nil {
			d.dropSecrets(c)
			continue
		}
		acknowledged, disturbances := time.Now(), d.disturbances()
		id, secret := aws.ToString(added.ClientSecretDescriptor.ClientSecretId), aws.ToString(added.ClientSecretDescriptor.ClientSecretValue)
		for _, r := range d.replicas {
			d.await(r, "a secret, asked for by an administrator", acknowledged, disturbances, func() bool { return d.secretsOf(r, c)[id] })
		}
		if d.ctx.Err() != nil {
			return // with the drill the waiting ends too, and a replica may not have it
		}
		c.mu.Lock()
		c.secret, c.secretID = secret, id
		c.mu.Unlock()
		d.dropSecrets(c)
		d.count("secrets rotated")
	}
}

func (d *drill) secretsOf(r *replica, c *caller) map[string]bool {
	known := map[string]bool{}
	list, err := d.fleet.api("http://"+r.address()).ListUserPoolClientSecrets(context.Background(),
		&cognitoidentityprovider.ListUserPoolClientSecretsInput{UserPoolId: &c.pool, ClientId: &c.id})
	if err == nil {
		for _, s := range list.ClientSecrets {
			known[aws.ToString(s.ClientSecretId)] = true
		}
	}
	return known
}

// dropSecrets deletes every secret of the caller but the one that it uses: after a change without an answer there may be one
// that nobody knows.
func (d *drill) dropSecrets(c *caller) {
	api := d.fleet.api(d.balancer.URL)
	for d.ctx.Err() == nil {
		list, err := api.ListUserPoolClientSecrets(context.Background(), &cognitoidentityprovider.ListUserPoolClientSecretsInput{UserPoolId: &c.pool, ClientId: &c.id})
		if err == nil && len(list.ClientSecrets) == 1 {
			return
		}
		if err == nil {
			for _, s := range list.ClientSecrets {
				if aws.ToString(s.ClientSecretId) != c.secretID {
					_, _ = api.DeleteUserPoolClientSecret(context.Background(), &cognitoidentityprovider.DeleteUserPoolClientSecretInput{
						UserPoolId: &c.pool, ClientId: &c.id, ClientSecretId: s.ClientSecretId})
				}
			}
		}
		d.pause(50 * time.Millisecond)
	}
}
