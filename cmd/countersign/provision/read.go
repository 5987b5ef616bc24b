package provision

import (
	"context"
	"fmt"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/countersign-dev/countersign/cmd/countersign/aws"
)

// Read finds out what there is. It changes nothing.
func Read(ctx context.Context, t Target, w Want, places Places) (Have, error) {
	h := Have{Stored: map[string]Stored{}, Taken: map[string]string{}}
	if err := readStored(ctx, &h, w, places); err != nil {
		return h, err
	}
	var err error
	if h.Domain, err = t.readDomain(ctx, w.Pool.Domain); err != nil {
		return h, err
	}
	if h.Pool, err = t.findPool(ctx, w); err != nil {
		return h, err
	}
	if err := t.findTaken(ctx, &h, w); err != nil || h.Pool == nil {
		return h, err
	}
	h.Owned = h.Pool.UserPoolTags[ServiceTag] == w.Service
	if h.Addresses, err = t.addresses(ctx, h.Pool, w.Pool.Domain); err != nil {
		return h, err
	}
	if h.Servers, err = t.readServers(ctx, sdk.ToString(h.Pool.Id)); err != nil {
		return h, err
	}
	return h, t.readClients(ctx, &h, w)
}

func readStored(ctx context.Context, h *Have, w Want, places Places) error {
	for _, c := range w.Clients {
		place, note := places.Of(c)
		if note != "" {
			h.Notes = append(h.Notes, note)
		}
		stored, err := place.Read(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", place, err)
		}
		if stored.Foreign != "" {
			return fmt.Errorf("client %s: %s %s; it is not overwritten: name another place, or remove it yourself", c.Name, place, stored.Foreign)
		}
		h.Stored[c.Name] = stored
	}
	return nil
}

// readDomain: Cognito: a domain that nobody of the account has is answered with an empty description.
func (t Target) readDomain(ctx context.Context, name string) (Domain, error) {
	out, err := t.Cognito.DescribeUserPoolDomain(ctx, &idp.DescribeUserPoolDomainInput{Domain: &name})
	switch {
	case aws.Code(err) == "ResourceNotFoundException":
		return Domain{}, nil
	case err != nil:
		return Domain{}, aws.Explain(err, t.Region)
	case out.DomainDescription == nil:
		return Domain{}, nil
	}
	return Domain{sdk.ToString(out.DomainDescription.UserPoolId), out.DomainDescription.Status}, nil
}

func (t Target) readServers(ctx context.Context, pool string) ([]types.ResourceServerType, error) {
	var all []types.ResourceServerType
	pages := idp.NewListResourceServersPaginator(t.Cognito, &idp.ListResourceServersInput{UserPoolId: &pool, MaxResults: sdk.Int32(50)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, aws.Explain(err, t.Region)
		}
		all = append(all, page.ResourceServers...)
	}
	slices.SortFunc(all, func(a, b types.ResourceServerType) int {
		return strings.Compare(sdk.ToString(a.Identifier), sdk.ToString(b.Identifier))
	})
	return all, nil
}

// readClients lists the pool's clients and describes those that are wanted.
//
// Cognito: names of clients are not unique either, and clients have no tags.
func (t Target) readClients(ctx context.Context, h *Have, w Want) error {
	if err := t.listClients(ctx, h); err != nil {
		return err
	}
	for _, c := range w.Clients {
		if err := t.readClient(ctx, h, sdk.ToString(h.Pool.Id), c); err != nil {
			return err
		}
	}
	return nil
}

func (t Target) listClients(ctx context.Context, h *Have) error {
	pool := sdk.ToString(h.Pool.Id)
	pages := idp.NewListUserPoolClientsPaginator(t.Cognito, &idp.ListUserPoolClientsInput{UserPoolId: &pool, MaxResults: sdk.Int32(60)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return aws.Explain(err, t.Region)
		}
		for _, d := range page.UserPoolClients {
			h.Clients = append(h.Clients, HaveClient{ID: sdk.ToString(d.ClientId), Name: sdk.ToString(d.ClientName)})
		}
	}
	slices.SortFunc(h.Clients, func(a, b HaveClient) int {
		return strings.Compare(a.Name+"\x00"+a.ID, b.Name+"\x00"+b.ID)
	})
	return nil
}

// unique refuses a name that two clients have: changing either would be a guess.
func (h Have) unique(c HaveClient) error {
	for _, other := range h.Clients {
		if other.Name == c.Name && other.ID != c.ID {
			return fmt.Errorf("user pool %s has two app clients named %q: %s and %s; remove the one that is not used", sdk.ToString(h.Pool.Id), c.Name, c.ID, other.ID)
		}
	}
	return nil
}

func (t Target) readClient(ctx context.Context, h *Have, pool string, c WantClient) error {
	have := h.client(c.Name)
	if have == nil {
		return nil
	}
	if err := h.unique(*have); err != nil {
		return err
	}
	full, err := t.describeClient(ctx, pool, have.ID)
	if err != nil {
		return err
	}
	if sdk.ToString(full.ClientSecret) == "" {
		return fmt.Errorf("app client %q (%s) of user pool %s has no secret, and Cognito gives one only when a client is made: remove it, or choose another name", c.Name, have.ID, pool)
	}
	have.Full = full
	at := h.Addresses
	at.unasked = at.unasked || h.Domain.PoolID != pool || h.Domain.Status != types.DomainStatusTypeActive // nobody is there yet
	have.Live, err = t.isLive(ctx, *have, h.Stored[c.Name].Credential, at)
	return err
}

func (t Target) describeClient(ctx context.Context, pool, id string) (*types.UserPoolClientType, error) {
	out, err := t.Cognito.DescribeUserPoolClient(ctx, &idp.DescribeUserPoolClientInput{UserPoolId: &pool, ClientId: &id})
	if err != nil {
		return nil, aws.Explain(err, t.Region)
	}
	if out.UserPoolClient == nil || sdk.ToString(out.UserPoolClient.ClientId) != id {
		return nil, fmt.Errorf("cognito-idp:DescribeUserPoolClient: the answer is not about app client %s", id)
	}
	return out.UserPoolClient, nil
}

// isLive says whether a stored credential is good, so that one that works is never replaced.
//
// Cognito: which of its secrets DescribeUserPoolClient shows after a rotation is not documented. A stored one that differs
// is judged by its id, and if that is not known by one request for a token.
func (t Target) isLive(ctx context.Context, c HaveClient, stored Credential, at Addresses) (bool, error) {
	switch {
	case stored.ClientID != c.ID || stored.ClientSecret == "":
		return false, nil
	case stored.ClientSecret.Reveal() == *c.Full.ClientSecret:
		return true, nil
	case stored.SecretID != "":
		live, err := t.SecretIDs(ctx, sdk.ToString(c.Full.UserPoolId), c.ID)
		return slices.Contains(live, stored.SecretID), err
	}
	if at.unasked {
		return false, nil
	}
	return t.Works(ctx, stored, at)
}
