package serve_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/countersign-dev/countersign/cmd/countersign/issuer"
	"github.com/countersign-dev/countersign/cmd/countersign/serve"
)

// running is a server with a pool and a client in it.
type running struct {
	*serve.Server
	config *serve.Config
	pool   string
	client types.UserPoolClientType
}

// configure writes a configuration file with access keys beside it.
func configure(t *testing.T, more string) *serve.Config {
	t.Helper()
	if !strings.Contains(more, "keys:") { // which cost nothing to make
		more += "keys: {algorithms: {orders: ES256}}\n"
	}
	path := write(t, "issuer.yaml", `listen: localhost:0
store: {sqlite: data/issuer.db}
sealKey: data/seal.key
credentials: keys.yaml
admin: {listen: "localhost:0"}
`+more)
	for name, role := range map[string]issuer.Role{"deployer": issuer.Admin, "dashboard": issuer.ReadOnly} {
		if _, err := serve.AddAccessKey(filepath.Join(filepath.Dir(path), "keys.yaml"), name, role); err != nil {
			t.Fatal(err)
		}
	}
	c, err := serve.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func start(t *testing.T, c *serve.Config) *serve.Server {
	t.Helper()
	s, err := serve.Start(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// admin calls the JSON API as AWS tools do.
func admin(t *testing.T, s *serve.Server, c *serve.Config, user string, options ...func(*idp.Options)) *idp.Client {
	t.Helper()
	keys, err := serve.ReadAccessKeys(c.Credentials)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if key.Name == user {
			provider := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: key.AccessKeyID, SecretAccessKey: key.SecretAccessKey.Reveal()}, nil
			})
			return idp.New(idp.Options{Region: c.Region, BaseEndpoint: aws.String(s.Issuer()), Credentials: provider}, options...)
		}
	}
	t.Fatalf("there is no user %s", user)
	return nil
}

// provision makes a pool with a machine.
func provision(t *testing.T, api *idp.Client) (pool string, client types.UserPoolClientType) {
	t.Helper()
	made, err := api.CreateUserPool(t.Context(), &idp.CreateUserPoolInput{PoolName: aws.String("orders")})
	if err != nil {
		t.Fatal(err)
	}
	_, err = api.CreateResourceServer(t.Context(), &idp.CreateResourceServerInput{
		UserPoolId: made.UserPool.Id, Identifier: aws.String("https://api.example.com"), Name: aws.String("api"),
		Scopes: []types.ResourceServerScopeType{{ScopeName: aws.String("demo.read"), ScopeDescription: aws.String("read")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	machine, err := api.CreateUserPoolClient(t.Context(), &idp.CreateUserPoolClientInput{
		UserPoolId: made.UserPool.Id, ClientName: aws.String("reader"), GenerateSecret: true,
		AllowedOAuthFlows: []types.OAuthFlowType{"client_credentials"}, AllowedOAuthFlowsUserPoolClient: true,
		AllowedOAuthScopes: []string{"https://api.example.com/demo.read"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return *made.UserPool.Id, *machine.UserPoolClient
}

// begin is a server that is up, with a pool and a client.
func begin(t *testing.T, more string) running {
	t.Helper()
	c := configure(t, "drain: {wait: 0s}\n"+more)
	s := start(t, c)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	pool, client := provision(t, admin(t, s, c, "deployer"))
	return running{s, c, pool, client}
}

// token asks for a token and returns the status and the token.
func (r running) token(t *testing.T, client *http.Client) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.Issuer()+"/"+r.pool+"/oauth2/token",
		strings.NewReader(url.Values{"grant_type": {"client_credentials"}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(*r.client.ClientId, *r.client.ClientSecret)
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var body struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, body.AccessToken
}

// get returns the status and the body.
func get(t *testing.T, client *http.Client, address string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

func TestTokens(t *testing.T) {
	r := begin(t, "")
	if status, token := r.token(t, http.DefaultClient); status != http.StatusOK || strings.Count(token, ".") != 2 {
		t.Errorf("status %d", status)
	}
	for _, address := range []string{r.Issuer(), "http://" + r.AdminAddress()} {
		for _, path := range []string{"/healthz", "/readyz"} {
			if status, body := get(t, http.DefaultClient, address+path); status != http.StatusOK || body != "ok\n" {
				t.Errorf("%s: %d %q", path, status, body)
			}
		}
	}
}

// TestEverythingIsThereAfterARestart: what was acknowledged is durable.
func TestEverythingIsThereAfterARestart(t *testing.T) {
	c := configure(t, "drain: {wait: 0s}\n")
	s := start(t, c)
	pool, client := provision(t, admin(t, s, c, "deployer"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := start(t, c)
	defer again.Close()
	if status, _ := (running{again, c, pool, client}).token(t, http.DefaultClient); status != http.StatusOK {
		t.Errorf("status %d", status)
	}
}

func TestCheckStartsNothing(t *testing.T) {
	c := configure(t, "")
	if err := serve.Check(t.Context(), c, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	c.Credentials = filepath.Join(t.TempDir(), "none.yaml")
	if err := serve.Check(t.Context(), c, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "issuer.yaml:4:14: credentials: ") ||
		!strings.Contains(err.Error(), "make it with: countersign issuer credentials add") {
		t.Errorf("got %v", err)
	}
}

// TestCheckFindsWhatAStartFinds: an audit trail or a count that cannot be written keeps an issuer from starting.
func TestCheckFindsWhatAStartFinds(t *testing.T) {
	for _, tt := range []struct{ name, more, want string }{
		{"the trail's directory is missing", "audit: {file: missing/audit.jsonl}\n", ":6:15: audit.file: "},
		{"the counts go where a file is", "usage: issuer.yaml/usage\n", ":6:8: usage: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := configure(t, tt.more)
			checked := serve.Check(t.Context(), c, slog.New(slog.DiscardHandler))
			_, started := serve.Start(t.Context(), c, slog.New(slog.DiscardHandler))
			for _, err := range []error{checked, started} {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want %s", err, tt.want)
				}
			}
		})
	}
}
