package peers

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

// userPool is a user pool of package cognito with a resource server and a client that may have both of its scopes.
type userPool struct {
	service *cognito.Service
	id      string
	issuer  string
	client  string
	secret  cognito.Secret
	handler http.Handler
}

var poolScopes = []string{resource + "/demo.read", resource + "/demo.write"}

// newUserPool makes the pool. An empty baseURL is AWS's own.
func newUserPool(t testing.TB, baseURL string) userPool {
	t.Helper()
	ctx := t.Context()
	service, err := cognito.New(ctx, cognito.Config{BaseURL: baseURL, Region: "eu-west-1"})
	if err != nil {
		t.Fatal(err)
	}
	made, err := service.CreateUserPool(ctx, cognito.CreateUserPoolInput{PoolName: "peers"})
	if err != nil {
		t.Fatal(err)
	}
	p := userPool{service: service, id: made.UserPool.ID, handler: cognito.Handler(service, cognito.HandlerConfig{})}
	p.issuer = service.Issuer(p.id)
	if _, err := service.CreateResourceServer(ctx, cognito.CreateResourceServerInput{
		UserPoolID: p.id, Identifier: resource, Name: "API",
		Scopes: []cognito.ResourceServerScope{{ScopeName: "demo.read", ScopeDescription: "read"}, {ScopeName: "demo.write", ScopeDescription: "write"}},
	}); err != nil {
		t.Fatal(err)
	}
	client, err := service.CreateUserPoolClient(ctx, cognito.CreateUserPoolClientInput{
		UserPoolID: p.id, ClientName: "caller", GenerateSecret: true,
		ClientSettings: cognito.ClientSettings{
			AllowedOAuthFlows: []string{"client_credentials"}, AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthScopes: poolScopes,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	p.client, p.secret = client.UserPoolClient.ClientID, client.UserPoolClient.ClientSecret
	return p
}

// token asks for a token with the scopes.
func (p userPool) token(t testing.TB, scopes ...string) string {
	t.Helper()
	res, err := p.service.Token(t.Context(), cognito.TokenRequest{
		PoolID: p.id, GrantType: "client_credentials", ClientID: p.client, ClientSecret: p.secret, Scope: strings.Join(scopes, " "),
	})
	if err != nil {
		t.Fatal(err)
	}
	return res.AccessToken
}

// RoundTrip answers for the issuer's host without a network.
func (p userPool) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	return w.Result(), nil
}

// keySet is what the pool's issuer publishes.
func (p userPool) keySet(t *testing.T) []byte {
	t.Helper()
	res, err := p.RoundTrip(must(http.NewRequest("GET", p.issuer+"/.well-known/jwks.json", nil)))
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("the key set: %v, %v", res, err)
	}
	return must(io.ReadAll(res.Body))
}
