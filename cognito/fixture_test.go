package cognito_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cognito"
)

// rsaKeys are generated once: a pool of every test would otherwise cost two keys.
var rsaKeys = sync.OnceValue(func() (keys [4]crypto.Signer) {
	for i := range keys {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys[i] = key
	}
	return keys
})

var nextKey atomic.Uint32

func cheapKey() (crypto.Signer, error) { return rsaKeys()[nextKey.Add(1)%4], nil }

// noon is what the clock of these tests says.
var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// fixture is a service with the pool that the seed of most stories is: one resource server, two scopes, one reader.
type fixture struct {
	t       *testing.T
	service *cognito.Service
	store   cognito.Store
	pool    string
	reader  cognito.UserPoolClient
}

const (
	readScope  = "https://api.example.com/demo.read"
	writeScope = "https://api.example.com/demo.write"
)

func newService(t testing.TB, config cognito.Config) *cognito.Service {
	t.Helper()
	if config.NewKey == nil {
		config.NewKey = cheapKey
	}
	if config.Now == nil {
		config.Now = func() time.Time { return noon }
	}
	if config.BaseURL == "" {
		config.BaseURL = "http://localhost:8081"
	}
	if config.Region == "" {
		config.Region = "ap-southeast-1"
	}
	s, err := cognito.New(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	store := cognito.NewMemoryStore()
	f := &fixture{t: t, service: newService(t, cognito.Config{Store: store}), store: store}
	pool := must(f.service.CreateUserPool(t.Context(), cognito.CreateUserPoolInput{PoolName: "demo"}))(t)
	f.pool = pool.UserPool.ID
	must(f.service.CreateResourceServer(t.Context(), cognito.CreateResourceServerInput{
		UserPoolID: f.pool, Identifier: "https://api.example.com", Name: "Gateway",
		Scopes: []cognito.ResourceServerScope{{ScopeName: "demo.read", ScopeDescription: "read"}, {ScopeName: "demo.write", ScopeDescription: "write"}},
	}))(t)
	f.reader = f.client("reader", machine(readScope))
	return f
}

// machine returns the settings of a client of the client_credentials grant.
func machine(scopes ...string) cognito.ClientSettings {
	return cognito.ClientSettings{
		AllowedOAuthFlows: []string{"client_credentials"}, AllowedOAuthScopes: scopes, AllowedOAuthFlowsUserPoolClient: true,
	}
}

func (f *fixture) client(name string, settings cognito.ClientSettings) cognito.UserPoolClient {
	f.t.Helper()
	return must(f.service.CreateUserPoolClient(f.t.Context(), cognito.CreateUserPoolClientInput{
		UserPoolID: f.pool, ClientName: name, GenerateSecret: true, ClientSettings: settings,
	}))(f.t).UserPoolClient
}

// must ends the test on an error.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// wantAPIError holds err to a code and, if text is not empty, to the whole text.
func wantAPIError(t *testing.T, err error, code, text string) {
	t.Helper()
	var e *cognito.APIError
	switch {
	case code == "" && err == nil:
	case !errors.As(err, &e):
		t.Errorf("error %v, want %s", err, code)
	case e.Code != code:
		t.Errorf("%s: %s, want %s", e.Code, e.Message, code)
	case text != "" && e.Message != text:
		t.Errorf("message\n got %s\nwant %s", e.Message, text)
	}
}

// wire sends requests to a handler in process.
type wire struct {
	t       testing.TB
	handler http.Handler
}

func (w wire) do(r *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	return rec
}

// call sends a call of the JSON API.
func (w wire) call(operation, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService."+operation)
	return w.do(r)
}

// form makes a token request with the client's credentials in the Authorization header.
func tokenRequest(pool string, c cognito.UserPoolClient, form string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/"+pool+"/oauth2/token", strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if c.ClientID != "" {
		r.SetBasicAuth(c.ClientID, c.ClientSecret.Reveal())
	}
	return r
}

// member returns a member of a JSON object as compact JSON, or "" when it is absent.
func member(t testing.TB, body []byte, path ...string) string {
	t.Helper()
	for _, name := range path {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(body, &object); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		body = object[name]
	}
	if body == nil {
		return ""
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, body); err != nil {
		t.Fatal(err)
	}
	return compact.String()
}
