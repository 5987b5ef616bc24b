package cognito_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/countersign-dev/countersign/cognito"
)

// A trigger adds a claim to the tokens of a pool whose LambdaConfig names it.
func ExamplePreTokenHook() {
	const arn = "arn:aws:lambda:us-east-1:000000000000:function:claims"
	tenant := func(_ context.Context, e cognito.PreTokenEvent) (cognito.AccessTokenGeneration, error) {
		return cognito.AccessTokenGeneration{ClaimsToAddOrOverride: map[string]any{"tenant": e.Request.ClientMetadata["tenant"]}}, nil
	}
	ctx := context.Background()
	service, err := cognito.New(ctx, cognito.Config{PreTokenGeneration: map[string]cognito.PreTokenHook{arn: tenant}})
	if err != nil {
		fmt.Println(err)
		return
	}
	pool, _ := service.CreateUserPool(ctx, cognito.CreateUserPoolInput{PoolName: "demo", PoolSettings: cognito.PoolSettings{
		LambdaConfig: json.RawMessage(`{"PreTokenGenerationConfig":{"LambdaVersion":"V3_0","LambdaArn":"` + arn + `"}}`),
	}})
	client, _ := service.CreateUserPoolClient(ctx, cognito.CreateUserPoolClientInput{
		UserPoolID: pool.UserPool.ID, ClientName: "reader", GenerateSecret: true,
		ClientSettings: cognito.ClientSettings{ExplicitAuthFlows: []string{"ALLOW_CLIENT_TOKEN_AUTH"}},
	})
	out, err := service.GetClientToken(ctx, cognito.GetClientTokenInput{
		ClientID: client.UserPoolClient.ClientID, Secret: client.UserPoolClient.ClientSecret,
		ClientMetadata: map[string]string{"tenant": "a"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	payload, _ := base64.RawURLEncoding.DecodeString(strings.Split(out.ClientAuthenticationResult.AccessToken, ".")[1])
	var claims struct{ Tenant string }
	_ = json.Unmarshal(payload, &claims)
	fmt.Println("tenant:", claims.Tenant)
	// Output: tenant: a
}
