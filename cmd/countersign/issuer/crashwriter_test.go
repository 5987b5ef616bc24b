package issuer_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/smithy-go"

	"github.com/countersign-dev/countersign/cmd/countersign/issuer"
	"github.com/countersign-dev/countersign/cognito"
)

// A crashWriter makes, renames and deletes app clients in a pool of its own, and remembers what it was told.
type crashWriter struct {
	poolID      string
	credentials issuer.Credentials

	counter int
	clients map[string]remembered // by client id
	order   []string              // client ids, oldest first
	doubt   doubt                 // the change that the kill interrupted
	problem error                 // an answer that was no answer to what was asked
}

type remembered struct{ name, secret string }

// A doubt is a request without an answer: it has happened or not, and both are right.
type doubt struct {
	clientID string // empty for a client that was about to be made
	name     string // the new name; empty for a deletion
}

// maxClients keeps the pool small, so that deletions happen as often as creations.
const maxClients = 8

// newCrashWriters makes the state directory with a pool for each writer.
func newCrashWriters(t *testing.T, dir string) []*crashWriter {
	t.Helper()
	s, err := issuer.OpenState(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer closeState(t, s)
	service, err := cognito.New(t.Context(), cognito.Config{Store: s.Store, NewKey: quickKey})
	if err != nil {
		t.Fatal(err)
	}
	var writers []*crashWriter
	for i := range crashWriters {
		made, err := service.CreateUserPool(t.Context(), cognito.CreateUserPoolInput{PoolName: fmt.Sprint("writer-", i)})
		if err != nil {
			t.Fatal(err)
		}
		writers = append(writers, &crashWriter{poolID: made.UserPool.ID, credentials: s.Credentials, clients: map[string]remembered{}})
	}
	return writers
}

// writeUntilDead writes until a request gets no answer, and returns how many did. It says on answered when one has.
func (w *crashWriter) writeUntilDead(url string, answered chan<- struct{}) (acknowledged int) {
	api := cognitoidentityprovider.New(cognitoidentityprovider.Options{
		BaseEndpoint: aws.String(url),
		Region:       "us-east-1",
		Retryer:      aws.NopRetryer{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: w.credentials.AccessKeyID, SecretAccessKey: w.credentials.SecretAccessKey.Reveal()}, nil
		}),
	})
	for ; ; acknowledged++ {
		w.counter++
		var err error
		switch {
		case len(w.order) >= maxClients:
			err = w.remove(api, w.order[0])
		case w.counter%3 == 0 && len(w.order) > 0:
			err = w.rename(api, w.order[w.counter%len(w.order)])
		default:
			err = w.create(api)
		}
		var answer smithy.APIError
		if errors.As(err, &answer) {
			w.problem = errors.Join(w.problem, err)
		}
		select {
		case answered <- struct{}{}: // an error as well: nobody waits for a writer that has stopped
		default:
		}
		if err != nil {
			return acknowledged
		}
		w.doubt = doubt{}
	}
}

func (w *crashWriter) create(api *cognitoidentityprovider.Client) error {
	name := fmt.Sprint("client-", w.counter)
	w.doubt = doubt{name: name}
	made, err := api.CreateUserPoolClient(context.Background(), &cognitoidentityprovider.CreateUserPoolClientInput{
		UserPoolId: &w.poolID, ClientName: &name, GenerateSecret: true,
	})
	if err != nil {
		return err
	}
	id := aws.ToString(made.UserPoolClient.ClientId)
	w.clients[id] = remembered{name, aws.ToString(made.UserPoolClient.ClientSecret)}
	w.order = append(w.order, id)
	return nil
}

func (w *crashWriter) rename(api *cognitoidentityprovider.Client, id string) error {
	name := fmt.Sprint("renamed-", w.counter)
	w.doubt = doubt{clientID: id, name: name}
	_, err := api.UpdateUserPoolClient(context.Background(), &cognitoidentityprovider.UpdateUserPoolClientInput{
		UserPoolId: &w.poolID, ClientId: &id, ClientName: &name,
	})
	if err == nil {
		w.clients[id] = remembered{name, w.clients[id].secret}
	}
	return err
}

func (w *crashWriter) remove(api *cognitoidentityprovider.Client, id string) error {
	w.doubt = doubt{clientID: id}
	_, err := api.DeleteUserPoolClient(context.Background(), &cognitoidentityprovider.DeleteUserPoolClientInput{
		UserPoolId: &w.poolID, ClientId: &id,
	})
	if err == nil {
		w.forget(id)
	}
	return err
}

func (w *crashWriter) forget(id string) {
	delete(w.clients, id)
	w.order = w.order[1:] // only the oldest is ever removed
}

// compare holds the pool to what its writer was told, and settles the doubt.
func (w *crashWriter) compare(t *testing.T, service *cognito.Service) {
	t.Helper()
	if w.problem != nil {
		t.Errorf("an answer: %v", w.problem)
	}
	found := w.stored(t, service)
	for id, want := range w.clients {
		got, there := found[id]
		switch {
		case there && got == want:
		case there && w.doubt.clientID == id && w.doubt.name == got.name && got.secret == want.secret:
			w.clients[id] = got // the interrupted renaming has happened
		case !there && w.doubt == doubt{clientID: id}:
			w.forget(id) // the interrupted deletion has happened
		default:
			t.Errorf("pool %s: client %s: found %t as %q, acknowledged as %q; same secret: %t",
				w.poolID, id, there, got.name, want.name, got.secret == want.secret)
		}
		delete(found, id)
	}
	for id, got := range found {
		if w.doubt.clientID != "" || w.doubt.name != got.name || got.secret == "" {
			t.Errorf("pool %s: client %s, %q: nobody made it, or its deletion was acknowledged", w.poolID, id, got.name)
		}
		w.clients[id] = got // the interrupted creation has happened
		w.order = append(w.order, id)
	}
	w.doubt = doubt{}
}

// stored returns all clients of the pool.
func (w *crashWriter) stored(t *testing.T, service *cognito.Service) map[string]remembered {
	t.Helper()
	list, err := service.ListUserPoolClients(t.Context(), cognito.ListUserPoolClientsInput{UserPoolID: w.poolID, MaxResults: 60})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]remembered{}
	for _, c := range list.UserPoolClients {
		described, err := service.DescribeUserPoolClient(t.Context(),
			cognito.DescribeUserPoolClientInput{UserPoolID: w.poolID, ClientID: c.ClientID})
		if err != nil {
			t.Fatal(err)
		}
		client := described.UserPoolClient
		found[c.ClientID] = remembered{client.ClientName, client.ClientSecret.Reveal()}
	}
	return found
}
