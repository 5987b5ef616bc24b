package cognito_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cognito"
)

// A crowd is two services over one store, and what an administrator may know of it.
type crowd struct {
	t        *testing.T
	rand     *rand.Rand
	services []*cognito.Service
	store    cognito.Store
	now      time.Time
	saved    [][]byte // pools as they were once exported
	clients  []string // every id that there ever was
}

// TestAllServicesAgree: after any changes through any of them, a service that followed step by step knows what one knows that
// has just read the store: pools, domains, clients with their secrets, keys, and the documents that are served.
func TestAllServicesAgree(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			c := &crowd{t: t, rand: rand.New(rand.NewPCG(seed, 0)), store: cognito.NewMemoryStore(), now: noon}
			c.services = []*cognito.Service{c.open(), c.open()}
			for step := range 250 {
				c.now = c.now.Add(time.Duration(c.rand.IntN(8)) * time.Hour)
				c.change(c.services[c.rand.IntN(2)])
				if step%10 == 9 {
					c.compare(step)
				}
			}
		})
	}
}

func (c *crowd) open() *cognito.Service {
	return newService(c.t, cognito.Config{Store: c.store, NewKey: edKey, Now: func() time.Time { return c.now }})
}

// pick returns one of them, or "" when there is none.
func (c *crowd) pick(from []string) string {
	if len(from) == 0 {
		return ""
	}
	return from[c.rand.IntN(len(from))]
}

func (c *crowd) client(s *cognito.Service, pool string) string {
	out, _ := s.ListUserPoolClients(c.t.Context(), cognito.ListUserPoolClientsInput{UserPoolID: pool})
	var ids []string
	for _, one := range out.UserPoolClients {
		ids = append(ids, one.ClientID)
	}
	return c.pick(ids)
}

// change makes one change. That it may be refused is no matter: refusals are compared too.
func (c *crowd) change(s *cognito.Service) {
	ctx, pool := c.t.Context(), c.pick(s.PoolIDs())
	name := c.pick([]string{"a", "b", "c"})
	scopes := []cognito.ResourceServerScope{{ScopeName: c.pick([]string{"r", "w"}), ScopeDescription: "d"}}
	settings := cognito.ClientSettings{ExplicitAuthFlows: []string{"ALLOW_CLIENT_TOKEN_AUTH"}, AllowedOAuthScopes: []string{name + "/r"}}
	switch c.rand.IntN(14) {
	case 0, 1:
		if len(s.PoolIDs()) < 4 {
			_, _ = s.CreateUserPool(ctx, cognito.CreateUserPoolInput{PoolName: name})
		}
	case 2:
		_, _ = s.DeleteUserPool(ctx, cognito.DeleteUserPoolInput{UserPoolID: pool})
	case 3:
		_, _ = s.UpdateUserPool(ctx, cognito.UpdateUserPoolInput{UserPoolID: pool, UserPoolTags: map[string]string{"k": name}})
	case 4:
		_, _ = s.CreateUserPoolDomain(ctx, cognito.CreateUserPoolDomainInput{UserPoolID: pool, Domain: name})
	case 5:
		_, _ = s.DeleteUserPoolDomain(ctx, cognito.DeleteUserPoolDomainInput{UserPoolID: pool, Domain: name})
	case 6:
		_, _ = s.CreateResourceServer(ctx, cognito.CreateResourceServerInput{UserPoolID: pool, Identifier: name, Name: "n", Scopes: scopes})
	case 7:
		_, _ = s.UpdateResourceServer(ctx, cognito.UpdateResourceServerInput{UserPoolID: pool, Identifier: name, Name: "n", Scopes: scopes})
	case 8:
		out, _ := s.CreateUserPoolClient(ctx, cognito.CreateUserPoolClientInput{UserPoolID: pool, ClientName: name, GenerateSecret: true, ClientSettings: settings})
		c.clients = append(c.clients, out.UserPoolClient.ClientID)
	case 9:
		_, _ = s.DeleteUserPoolClient(ctx, cognito.DeleteUserPoolClientInput{UserPoolID: pool, ClientID: c.client(s, pool)})
	case 10:
		_, _ = s.AddUserPoolClientSecret(ctx, cognito.AddUserPoolClientSecretInput{UserPoolID: pool, ClientID: c.client(s, pool)})
	case 11:
		now := c.rand.IntN(2) == 0
		_, _ = s.RotateKey(ctx, cognito.RotateKeyInput{UserPoolID: pool, Now: now, RemoveOthers: now && c.rand.IntN(2) == 0})
	case 12:
		if err := s.TendKeys(ctx, cognito.MinRotation); err != nil {
			c.t.Error(err)
		}
	case 13:
		if document, err := s.ExportPool(pool, cognito.ExportOptions{Secrets: true, Keys: true}); err == nil {
			c.saved = append(c.saved, document)
		}
		if len(c.saved) > 0 {
			_, _ = s.ImportPool(ctx, c.saved[c.rand.IntN(len(c.saved))], cognito.ImportOptions{Replace: c.rand.IntN(2) == 0})
		}
	}
}

// compare holds every service to one that has just started.
func (c *crowd) compare(step int) {
	c.t.Helper()
	fresh := c.open()
	for i, s := range c.services {
		if err := s.Refresh(c.t.Context()); err != nil {
			c.t.Fatalf("step %d: %v", step, err)
		}
		if got, want := c.known(s), c.known(fresh); !bytes.Equal(got, want) {
			c.t.Fatalf("step %d: service %d knows\n%s\nand one that has just started\n%s", step, i, got, want)
		}
	}
}

// known is everything that a service tells.
func (c *crowd) known(s *cognito.Service) []byte {
	var all bytes.Buffer
	w := wire{c.t, cognito.Handler(s, cognito.HandlerConfig{})}
	for _, pool := range s.PoolIDs() {
		document := must(s.ExportPool(pool, cognito.ExportOptions{Secrets: true, Keys: true}))(c.t)
		described := must(s.DescribeUserPool(c.t.Context(), cognito.DescribeUserPoolInput{UserPoolID: pool}))(c.t).UserPool
		if name := described.Domain; name != "" {
			d := must(s.DescribeUserPoolDomain(c.t.Context(), cognito.DescribeUserPoolDomainInput{Domain: name}))(c.t).DomainDescription
			if d.UserPoolID != pool {
				c.t.Errorf("%s has the domain %s, which is of %q", pool, name, d.UserPoolID)
			}
		}
		fmt.Fprintf(&all, "%s\n%v\n", document, must(s.Keys(pool))(c.t))
		for _, path := range []string{"openid-configuration", "jwks.json"} {
			all.Write(w.do(mustRequest("GET", "/"+pool+"/.well-known/"+path)).Body.Bytes())
		}
		for _, one := range must(s.ListUserPoolClients(c.t.Context(), cognito.ListUserPoolClientsInput{UserPoolID: pool}))(c.t).UserPoolClients {
			all.WriteString(c.granted(s, pool, one.ClientID))
		}
	}
	for _, name := range []string{"a", "b", "c"} {
		d := must(s.DescribeUserPoolDomain(c.t.Context(), cognito.DescribeUserPoolDomainInput{Domain: name}))(c.t).DomainDescription
		fmt.Fprintf(&all, "%+v\n", d)
		p, err := s.DescribeUserPool(c.t.Context(), cognito.DescribeUserPoolInput{UserPoolID: d.UserPoolID})
		if d.Domain != "" && (err != nil || p.UserPool.Domain != name) {
			c.t.Errorf("domain %s is of a pool that has %q (%v)", name, p.UserPool.Domain, err)
		}
	}
	// The reason tells an id that is known from one that is not.
	for _, id := range c.clients {
		_, err := s.GetClientToken(c.t.Context(), cognito.GetClientTokenInput{ClientID: id, Secret: "wrong_secret_of_thirty_chars__"})
		fmt.Fprintln(&all, id, err)
	}
	return all.Bytes()
}

// granted is the scope that a client gets, or why it gets no token.
func (c *crowd) granted(s *cognito.Service, pool, id string) string {
	described := must(s.DescribeUserPoolClient(c.t.Context(), cognito.DescribeUserPoolClientInput{UserPoolID: pool, ClientID: id}))(c.t).UserPoolClient
	out, err := s.GetClientToken(c.t.Context(), cognito.GetClientTokenInput{ClientID: id, Secret: described.ClientSecret})
	if err != nil {
		return fmt.Sprintln(id, err)
	}
	kid := kidOf(c.t, out.ClientAuthenticationResult.AccessToken)
	signs := func(k cognito.Key) bool { return k.ID == kid && k.State == cognito.KeySigning }
	if !slices.ContainsFunc(must(s.Keys(pool))(c.t), signs) {
		c.t.Errorf("%s was signed by a key that does not sign", id)
	}
	return fmt.Sprintln(id, kid, scopeOf(c.t, out.ClientAuthenticationResult.AccessToken))
}
