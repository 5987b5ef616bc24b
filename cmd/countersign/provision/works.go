package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/countersign-dev/countersign/clientcredentials"
	"github.com/countersign-dev/countersign/cmd/countersign/aws"
)

// Works asks for one token with the first secret of the credential, which Cognito bills as any other. It is false only if
// the issuer refuses the secret itself; what else it may refuse says that it took the secret.
func (t Target) Works(ctx context.Context, c Credential, at Addresses) (bool, error) {
	if at.unasked {
		return false, fmt.Errorf("%s has no token endpoint", t)
	}
	source, err := clientcredentials.New(clientcredentials.Config{
		TokenEndpoint:     at.TokenEndpoint,
		Credentials:       clientcredentials.Static(c.ClientID, c.ClientSecret.Reveal()),
		HTTPClient:        t.HTTP,
		InsecureAllowHTTP: t.Endpoint != "", // whoever names an endpoint of plain HTTP means it
	})
	if err != nil {
		return false, err
	}
	defer source.Close()
	_, err = source.Token(ctx)
	var refused *clientcredentials.Error
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, &clientcredentials.Error{Code: clientcredentials.InvalidClient}):
		return false, nil
	case errors.As(err, &refused) && refused.Code != "":
		return true, nil
	}
	return false, fmt.Errorf("app client %s: %w", c.ClientID, err)
}

// SecretIDs returns Cognito's ids of the client's live secrets, oldest first.
func (t Target) SecretIDs(ctx context.Context, pool, client string) ([]string, error) {
	out, err := t.Cognito.ListUserPoolClientSecrets(ctx, &idp.ListUserPoolClientSecretsInput{UserPoolId: &pool, ClientId: &client})
	if err != nil {
		return nil, aws.Explain(err, t.Region)
	}
	list := slices.Clone(out.ClientSecrets)
	slices.SortStableFunc(list, func(a, b types.ClientSecretDescriptorType) int {
		return sdk.ToTime(a.ClientSecretCreateDate).Compare(sdk.ToTime(b.ClientSecretCreateDate))
	})
	var all []string
	for _, d := range list {
		all = append(all, sdk.ToString(d.ClientSecretId))
	}
	return all, nil
}
