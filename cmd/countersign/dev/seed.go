package dev

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/cognito"
)

// Names of what the seed makes.
const (
	poolName   = "countersign-demo"
	poolDomain = "countersign-demo"

	ReadClient   = "readClient"
	WriteClient  = "writeClient"
	microService = "microService" // the service itself: it asks for no token, so it has no secret and no flow
)

// seed makes the wanted user pool, domain, resource server and app clients, each unless it exists: what a crash left half
// made is completed, scopes that a file names are added, and what a user changed since is left alone. It returns the pool's id.
//
// What a user's changes leave no room for, as a domain that is another pool's by now, is logged and left out: only a
// system that starts can be asked to change them back.
func seed(ctx context.Context, svc *cognito.Service, w want, logger *slog.Logger) (string, error) {
	pool, err := seedPool(ctx, svc, w)
	if err != nil {
		return "", fmt.Errorf("seed the user pool: %w", err)
	}
	type part struct {
		name string
		make func() error
	}
	parts := []part{
		{"the user pool's domain", func() error { return seedDomain(ctx, svc, pool, w.domain) }},
		{"the resource server", func() error { return seedResourceServer(ctx, svc, pool, w) }},
	}
	for _, client := range w.clients {
		parts = append(parts, part{client.name, func() error { return seedClient(ctx, svc, pool, client, w.declared) }})
	}
	for _, part := range parts {
		err := part.make()
		var refused *cognito.APIError
		switch {
		case err == nil:
		case errors.As(err, &refused) && isProver(part.name): // it proves what there is
		case errors.As(err, &refused) && refused.Status < http.StatusInternalServerError:
			logger.Warn("not made anew: what was changed leaves no room for it", "what", part.name, "error", refused.Code)
		default:
			return "", fmt.Errorf("seed %s: %w", part.name, err)
		}
	}
	return pool, nil
}

// seedPool returns the wanted pool. Names are not unique: of several pools of the region that bear it, it is the oldest.
func seedPool(ctx context.Context, svc *cognito.Service, w want) (string, error) {
	var oldest cognito.UserPoolDescription
	in := cognito.ListUserPoolsInput{MaxResults: 60}
	for {
		page, err := svc.ListUserPools(ctx, in)
		if err != nil {
			return "", err
		}
		for _, pool := range page.UserPools {
			if pool.Name == w.pool && strings.HasPrefix(pool.ID, w.region+"_") && (oldest.ID == "" || pool.CreationDate.Before(oldest.CreationDate.Time)) {
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
	out, err := svc.CreateUserPool(ctx, cognito.CreateUserPoolInput{PoolName: w.pool})
	if err != nil {
		return "", err
	}
	return out.UserPool.ID, nil
}

func seedDomain(ctx context.Context, svc *cognito.Service, pool, domain string) error {
	out, err := svc.DescribeUserPool(ctx, cognito.DescribeUserPoolInput{UserPoolID: pool})
	if err != nil || out.UserPool.Domain != "" {
		return err
	}
	_, err = svc.CreateUserPoolDomain(ctx, cognito.CreateUserPoolDomainInput{UserPoolID: pool, Domain: domain})
	return err
}

func seedResourceServer(ctx context.Context, svc *cognito.Service, pool string, w want) error {
	have, err := svc.DescribeResourceServer(ctx, cognito.DescribeResourceServerInput{UserPoolID: pool, Identifier: w.identifier})
	if errors.Is(err, &cognito.APIError{Code: cognito.CodeResourceNotFound}) {
		_, err = svc.CreateResourceServer(ctx, cognito.CreateResourceServerInput{
			UserPoolID: pool, Identifier: w.identifier, Name: w.resourceName, Scopes: w.scopes,
		})
		return err
	}
	if err != nil || !w.declared {
		return err
	}
	scopes := have.ResourceServer.Scopes
	for _, scope := range w.scopes {
		if !slices.ContainsFunc(scopes, func(s cognito.ResourceServerScope) bool { return s.ScopeName == scope.ScopeName }) {
			scopes = append(slices.Clip(scopes), scope)
		}
	}
	if len(scopes) == len(have.ResourceServer.Scopes) {
		return nil
	}
	_, err = svc.UpdateResourceServer(ctx, cognito.UpdateResourceServerInput{
		UserPoolID: pool, Identifier: w.identifier, Name: have.ResourceServer.Name, Scopes: scopes,
	})
	return err
}

// seedClient makes an app client, with a secret and the client_credentials flow if it has a scope to ask for.
func seedClient(ctx context.Context, svc *cognito.Service, pool string, w wantClient, declared bool) error {
	clients, err := listClients(ctx, svc, pool)
	if err != nil {
		return err
	}
	for _, client := range clients {
		if client.ClientName == w.name && declared {
			return addScopes(ctx, svc, pool, client.ClientID, w.scopes)
		}
		if client.ClientName == w.name {
			return nil
		}
	}
	in := cognito.CreateUserPoolClientInput{UserPoolID: pool, ClientName: w.name}
	if len(w.scopes) > 0 {
		in.GenerateSecret = true
		in.SupportedIdentityProviders = []string{"COGNITO"}
		in.AllowedOAuthFlows = []string{"client_credentials"}
		in.AllowedOAuthFlowsUserPoolClient = true
		in.AllowedOAuthScopes = w.scopes
	}
	if w.validity > 0 {
		in.AccessTokenValidity = int(w.validity / time.Second)
		in.TokenValidityUnits = &cognito.TokenValidityUnits{AccessToken: "seconds"}
	}
	_, err = svc.CreateUserPoolClient(ctx, in)
	return err
}

// addScopes lets the client ask for scopes that the file names since, and changes nothing else of it.
func addScopes(ctx context.Context, svc *cognito.Service, pool, id string, wanted []string) error {
	out, err := svc.DescribeUserPoolClient(ctx, cognito.DescribeUserPoolClientInput{UserPoolID: pool, ClientID: id})
	if err != nil {
		return err
	}
	settings := out.UserPoolClient.ClientSettings
	scopes := slices.Clone(settings.AllowedOAuthScopes)
	for _, scope := range wanted {
		if !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	if len(scopes) == len(settings.AllowedOAuthScopes) {
		return nil
	}
	// Cognito: an update sets what it leaves out to its default, so all that is there goes along.
	settings.AllowedOAuthScopes = scopes
	_, err = svc.UpdateUserPoolClient(ctx, cognito.UpdateUserPoolClientInput{
		UserPoolID: pool, ClientID: id, ClientName: out.UserPoolClient.ClientName, ClientSettings: settings,
	})
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
