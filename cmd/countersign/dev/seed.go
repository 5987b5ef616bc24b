package dev

import (
	"context"
	"errors"
	"fmt"
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

// seed makes the demo's user pool, resource server and app clients, each unless it exists: what a crash left half made
// is completed, and what a user changed since is left alone. It returns the pool's id.
func seed(ctx context.Context, svc *cognito.Service) (string, error) {
	pool, err := seedPool(ctx, svc)
	if err != nil {
		return "", fmt.Errorf("seed the demo pool: %w", err)
	}
	if err := seedResourceServer(ctx, svc, pool); err != nil {
		return "", fmt.Errorf("seed the demo resource server: %w", err)
	}
	if err := seedClients(ctx, svc, pool); err != nil {
		return "", fmt.Errorf("seed the demo app clients: %w", err)
	}
	return pool, nil
}

func seedPool(ctx context.Context, svc *cognito.Service) (string, error) {
	next := ""
	for {
		page, err := svc.ListUserPools(ctx, cognito.ListUserPoolsInput{MaxResults: 60, NextToken: next})
		if err != nil {
			return "", err
		}
		for _, pool := range page.UserPools {
			if pool.Name == poolName {
				return pool.ID, seedDomain(ctx, svc, pool.ID)
			}
		}
		if next = page.NextToken; next == "" {
			break
		}
	}
	out, err := svc.CreateUserPool(ctx, cognito.CreateUserPoolInput{PoolName: poolName})
	if err != nil {
		return "", err
	}
	return out.UserPool.ID, seedDomain(ctx, svc, out.UserPool.ID)
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

// seedClients makes the three app clients of the walk. The service's own has neither secret nor flow: Cognito refuses
// the client_credentials flow to a client without a secret.
func seedClients(ctx context.Context, svc *cognito.Service, pool string) error {
	clients, err := listClients(ctx, svc, pool)
	if err != nil {
		return err
	}
	for _, c := range []struct{ name, scope string }{
		{ReadClient, demo.Resource + "/demo.read"},
		{WriteClient, demo.Resource + "/demo.write"},
		{microService, ""},
	} {
		if slices.ContainsFunc(clients, func(d cognito.UserPoolClientDescription) bool { return d.ClientName == c.name }) {
			continue
		}
		in := cognito.CreateUserPoolClientInput{UserPoolID: pool, ClientName: c.name}
		if c.scope != "" {
			in.GenerateSecret = true
			in.SupportedIdentityProviders = []string{"COGNITO"}
			in.AllowedOAuthFlows = []string{"client_credentials"}
			in.AllowedOAuthFlowsUserPoolClient = true
			in.AllowedOAuthScopes = []string{c.scope}
		}
		if _, err := svc.CreateUserPoolClient(ctx, in); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
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
