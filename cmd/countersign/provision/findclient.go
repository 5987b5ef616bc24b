package provision

import (
	"context"
	"fmt"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/countersign-dev/countersign/cmd/countersign/aws"
	"github.com/countersign-dev/countersign/cognito"
)

// Client is an app client of the file that exists, and where its credentials are.
type Client struct {
	WantClient
	PoolID, ID string
	Addresses  Addresses
	Place      Place
}

// FindClient finds one client of the file.
func FindClient(ctx context.Context, t Target, w Want, places Places, name string) (Client, error) {
	var wanted *WantClient
	var names []string
	for i := range w.Clients {
		names = append(names, w.Clients[i].Name)
		if w.Clients[i].Name == name {
			wanted = &w.Clients[i]
		}
	}
	if wanted == nil {
		return Client{}, fmt.Errorf("the file has no client %q; it has %q", name, names)
	}
	w.Clients = []WantClient{*wanted}
	if err := places.FindContext(ctx, w); err != nil {
		return Client{}, err
	}
	pool, err := t.findPool(ctx, w)
	if err != nil {
		return Client{}, err
	}
	if pool == nil {
		return Client{}, fmt.Errorf("there is no user pool %q yet; make it with: countersign provision", w.Pool.Name)
	}
	h := Have{Pool: pool}
	if h.Addresses, err = t.addresses(ctx, pool, w.Pool.Domain); err != nil {
		return Client{}, err
	}
	if err := t.listClients(ctx, &h); err != nil {
		return Client{}, err
	}
	have := h.client(name)
	if have == nil {
		return Client{}, fmt.Errorf("user pool %s has no app client %q yet; make it with: countersign provision", sdk.ToString(pool.Id), name)
	}
	if err := h.unique(*have); err != nil {
		return Client{}, err
	}
	place, _ := places.Of(*wanted)
	return Client{*wanted, sdk.ToString(pool.Id), have.ID, h.Addresses, place}, nil
}

// AddSecret gives the client a second secret of the caller's choice: one that is known beforehand is not lost with an answer.
func (t Target) AddSecret(ctx context.Context, c Client, secret cognito.Secret) error {
	_, err := t.Cognito.AddUserPoolClientSecret(ctx, &idp.AddUserPoolClientSecretInput{
		UserPoolId: &c.PoolID, ClientId: &c.ID, ClientSecret: sdk.String(secret.Reveal()),
	}, once)
	return aws.Explain(err, t.Region)
}

// DeleteSecret takes a secret away. One that is gone is what is wanted.
func (t Target) DeleteSecret(ctx context.Context, c Client, id string) error {
	_, err := t.Cognito.DeleteUserPoolClientSecret(ctx, &idp.DeleteUserPoolClientSecretInput{
		UserPoolId: &c.PoolID, ClientId: &c.ID, ClientSecretId: &id,
	})
	return t.gone(err)
}
