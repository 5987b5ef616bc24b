package config_test

import (
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/config"
	"github.com/countersign-dev/countersign/cmd/countersign/gateway"
	"github.com/countersign-dev/countersign/cognito"
)

// What the loader lets through, Cognito and the edge let through too: their rules are written twice, and this holds them together.
func TestGoodFilesAreGoodElsewhere(t *testing.T) {
	for _, path := range append(files(t, "*.good.*"), "../../../examples/demo/countersign.yaml") {
		file, err := config.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		names := file.Environments()
		if len(names) == 0 {
			names = []string{""}
		}
		for _, name := range names {
			c, err := file.Config(name)
			if err != nil {
				t.Fatal(err)
			}
			provision(t, c)
			var routes []gateway.Route
			for _, prefix := range c.Ingress.Paths {
				routes = append(routes, gateway.Route{Prefix: prefix, Upstream: "http://127.0.0.1:8080"})
			}
			if _, err := gateway.New(gateway.Config{Routes: routes}); err != nil {
				t.Errorf("%s, %s: %v", path, name, err)
			}
		}
	}
}

func provision(t *testing.T, c *config.Config) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s, %s: %v", c.Path, c.Environment, err)
		}
	}
	svc, err := cognito.New(ctx, cognito.Config{Store: cognito.NewMemoryStore(), Region: c.Pool.Region})
	if err != nil {
		t.Fatal(err)
	}
	pool, err := svc.CreateUserPool(ctx, cognito.CreateUserPoolInput{PoolName: c.Pool.Name})
	must(err)
	id := pool.UserPool.ID
	_, err = svc.CreateUserPoolDomain(ctx, cognito.CreateUserPoolDomainInput{UserPoolID: id, Domain: c.Pool.Domain})
	must(err)
	var scopes []cognito.ResourceServerScope
	for _, s := range c.Resource.Scopes {
		scopes = append(scopes, cognito.ResourceServerScope{ScopeName: s.Name, ScopeDescription: s.Description})
	}
	_, err = svc.CreateResourceServer(ctx, cognito.CreateResourceServerInput{UserPoolID: id, Identifier: c.Resource.Identifier, Name: c.Resource.Name, Scopes: scopes})
	must(err)
	for _, client := range c.Clients {
		in := cognito.CreateUserPoolClientInput{UserPoolID: id, ClientName: client.Name, GenerateSecret: true}
		in.AllowedOAuthFlows, in.AllowedOAuthFlowsUserPoolClient = []string{"client_credentials"}, true
		in.AccessTokenValidity = int(client.AccessTokenValidity / time.Second)
		in.TokenValidityUnits = &cognito.TokenValidityUnits{AccessToken: "seconds"}
		for _, scope := range client.Scopes {
			in.AllowedOAuthScopes = append(in.AllowedOAuthScopes, c.Resource.Identifier+"/"+scope)
		}
		_, err = svc.CreateUserPoolClient(ctx, in)
		must(err)
	}
}
