package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/countersign-dev/countersign/clientcredentials"
	"github.com/countersign-dev/countersign/cmd/countersign/aws"
	"github.com/countersign-dev/countersign/cmd/countersign/callers"
	"github.com/countersign-dev/countersign/cmd/countersign/config"
	"github.com/countersign-dev/countersign/cmd/countersign/provision"
)

// storedCredentials are those that provision wrote for the clients of the file.
type storedCredentials struct {
	issuer  string
	callers []callers.Caller
	missing []string // the clients that have none, each with the place where they would be
	notes   []string // what could not be read
}

// readStoredCredentials reads what it can: for the clients that are named, or for all.
func readStoredCredentials(ctx context.Context, cfg *config.Config, kubeContext string, only ...string) storedCredentials {
	var found storedCredentials
	want, err := provision.NewWant(cfg, cfg.Pool.Region, false)
	if err != nil {
		return storedCredentials{notes: []string{"the clients' credentials are not read: " + err.Error()}}
	}
	places := provision.NewPlaces(cfg, false, nil, cfg.Pool.Region)
	places.Kubectl.Context = kubeContext
	for _, client := range want.Clients {
		if len(only) > 0 && !slices.Contains(only, client.Name) {
			continue
		}
		if client.Secret.SecretsManager != "" && places.Secrets == nil {
			loaded, err := aws.Load(ctx, aws.Options{Region: cfg.Pool.Region})
			if err != nil {
				found.notes = append(found.notes, "the credentials in Secrets Manager are not read: "+err.Error())
				return found
			}
			places.Secrets = secretsmanager.NewFromConfig(loaded)
		}
		place, _ := places.Of(client)
		stored, err := place.Read(ctx)
		switch {
		case err != nil:
			found.notes = append(found.notes, fmt.Sprintf("the credentials of client %s are not read: %v", client.Name, err))
		case stored.Leaving:
			found.notes = append(found.notes, fmt.Sprintf("the credentials of client %s are not read: the %s is scheduled for deletion, which countersign provision cancels", client.Name, place))
		case !stored.Found || stored.Credential.ClientID == "":
			found.missing = append(found.missing, fmt.Sprintf("client %s (%s)", client.Name, place))
		default:
			found.add(client, stored.Credential)
		}
	}
	return found
}

func (s *storedCredentials) add(client provision.WantClient, c provision.Credential) {
	s.issuer = c.Issuer
	s.callers = append(s.callers, callers.Caller{
		Name: client.Name, Scopes: client.Scopes, Credentials: clientcredentials.Static(c.ClientID, c.ClientSecret.Reveal()),
	})
}

// tokens are those that the issuer of the credentials gives.
func (s storedCredentials) tokens(ctx context.Context, client *http.Client, stderr io.Writer) (proofTokens, error) {
	issuer, err := callers.NewIssuer(s.issuer, client)
	if err != nil {
		return proofTokens{}, err
	}
	minted, err := issuer.Tokens(ctx, s.callers)
	if err != nil {
		return proofTokens{}, err
	}
	return proofTokens{onceEach{Tokens: minted, have: map[string]string{}}, fetchKeys(ctx, s.issuer, client, stderr)}, nil
}

// none says why there are no credentials, and how there would be.
func (s storedCredentials) none(flags configFlags) error {
	why := slices.Clone(s.notes)
	if len(s.missing) > 0 {
		why = append(why, "nothing is stored for "+strings.Join(s.missing, ", ")+"; store it with: "+flags.typed("provision"))
	}
	if len(why) == 0 {
		why = append(why, flags.file+" has no clients")
	}
	return errors.New(strings.Join(why, "\n"))
}

// storedToken asks for a token as a client of countersign.yaml, with the credentials that provision stored.
func storedToken(ctx context.Context, flags configFlags, name string, scopes []string) (*clientcredentials.Token, error) {
	cfg, err := flags.load()
	if err != nil {
		return nil, err
	}
	if names := clientNames(cfg); !slices.Contains(names, name) {
		return nil, fmt.Errorf("%s has no client %q; it has %s", cfg.Path, name, strings.Join(names, ", "))
	}
	found := readStoredCredentials(ctx, cfg, cfg.Kubernetes.Context, name)
	if len(found.callers) == 0 {
		return nil, found.none(flags)
	}
	caller := found.callers[0]
	source, err := clientcredentials.New(clientcredentials.Config{
		Issuer: found.issuer, Credentials: caller.Credentials, Scopes: fullScopes(cfg.Resource.Identifier, scopes),
	})
	if err != nil {
		return nil, fmt.Errorf("client %s: %w", name, err)
	}
	defer source.Close()
	token, err := source.Token(ctx)
	return token, sayScopes(err, name, caller.Scopes)
}

func clientNames(cfg *config.Config) []string {
	var names []string
	for _, client := range cfg.Clients {
		names = append(names, client.Name)
	}
	return names
}
