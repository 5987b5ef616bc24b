package provision

import (
	"reflect"
	"slices"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// TestAnUpdateNamesEverySetting holds the copies to the SDK's types: a member of an update that the description does not have
// under the same name and type would be reset.
func TestAnUpdateNamesEverySetting(t *testing.T) {
	for _, c := range []struct {
		name               string
		input, description any
		otherwise          []string // members that are set by hand
	}{
		{"UpdateUserPool", idp.UpdateUserPoolInput{}, types.UserPoolType{}, []string{"UserPoolId", "PoolName"}},
		{"UpdateUserPoolClient", idp.UpdateUserPoolClientInput{}, types.UserPoolClientType{}, []string{"AllowedOAuthFlowsUserPoolClient"}},
	} {
		input, description := reflect.TypeOf(c.input), reflect.TypeOf(c.description)
		for i := range input.NumField() {
			member := input.Field(i)
			from, found := description.FieldByName(member.Name)
			if member.IsExported() && (!found || from.Type != member.Type) && !slices.Contains(c.otherwise, member.Name) {
				t.Errorf("%s: %s is not copied from the description", c.name, member.Name)
			}
		}
	}
}

// Cognito: an update that says the same life twice is refused.
func TestThePoolsUpdateSaysOneLifeOfTemporaryPasswords(t *testing.T) {
	pool := &types.UserPoolType{
		Id: sdk.String("p"), Name: sdk.String("n"),
		AdminCreateUserConfig: &types.AdminCreateUserConfigType{AllowAdminCreateUserOnly: true, UnusedAccountValidityDays: 7},
		Policies:              &types.UserPoolPolicyType{PasswordPolicy: &types.PasswordPolicyType{TemporaryPasswordValidityDays: 7}},
	}
	in := completePool(pool)
	if in.AdminCreateUserConfig.UnusedAccountValidityDays != 0 || !in.AdminCreateUserConfig.AllowAdminCreateUserOnly {
		t.Errorf("%+v", *in.AdminCreateUserConfig)
	}
	if pool.AdminCreateUserConfig.UnusedAccountValidityDays != 7 {
		t.Error("the description was changed")
	}
}
