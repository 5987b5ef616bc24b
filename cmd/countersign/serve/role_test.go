package serve_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/smithy-go"
)

func describe(t *testing.T, api *idp.Client, pool string) error {
	t.Helper()
	_, err := api.DescribeUserPool(t.Context(), &idp.DescribeUserPoolInput{UserPoolId: aws.String(pool)})
	return err
}

// TestReadOnly: what changes nothing is answered, the rest is AWS' AccessDeniedException, and nothing of it happens.
func TestReadOnly(t *testing.T) {
	r := begin(t, "accountId: \"123456789012\"\nregion: ap-southeast-1\n")
	api := admin(t, r.Server, r.config, "dashboard")
	if err := describe(t, api, r.pool); err != nil {
		t.Error(err)
	}
	if _, err := api.ListUserPools(t.Context(), &idp.ListUserPoolsInput{MaxResults: aws.Int32(10)}); err != nil {
		t.Error(err)
	}
	if _, err := api.GetUserPoolMfaConfig(t.Context(), &idp.GetUserPoolMfaConfigInput{UserPoolId: aws.String(r.pool)}); err != nil {
		t.Error(err)
	}
	_, err := api.DeleteUserPool(t.Context(), &idp.DeleteUserPoolInput{UserPoolId: aws.String(r.pool)})
	var denied smithy.APIError
	if !errors.As(err, &denied) || denied.ErrorCode() != "AccessDeniedException" || denied.ErrorMessage() !=
		"User: arn:aws:iam::123456789012:user/dashboard is not authorized to perform: cognito-idp:DeleteUserPool on resource: "+
			"arn:aws:cognito-idp:ap-southeast-1:123456789012:userpool/* because no identity-based policy allows the cognito-idp:DeleteUserPool action" {
		t.Errorf("got %v", err)
	}
	for name, call := range map[string]func() error{
		"CreateUserPool": func() error {
			_, err := api.CreateUserPool(t.Context(), &idp.CreateUserPoolInput{PoolName: aws.String("x")})
			return err
		},
		"AddUserPoolClientSecret": func() error {
			_, err := api.AddUserPoolClientSecret(t.Context(), &idp.AddUserPoolClientSecretInput{UserPoolId: aws.String(r.pool), ClientId: r.client.ClientId})
			return err
		},
		"TagResource": func() error {
			_, err := api.TagResource(t.Context(), &idp.TagResourceInput{ResourceArn: aws.String("arn:aws:cognito-idp:ap-southeast-1:123456789012:userpool/" + r.pool), Tags: map[string]string{"a": "b"}})
			return err
		},
	} {
		if err := call(); err == nil || !strings.Contains(err.Error(), "AccessDeniedException") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := describe(t, api, r.pool); err != nil {
		t.Errorf("the pool is gone: %v", err)
	}
}
