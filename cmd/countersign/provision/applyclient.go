package provision

import (
	"context"
	"fmt"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/countersign-dev/countersign/cmd/countersign/aws"
	"github.com/countersign-dev/countersign/cognito"
)

func (e *executor) createClient(ctx context.Context, s *Step) error {
	w := e.wanted(s.Name)
	n, unit := validityOf(w.Validity)
	out, err := e.target.Cognito.CreateUserPoolClient(ctx, &idp.CreateUserPoolClientInput{
		UserPoolId: &e.pool, ClientName: &w.Name, GenerateSecret: true,
		AllowedOAuthFlows: []types.OAuthFlowType{flow}, AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthScopes: w.Scopes,
		AccessTokenValidity: &n, TokenValidityUnits: &types.TokenValidityUnitsType{AccessToken: unit},
		// Cognito: left out, the flows are those of users with passwords.
		ExplicitAuthFlows: []types.ExplicitAuthFlowsType{types.ExplicitAuthFlowsTypeAllowRefreshTokenAuth},
	}, once)
	if err != nil {
		return e.target.unknown(err, "app client", w.Name)
	}
	s.ID = sdk.ToString(out.UserPoolClient.ClientId)
	e.clientIDs[w.Name] = s.ID
	return nil
}

func (e *executor) updateClient(ctx context.Context, s *Step) error {
	w := e.wanted(s.Name)
	now, err := e.target.describeClient(ctx, e.pool, s.ID)
	if err != nil {
		return err
	}
	in := completeClient(now)
	in.AllowedOAuthFlows, in.AllowedOAuthFlowsUserPoolClient, in.AllowedOAuthScopes = []types.OAuthFlowType{flow}, true, w.Scopes
	if validity(now) != w.Validity {
		n, unit := validityOf(w.Validity)
		units := types.TokenValidityUnitsType{}
		if now.TokenValidityUnits != nil {
			units = *now.TokenValidityUnits
		}
		units.AccessToken = unit
		in.AccessTokenValidity, in.TokenValidityUnits = &n, &units
	}
	_, err = e.target.Cognito.UpdateUserPoolClient(ctx, in)
	return aws.Explain(err, e.target.Region)
}

func (e *executor) wanted(name string) WantClient {
	for _, c := range e.want.Clients {
		if c.Name == name {
			return c
		}
	}
	return WantClient{}
}

// writeCredentials keeps a stored secret that is live, and reads the secret from Cognito otherwise: that of a client whose
// creation or whose credentials were not heard of is found here.
func (e *executor) writeCredentials(ctx context.Context, name string) error {
	w := e.wanted(name)
	place, _ := e.places.Of(w)
	before := e.have.Stored[name]
	at, err := e.addresses(ctx)
	if err != nil {
		return err
	}
	c := before.Credential
	if have := e.have.client(name); have == nil || !have.Live {
		if c, err = e.secretOf(ctx, name, at); err != nil {
			return err
		}
	}
	return place.Write(ctx, before, c.with(e.clientIDs[name], at, strings.Join(w.Scopes, " ")))
}

// addresses are those that Read found, or of the pool that was made since.
func (e *executor) addresses(ctx context.Context) (Addresses, error) {
	if e.have.Addresses != (Addresses{}) {
		return e.have.Addresses, nil
	}
	at, err := e.target.addresses(ctx, e.have.Pool, e.want.Pool.Domain)
	e.have.Addresses = at
	return at, err
}

// secretOf reads the client's secret.
//
// Cognito: which secret it shows after a rotation is not documented. One of a client that was there before is tried, as soon
// as there is a token endpoint to try it at, and a dead one is not written.
func (e *executor) secretOf(ctx context.Context, name string, at Addresses) (Credential, error) {
	id := e.clientIDs[name]
	full, err := e.target.describeClient(ctx, e.pool, id)
	if err != nil {
		return Credential{}, err
	}
	c := Credential{ClientID: id, ClientSecret: cognito.Secret(sdk.ToString(full.ClientSecret))}
	if c.ClientSecret == "" {
		return Credential{}, fmt.Errorf("the secret of app client %s is not shown by Cognito any more; for a new one: countersign rotate %s", id, name)
	}
	if e.have.client(name) == nil || at.unasked || e.have.Domain.Status != types.DomainStatusTypeActive {
		return c, nil
	}
	if works, err := e.target.Works(ctx, c, at); err == nil && !works {
		return Credential{}, fmt.Errorf("the secret that Cognito shows of app client %s is not its any more; for a new one: countersign rotate %s", id, name)
	}
	return c, nil
}
