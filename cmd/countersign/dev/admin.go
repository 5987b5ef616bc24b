package dev

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/countersign-dev/countersign/clientcredentials"
	"github.com/countersign-dev/countersign/cmd/countersign/issuer"
	"github.com/countersign-dev/countersign/cmd/countersign/seal"
)

// Admin manages the running system as a user of AWS does: signed calls of the cognito-idp JSON API, through AWS's SDK.
type Admin struct {
	running     Running
	credentials issuer.Credentials
	api         *idp.Client
}

// Client is an app client of the running system's user pool.
type Client struct {
	Name, ID string
	Secret   issuer.Secret // empty for a client that has none
	Scopes   []string

	tokenURL string // where the issuer's URL is one of AWS's; it is asked past the proxy
}

// OpenAdmin reads the state's own AWS credentials, which only the owner of the state directory can.
func OpenAdmin(state State, running Running) (*Admin, error) {
	sealer, err := seal.ReadKeyFile(state.path(issuer.KeyFile))
	if err != nil {
		return nil, err
	}
	credentials, err := issuer.ReadCredentials(state.path(issuer.CredentialsFile), sealer)
	if err != nil {
		return nil, err
	}
	provider := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: credentials.AccessKeyID, SecretAccessKey: credentials.SecretAccessKey.Reveal()}, nil
	})
	api := idp.New(idp.Options{Region: running.Region, BaseEndpoint: aws.String(running.AWSURL), Credentials: provider})
	return &Admin{running: running, credentials: credentials, api: api}, nil
}

// Credentials returns the key pair with which calls of the JSON API are signed.
func (a *Admin) Credentials() issuer.Credentials { return a.credentials }

// Clients returns every app client of the pool.
func (a *Admin) Clients(ctx context.Context) ([]Client, error) {
	var clients []Client
	pages := idp.NewListUserPoolClientsPaginator(a.api, &idp.ListUserPoolClientsInput{
		UserPoolId: aws.String(a.running.UserPoolID), MaxResults: aws.Int32(60),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list app clients: %w", err)
		}
		for _, description := range page.UserPoolClients {
			client, err := a.describe(ctx, description)
			if err != nil {
				return nil, err
			}
			clients = append(clients, client)
		}
	}
	return clients, nil
}

// Client returns the app client of that name; a name that two clients bear is an error, as is one that none bears.
func (a *Admin) Client(ctx context.Context, name string) (Client, error) {
	clients, err := a.Clients(ctx)
	if err != nil {
		return Client{}, err
	}
	return a.Named(clients, name)
}

// Named is Client among clients that were asked for already.
func (a *Admin) Named(clients []Client, name string) (Client, error) {
	var found []Client
	var names []string
	for _, client := range clients {
		names = append(names, client.Name)
		if client.Name == name {
			found = append(found, client)
		}
	}
	switch len(found) {
	case 0:
		return Client{}, fmt.Errorf("user pool %s has no app client %q; it has %q", a.running.UserPoolID, name, names)
	case 1:
		return found[0], nil
	default:
		return Client{}, fmt.Errorf("user pool %s has %d app clients named %q", a.running.UserPoolID, len(found), name)
	}
}

func (a *Admin) describe(ctx context.Context, d types.UserPoolClientDescription) (Client, error) {
	out, err := a.api.DescribeUserPoolClient(ctx, &idp.DescribeUserPoolClientInput{UserPoolId: d.UserPoolId, ClientId: d.ClientId})
	if err != nil {
		return Client{}, fmt.Errorf("describe app client %s: %w", aws.ToString(d.ClientName), err)
	}
	if out.UserPoolClient == nil {
		return Client{}, errors.New("describe app client: the answer is empty")
	}
	c := out.UserPoolClient
	tokenURL := ""
	if a.running.ProxyURL != "" {
		tokenURL = a.running.AWSURL + "/" + a.running.UserPoolID + "/oauth2/token"
	}
	return Client{
		tokenURL: tokenURL,
		Name:     aws.ToString(c.ClientName), ID: aws.ToString(c.ClientId),
		Secret: issuer.Secret(aws.ToString(c.ClientSecret)), Scopes: c.AllowedOAuthScopes,
	}, nil
}

// Token asks the issuer for a token of the client with the given scopes in full, or with all that it may have.
func (c Client) Token(ctx context.Context, issuerURL string, scopes []string) (string, error) {
	token, err := c.AskToken(ctx, issuerURL, scopes)
	if err != nil {
		return "", err
	}
	return token.AccessToken, nil
}

// AskToken is Token with all that is known of it.
func (c Client) AskToken(ctx context.Context, issuerURL string, scopes []string) (*clientcredentials.Token, error) {
	config := clientcredentials.Config{Issuer: issuerURL, Credentials: clientcredentials.Static(c.ID, c.Secret.Reveal()), Scopes: scopes}
	if c.tokenURL != "" {
		config.Issuer, config.TokenEndpoint = "", c.tokenURL
	}
	source, err := clientcredentials.New(config)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	return source.Token(ctx)
}
