package cognito_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/countersign-dev/countersign/cognito"
)

// machinePool makes a service with a pool that has one scope and one client of it, for the examples below.
func machinePool(config cognito.Config) (*cognito.Service, string, cognito.UserPoolClient) {
	ctx := context.Background()
	service, err := cognito.New(ctx, config)
	if err != nil {
		panic(err)
	}
	pool, err := service.CreateUserPool(ctx, cognito.CreateUserPoolInput{PoolName: "demo"})
	if err != nil {
		panic(err)
	}
	id := pool.UserPool.ID
	if _, err = service.CreateResourceServer(ctx, cognito.CreateResourceServerInput{
		UserPoolID: id, Identifier: "https://api.example.com", Name: "API",
		Scopes: []cognito.ResourceServerScope{{ScopeName: "demo.read", ScopeDescription: "read"}},
	}); err != nil {
		panic(err)
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
		panic(err)
	}
	return service, id, client.UserPoolClient
}

// An issuer for a test, on a port of its own. The service has its URL in its tokens, so the listener comes first.
func ExampleHandler_server() {
	server := httptest.NewUnstartedServer(nil)
	service, pool, _ := machinePool(cognito.Config{BaseURL: "http://" + server.Listener.Addr().String()})
	server.Config.Handler = cognito.Handler(service, cognito.HandlerConfig{})
	server.Start()
	defer server.Close()

	res, err := http.Get(service.Issuer(pool) + "/.well-known/openid-configuration")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	var document struct {
		Issuer        string `json:"issuer"`
		TokenEndpoint string `json:"token_endpoint"`
	}
	if err := json.NewDecoder(res.Body).Decode(&document); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(res.StatusCode, document.Issuer == service.Issuer(pool), document.TokenEndpoint == document.Issuer+"/oauth2/token")
	// Output: 200 true true
}

// What went wrong is a code; its words are for people.
func ExampleAPIError() {
	service, pool, _ := machinePool(cognito.Config{})
	_, err := service.DescribeUserPoolClient(context.Background(), cognito.DescribeUserPoolClientInput{UserPoolID: pool, ClientID: "nobody"})
	fmt.Println(errors.Is(err, &cognito.APIError{Code: cognito.CodeResourceNotFound}))
	var refusal *cognito.APIError
	if errors.As(err, &refusal) {
		fmt.Println(refusal.Status, refusal.Message)
	}
	// Output:
	// true
	// 400 User pool client nobody does not exist.
}

// The wire has the code only. Why is for the program that asks in Go, and for the log.
func ExampleTokenError() {
	service, pool, client := machinePool(cognito.Config{})
	_, err := service.Token(context.Background(), cognito.TokenRequest{
		PoolID: pool, GrantType: "client_credentials", Scope: "https://api.example.com/demo.raed",
		ClientID: client.ClientID, ClientSecret: client.ClientSecret,
	})
	var refusal *cognito.TokenError
	if errors.As(err, &refusal) {
		fmt.Println(refusal.Code)
		fmt.Println(refusal.Reason)
	}
	// Output:
	// invalid_scope
	// a requested scope is neither one of the app client's AllowedOAuthScopes nor of any resource server of the user pool
}

// A secret is replaced without a moment in which neither works.
func ExampleService_AddUserPoolClientSecret() {
	ctx := context.Background()
	service, pool, client := machinePool(cognito.Config{})
	works := func(secret cognito.Secret) bool {
		_, err := service.Token(ctx, cognito.TokenRequest{PoolID: pool, GrantType: "client_credentials", ClientID: client.ClientID, ClientSecret: secret})
		return err == nil
	}
	added, err := service.AddUserPoolClientSecret(ctx, cognito.AddUserPoolClientSecretInput{UserPoolID: pool, ClientID: client.ClientID})
	if err != nil {
		fmt.Println(err)
		return
	}
	second := added.ClientSecretDescriptor.ClientSecretValue
	fmt.Println("both:", works(client.ClientSecret), works(second))

	secrets, _ := service.ListUserPoolClientSecrets(ctx, cognito.ListUserPoolClientSecretsInput{UserPoolID: pool, ClientID: client.ClientID})
	_, err = service.DeleteUserPoolClientSecret(ctx, cognito.DeleteUserPoolClientSecretInput{
		UserPoolID: pool, ClientID: client.ClientID, ClientSecretID: secrets.ClientSecrets[0].ClientSecretID, // the older
	})
	fmt.Println("then:", works(client.ClientSecret), works(second), err)
	// Output:
	// both: true true
	// then: false true <nil>
}

// A new key is published two hours before it signs; until then the old one goes on.
func ExampleService_RotateKey() {
	ctx := context.Background()
	service, pool, _ := machinePool(cognito.Config{})
	if _, err := service.RotateKey(ctx, cognito.RotateKeyInput{UserPoolID: pool}); err != nil {
		fmt.Println(err)
		return
	}
	keys, _ := service.Keys(pool)
	for _, k := range keys {
		fmt.Println(k.Algorithm, k.State)
	}
	// Output:
	// RS256 signing
	// RS256 published
	// RS256 unused
}

// A pool moves to another service with its ids, secrets and keys: nobody who uses it notices.
func ExampleService_ImportPool() {
	ctx := context.Background()
	old, pool, client := machinePool(cognito.Config{})
	document, err := old.ExportPool(pool, cognito.ExportOptions{Secrets: true, Keys: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	service, err := cognito.New(ctx, cognito.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	imported, err := service.ImportPool(ctx, document, cognito.ImportOptions{})
	fmt.Println(imported.PoolID == pool, err)
	_, err = service.Token(ctx, cognito.TokenRequest{PoolID: pool, GrantType: "client_credentials", ClientID: client.ClientID, ClientSecret: client.ClientSecret})
	fmt.Println(err)
	// Output:
	// true <nil>
	// <nil>
}

// What AWS would refuse for its rate is refused here: one token request a second, in place of its 150.
func ExampleNewQuotas() {
	service, pool, client := machinePool(cognito.Config{})
	rates := cognito.AWSRates()
	rates.ClientAuthentication = 1
	issuer := cognito.Handler(service, cognito.HandlerConfig{Quotas: cognito.NewQuotas(rates, nil)})
	for range 2 {
		r := httptest.NewRequest("POST", "/"+pool+"/oauth2/token", strings.NewReader("grant_type=client_credentials"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(client.ClientID, client.ClientSecret.Reveal())
		w := httptest.NewRecorder()
		issuer.ServeHTTP(w, r)
		fmt.Println(w.Code)
	}
	// Output:
	// 200
	// 429
}

// Who changed what: a program that calls the service itself says who it is.
func ExampleWithActor() {
	service, pool, client := machinePool(cognito.Config{Audit: func(e cognito.Event) {
		if e.Operation == "UpdateUserPoolClient" {
			fmt.Println(e.Actor.User, "reset", e.Reset)
		}
	}})
	ctx := cognito.WithActor(context.Background(), "request-1", cognito.Actor{User: "migration"})
	_, err := service.UpdateUserPoolClient(ctx, cognito.UpdateUserPoolClientInput{UserPoolID: pool, ClientID: client.ClientID, ClientName: "renamed"})
	fmt.Println(err)
	// Output:
	// migration reset [AllowedOAuthFlows AllowedOAuthFlowsUserPoolClient AllowedOAuthScopes]
	// <nil>
}

// A URL decides what tokens say, as a Lambda function does at AWS.
func ExampleNewWebhook() {
	trigger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"response":{"claimsAndScopeOverrideDetails":{"accessTokenGeneration":{"scopesToAdd":["https://api.example.com/demo.write"]}}}}`)
	}))
	defer trigger.Close()
	hook, err := cognito.NewWebhook(cognito.WebhookConfig{URL: trigger.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	changes, err := hook(context.Background(), cognito.PreTokenEvent{UserPoolID: "us-east-1_AbCdEf123"})
	fmt.Println(changes.ScopesToAdd, err)
	// Output: [https://api.example.com/demo.write] <nil>
}
