package dev_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/countersign-dev/countersign/cmd/countersign/dev"
)

// api is the JSON API of a system, as its user has it.
func api(t *testing.T, state string, s *dev.System) *idp.Client {
	t.Helper()
	admin, err := dev.OpenAdmin(dev.State(state), s.Running)
	if err != nil {
		t.Fatal(err)
	}
	keys := aws.Credentials{AccessKeyID: admin.Credentials().AccessKeyID, SecretAccessKey: admin.Credentials().SecretAccessKey.Reveal()}
	return idp.New(idp.Options{
		Region: s.Running.Region, BaseEndpoint: aws.String(s.Running.AWSURL),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return keys, nil }),
	})
}

// A user's changes may take the room of what a start makes anew. A start that failed for that could not be helped by
// anybody: nothing would answer the call that undoes the change.
func TestSeedThatFindsNoRoomDoesNotEndTheStart(t *testing.T) {
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name   string
		change func(ctx context.Context, api *idp.Client, pool *string)
		want   string // in the log of the next start
	}{
		{"domain of another pool", func(ctx context.Context, api *idp.Client, pool *string) {
			_, err := api.DeleteUserPoolDomain(ctx, &idp.DeleteUserPoolDomainInput{UserPoolId: pool, Domain: aws.String("countersign-demo")})
			must(err)
			mine, err := api.CreateUserPool(ctx, &idp.CreateUserPoolInput{PoolName: aws.String("mine")})
			must(err)
			_, err = api.CreateUserPoolDomain(ctx, &idp.CreateUserPoolDomainInput{UserPoolId: mine.UserPool.Id, Domain: aws.String("countersign-demo")})
			must(err)
		}, `what="the user pool's domain" error=InvalidParameterException`},
		{"client without its scope", func(ctx context.Context, api *idp.Client, pool *string) {
			clients, err := api.ListUserPoolClients(ctx, &idp.ListUserPoolClientsInput{UserPoolId: pool})
			must(err)
			for _, client := range clients.UserPoolClients {
				if aws.ToString(client.ClientName) == dev.ReadClient {
					_, err := api.DeleteUserPoolClient(ctx, &idp.DeleteUserPoolClientInput{UserPoolId: pool, ClientId: client.ClientId})
					must(err)
				}
			}
			_, err = api.UpdateResourceServer(ctx, &idp.UpdateResourceServerInput{
				UserPoolId: pool, Identifier: aws.String("https://api.example.com"), Name: aws.String("Gateway"),
				Scopes: []types.ResourceServerScopeType{{ScopeName: aws.String("demo.write"), ScopeDescription: aws.String("Demo Write role")}},
			})
			must(err)
		}, `what=readClient error=ScopeDoesNotExistException`},
		{"pools of the same name", func(ctx context.Context, api *idp.Client, _ *string) {
			for range 8 { // the ids are random, and one of eight is very likely to come before the demo's
				_, err := api.CreateUserPool(ctx, &idp.CreateUserPoolInput{PoolName: aws.String("countersign-demo")})
				must(err)
			}
		}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			state := t.TempDir()
			first, err := dev.Start(t.Context(), config(state))
			must(err)
			id := aws.String(first.Running.UserPoolID)
			test.change(t.Context(), api(t, state, first), id)
			must(first.Close())

			var log buffer
			cfg := config(state)
			cfg.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
			again := start(t, cfg)
			if again.Running.UserPoolID != *id {
				t.Errorf("the pool was %s and is %s", *id, again.Running.UserPoolID)
			}
			if got := log.String(); !strings.Contains(got, test.want) || test.want == "" && got != "" {
				t.Errorf("logged %q, want %q", got, test.want)
			}
		})
	}
}
