package dev

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"

	"github.com/countersign-dev/countersign/cognito"
	"github.com/countersign-dev/countersign/examples/demo"
)

// Names of what the seed makes.
const (
	poolName   = "countersign-demo"
	poolDomain = "countersign-demo"

	ReadClient   = "readClient"
	WriteClient  = "writeClient"
	microService = "microService" // the service itself: it asks for no token, so it has no secret and no flow
)

// seed makes the demo's user pool, domain, resource server and app clients, each unless it exists: what a crash left half
// made is completed, and what a user changed since is left alone. It returns the pool's id.
//
// What a user's changes leave no room for, as a domain that is another pool's by now, is logged and left out: only a
// system that starts can be asked to change them back.
func seed(ctx context.Context, svc *cognito.Service, logger *slog.Logger) (string, error) {
	pool, err := seedPool(ctx, svc)
	if err != nil {
		return "", fmt.Errorf("seed the demo pool: %w", err)
	}
	client := func(name, scope string) func() error {
		return func() error { return seedClient(ctx, svc, pool, name, scope) }
	}
	for _, part := range []struct {
		name string
		make func() error
	}{
		{"the demo pool's domain", func() error { return seedDomain(ctx, svc, pool) }},
		{"the demo resource server", func() error { return seedResourceServer(ctx, svc, pool) }},
		{ReadClient, client(ReadClient, demo.Resource+"/demo.read")},
		{WriteClient, client(WriteClient, demo.Resource+"/demo.write")},
		// The service's own has neither secret nor flow: Cognito refuses the client_credentials flow to a client without a secret.
		{microService, client(microService, "")},
	} {
		err := part.make()
		var refused *cognito.APIError
		switch {
		case err == nil:
		case errors.As(err, &refused) && refused.Status < http.StatusInternalServerError:
			logger.Warn("not made anew: what was changed leaves no room for it", "what", part.name, "error", refused.Code)
		default:
			return "", fmt.Errorf("seed %s: %w", part.name, err)
		}
	}
	return pool, nil
}

// seedPool returns the demo's pool. Names are not unique: of several pools that bear its name it is the oldest.
func seedPool(ctx context.Context, svc *cognito.Service) (string, error) {
	var oldest cognito.UserPoolDescription
	in := cognito.ListUserPoolsInput{MaxResults: 60}
	for {
		page, err := svc.ListUserPools(ctx, in)
		if err != nil {
			return "", err
		}
		for _, pool := range page.UserPools {
			if pool.Name == poolName && (oldest.ID == "" || pool.CreationDate.Before(oldest.CreationDate.Time)) {
				oldest = pool
			}
		}
		if in.NextToken = page.NextToken; in.NextToken == "" {
			break
		}
	}
	if oldest.ID != "" {
		return oldest.ID, nil
	}
	out, err := svc.CreateUserPool(ctx, cognito.CreateUserPoolInput{PoolName: poolName})
	if err != nil {
		return "", err
	}
	return out.UserPool.ID, nil
}

func seedDomain(ctx context.Context, svc *cognito.Service, pool string) error {
	out, err := svc.DescribeUserPool(ctx, cognito.DescribeUserPoolInput{UserPoolID: pool})
	if err != nil || out.UserPool.Domain != "" {
		return err
	}
	_, err = svc.CreateUserPoolDomain(ctx, cognito.CreateUserPoolDomainInput{UserPoolID: pool, Domain: poolDomain})
	return err
}

func seedResourceServer(ctx context.Context, svc *cognito.Service, pool string) error {
	_, err := svc.DescribeResourceServer(ctx, cognito.DescribeResourceServerInput{UserPoolID: pool, Identifier: demo.Resource})
	if !errors.Is(err, &cognito.APIError{Code: cognito.CodeResourceNotFound}) {
		return err
	}
	_, err = svc.CreateResourceServer(ctx, cognito.CreateResourceServerInput{
		UserPoolID: pool,
		Identifier: demo.Resource,
		Name:       "Gateway",
		Scopes: []cognito.ResourceServerScope{
			{ScopeName: "demo.read", ScopeDescription: "Demo Read role"},
			{ScopeName: "demo.write", ScopeDescription: "Demo Write role"},
		},
	})
	return err
}

// seedClient makes an app client, with a secret and the client_credentials flow if it has a scope to ask for.
func seedClient(ctx context.Context, svc *cognito.Service, pool, name, scope string) error {
	clients, err := listClients(ctx, svc, pool)
	if err != nil || slices.ContainsFunc(clients, func(d cognito.UserPoolClientDescription) bool { return d.ClientName == name }) {
		return err
	}
	in := cognito.CreateUserPoolClientInput{UserPoolID: pool, ClientName: name}
	if scope != "" {
		in.GenerateSecret = true
		in.SupportedIdentityProviders = []string{"COGNITO"}
		in.AllowedOAuthFlows = []string{"client_credentials"}
		in.AllowedOAuthFlowsUserPoolClient = true
		in.AllowedOAuthScopes = []string{scope}
	}
	_, err = svc.CreateUserPoolClient(ctx, in)
	return err
}

func listClients(ctx context.Context, svc *cognito.Service, pool string) ([]cognito.UserPoolClientDescription, error) {
	in := cognito.ListUserPoolClientsInput{UserPoolID: pool, MaxResults: 60}
	var all []cognito.UserPoolClientDescription
	for {
		page, err := svc.ListUserPoolClients(ctx, in)
		if err != nil {
			return nil, err
		}
		all = append(all, page.UserPoolClients...)
		if in.NextToken = page.NextToken; in.NextToken == "" {
			return all, nil
		}
	}
}
