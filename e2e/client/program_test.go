package client

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/oauth2"
	oauthcc "golang.org/x/oauth2/clientcredentials"

	"github.com/countersign-dev/countersign/cognito"
	"github.com/countersign-dev/countersign/e2e/program"
)

func TestMain(m *testing.M) { program.Main(m) }

func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	file := program.Path(t)
	cmd := exec.Command(file, args...)
	cmd.Stderr = t.Output()
	return cmd
}

// TestRotationUnderLoad types the drill, over sockets, for shorter than its minute.
func TestRotationUnderLoad(t *testing.T) {
	t.Parallel()
	out, err := command(t, "drill", "rotate-secret", "--for", "50s", "--rate", "200", "--output", "json").Output()
	var report struct {
		Requests   int    `json:"requests"`
		Failed     int    `json:"failed"`
		Incomplete string `json:"incomplete"`
		Steps      []struct {
			What string `json:"what"`
		} `json:"steps"`
	}
	if err != nil || json.Unmarshal(out, &report) != nil || report.Failed != 0 || report.Requests < 5000 || len(report.Steps) != 5 || report.Incomplete != "" {
		t.Errorf("%v\n%s", err, out)
	}
}

// newPool is an issuer with a client of the two scopes.
func newPool(t *testing.T) (endpoint, id, secret string, granted func() int) {
	t.Helper()
	var handler http.Handler
	var n atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	ctx := t.Context()
	service := must(cognito.New(ctx, cognito.Config{BaseURL: server.URL}))
	handler = cognito.Handler(service, cognito.HandlerConfig{})
	pool := must(service.CreateUserPool(ctx, cognito.CreateUserPoolInput{PoolName: "shop"})).UserPool.ID
	must(service.CreateUserPoolDomain(ctx, cognito.CreateUserPoolDomainInput{UserPoolID: pool, Domain: "shop"}))
	must(service.CreateResourceServer(ctx, cognito.CreateResourceServerInput{UserPoolID: pool, Identifier: "https://api.example.com", Name: "api",
		Scopes: []cognito.ResourceServerScope{{ScopeName: "read", ScopeDescription: "r"}, {ScopeName: "write", ScopeDescription: "w"}}}))
	in := cognito.CreateUserPoolClientInput{UserPoolID: pool, ClientName: "reader", GenerateSecret: true}
	in.AllowedOAuthFlows, in.AllowedOAuthFlowsUserPoolClient = []string{"client_credentials"}, true
	in.AllowedOAuthScopes, in.SupportedIdentityProviders = []string{"https://api.example.com/read", "https://api.example.com/write"}, []string{"COGNITO"}
	c := must(service.CreateUserPoolClient(ctx, in)).UserPoolClient
	return service.Issuer(pool) + "/oauth2/token", c.ClientID, c.ClientSecret.Reveal(), func() int { return int(n.Load()) }
}

// TestTokenproxyWithAnotherClient has x/oauth2 ask the proxy in front of the local Cognito: it changes the address and
// nothing else, in both ways of client authentication.
func TestTokenproxyWithAnotherClient(t *testing.T) {
	t.Parallel()
	endpoint, id, secret, asked := newPool(t)
	proxy := command(t, "tokenproxy", "--upstream", endpoint, "--addr", "127.0.0.1:0")
	out := must(proxy.StdoutPipe())
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = proxy.Process.Kill(); _ = proxy.Wait() }()
	line := must(bufio.NewReader(out).ReadString('\n'))
	address := strings.TrimSpace(strings.TrimPrefix(line, "token endpoint"))
	ask := func(secret string, style oauth2.AuthStyle, scopes ...string) (*oauth2.Token, error) {
		cfg := oauthcc.Config{ClientID: id, ClientSecret: secret, TokenURL: address, AuthStyle: style, Scopes: scopes}
		return cfg.Token(context.Background())
	}
	tokens := map[string]bool{}
	for range 5 {
		for _, style := range []oauth2.AuthStyle{oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams} {
			for _, scope := range []string{"https://api.example.com/read", "https://api.example.com/write"} {
				token, err := ask(secret, style, scope)
				if err != nil {
					t.Fatal(err)
				}
				tokens[token.AccessToken] = true
			}
		}
	}
	if len(tokens) != 2 || asked() != 2 {
		t.Errorf("%d tokens and %d requests to the issuer, want one of each for each scope", len(tokens), asked())
	}
	if _, err := ask(secret+"x", oauth2.AuthStyleInHeader, "https://api.example.com/read"); err == nil || !strings.Contains(err.Error(), "invalid_client") {
		t.Errorf("a wrong secret: %v", err)
	}
	if _, err := ask(secret, oauth2.AuthStyleInHeader, "https://api.example.com/delete"); err == nil || !strings.Contains(err.Error(), "invalid_scope") {
		t.Errorf("a scope that the client has not: %v", err)
	}
}
