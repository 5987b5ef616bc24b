package cognito_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/countersign-dev/countersign/cognito"
)

// A pool, a resource server with a scope, a client that has it, and a token.
func Example() {
	ctx := context.Background()
	service, err := cognito.New(ctx, cognito.Config{BaseURL: "http://localhost:8081"})
	if err != nil {
		fmt.Println(err)
		return
	}
	pool, _ := service.CreateUserPool(ctx, cognito.CreateUserPoolInput{PoolName: "demo"})
	id := pool.UserPool.ID
	_, err = service.CreateResourceServer(ctx, cognito.CreateResourceServerInput{
		UserPoolID: id, Identifier: "https://api.example.com", Name: "API",
		Scopes: []cognito.ResourceServerScope{{ScopeName: "demo.read", ScopeDescription: "read"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := service.CreateUserPoolClient(ctx, cognito.CreateUserPoolClientInput{
		UserPoolID: id, ClientName: "reader", GenerateSecret: true,
		ClientSettings: cognito.ClientSettings{
			AllowedOAuthFlows:               []string{"client_credentials"},
			AllowedOAuthScopes:              []string{"https://api.example.com/demo.read"},
			AllowedOAuthFlowsUserPoolClient: true,
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	token, err := service.Token(ctx, cognito.TokenRequest{
		PoolID: id, GrantType: "client_credentials",
		ClientID: client.UserPoolClient.ClientID, ClientSecret: client.UserPoolClient.ClientSecret,
	})
	fmt.Println(token.TokenType, token.ExpiresIn, strings.Count(token.AccessToken, "."), err)
	fmt.Println("the secret in a log:", client.UserPoolClient.ClientSecret)
	// Output:
	// Bearer 3600 2 <nil>
	// the secret in a log: <redacted>
}

// The same service over HTTP, as a client meets it.
func ExampleHandler() {
	ctx := context.Background()
	service, err := cognito.New(ctx, cognito.Config{BaseURL: "http://localhost:8081"})
	if err != nil {
		fmt.Println(err)
		return
	}
	pool, _ := service.CreateUserPool(ctx, cognito.CreateUserPoolInput{PoolName: "demo"})
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"nobody"}, "client_secret": {"guess"}}
	r := httptest.NewRequest("POST", "/"+pool.UserPool.ID+"/oauth2/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	cognito.Handler(service, cognito.HandlerConfig{}).ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
	// Output:
	// 400 {"error":"invalid_client"}
}
