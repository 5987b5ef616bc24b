package provision

import (
	"context"

	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/countersign-dev/countersign/cmd/countersign/aws"
)

// What is gone already was removed by a run whose answer was lost, or by somebody else: both are what is wanted.
func (t Target) gone(err error) error {
	if aws.Code(err) == "ResourceNotFoundException" {
		return nil
	}
	return aws.Explain(err, t.Region)
}

func (t Target) deleteDomain(ctx context.Context, pool, domain string) error {
	_, err := t.Cognito.DeleteUserPoolDomain(ctx, &idp.DeleteUserPoolDomainInput{UserPoolId: &pool, Domain: &domain})
	return t.gone(err)
}

func (t Target) deleteServer(ctx context.Context, pool, identifier string) error {
	_, err := t.Cognito.DeleteResourceServer(ctx, &idp.DeleteResourceServerInput{UserPoolId: &pool, Identifier: &identifier})
	return t.gone(err)
}

func (t Target) deleteClient(ctx context.Context, pool, client string) error {
	_, err := t.Cognito.DeleteUserPoolClient(ctx, &idp.DeleteUserPoolClientInput{UserPoolId: &pool, ClientId: &client})
	return t.gone(err)
}
