package provision

import (
	"reflect"

	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// Cognito: "To avoid setting parameters to Amazon Cognito defaults, construct this API request to pass the existing
// configuration": an update resets what it does not mention. So each update here is the whole description, with the change.

// completePool returns the update that changes nothing.
func completePool(pool *types.UserPoolType) *idp.UpdateUserPoolInput {
	in := &idp.UpdateUserPoolInput{UserPoolId: pool.Id, PoolName: pool.Name}
	copySettings(in, pool)
	// Cognito describes this life twice, and refuses an update that has both; the password policy's is the one that is not
	// deprecated.
	if c := in.AdminCreateUserConfig; c != nil && in.Policies != nil && in.Policies.PasswordPolicy != nil {
		clone := *c
		clone.UnusedAccountValidityDays = 0
		in.AdminCreateUserConfig = &clone
	}
	return in
}

// completeClient returns the update that changes nothing.
func completeClient(client *types.UserPoolClientType) *idp.UpdateUserPoolClientInput {
	in := &idp.UpdateUserPoolClientInput{}
	copySettings(in, client)
	if client.AllowedOAuthFlowsUserPoolClient != nil {
		in.AllowedOAuthFlowsUserPoolClient = *client.AllowedOAuthFlowsUserPoolClient
	}
	return in
}

// copySettings copies every member that a description and an input have in common: one that a later SDK adds is not
// forgotten.
func copySettings(input, description any) {
	to, from := reflect.ValueOf(input).Elem(), reflect.ValueOf(description).Elem()
	for i := range to.NumField() {
		name := to.Type().Field(i).Name
		if value := from.FieldByName(name); value.IsValid() && to.Field(i).CanSet() && value.Type() == to.Field(i).Type() {
			to.Field(i).Set(value)
		}
	}
}
