package prove_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/internal/jose"
	"github.com/countersign-dev/countersign/prove"
)

const (
	issuerURL = "https://issuer.test/eu-west-1_AbCdEf123"
	resource  = "https://orders.example.com"
	read      = resource + "/orders.read"
	write     = resource + "/orders.write"
	other     = resource + "/orders.other"
)

var issuerKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// memory is issuerKey, which signs the same only once: RSASSA-PKCS1-v1_5 is deterministic, and these tests sign the same some
// thousand times.
type memory struct{ *rsa.PrivateKey }

var signatures sync.Map

func (m memory) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if known, ok := signatures.Load(string(digest)); ok {
		return known.([]byte), nil
	}
	signature, err := m.PrivateKey.Sign(rand, digest, opts)
	signatures.Store(string(digest), signature)
	return signature, err
}

// start is when all tokens of these tests were issued.
var start = time.Now()

// fakeIssuer signs tokens like Cognito's and counts them.
type fakeIssuer struct {
	grants [][]string
	asked  []string
	err    error
	give   func(scopes []string) []string // nil gives what was asked for
}

func newIssuer() *fakeIssuer { return &fakeIssuer{grants: [][]string{{read, write, other}}} }

func (f *fakeIssuer) Grants() [][]string { return f.grants }

func (f *fakeIssuer) Token(_ context.Context, scopes []string) (string, error) {
	f.asked = append(f.asked, strings.Join(scopes, " "))
	if f.err != nil {
		return "", f.err
	}
	if f.give != nil {
		scopes = f.give(scopes)
	}
	if len(scopes) == 0 {
		scopes = []string{other}
	}
	return signed(strings.Join(scopes, " ")), nil
}

func signed(scope string) string {
	now := start.Unix()
	claims, err := json.Marshal(map[string]any{
		"iss": issuerURL, "sub": "client", "client_id": "client", "token_use": "access", "version": 2, "jti": "7",
		"auth_time": now, "iat": now, "exp": now + 3600, "scope": scope,
	})
	if err != nil {
		panic(err)
	}
	token, err := jose.Sign(memory{issuerKey()}, jose.RS256, []byte(`{"kid":"k","alg":"RS256"}`), claims)
	if err != nil {
		panic(err)
	}
	return token
}

// newGuard is the production guard, for the tokens of fakeIssuer.
func newGuard(t testing.TB, edits ...func(*countersign.Config)) *countersign.Guard {
	t.Helper()
	jwk, err := jose.AppendJWK(nil, issuerKey().Public(), "k", jose.RS256)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(file, []byte(`{"keys":[`+string(jwk)+`]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := countersign.Config{Issuer: issuerURL, Resource: resource, KeysFile: file, Logger: slog.New(slog.DiscardHandler)}
	for _, edit := range edits {
		edit(&cfg)
	}
	guard, err := countersign.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { guard.Close() })
	return guard
}

func ok(w http.ResponseWriter, r *http.Request) {}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code) }
}

// ordersAPI has a route for each kind of rule.
func ordersAPI(t testing.TB) *countersign.Mux {
	api := newGuard(t).Mux()
	api.HandleFunc("GET /orders/{id}", ok, countersign.Scope("orders.read"))
	api.HandleFunc("POST /orders", status(http.StatusCreated), countersign.Scope("orders.write"))
	api.HandleFunc("DELETE /orders/{id}", status(http.StatusNoContent), countersign.AllScopes("orders.read", "orders.write"))
	api.HandleFunc("GET /orders/", ok, countersign.AnyScope("orders.read", "orders.write"))
	api.HandleFunc("/whoami", ok, countersign.Authenticated())
	api.HandleFunc("GET /healthz", ok, countersign.Public("liveness probe"))
	return api
}

func config(p countersign.Policy, h http.Handler) prove.Config {
	return prove.Config{Policy: p, Target: prove.Handler(h), Tokens: newIssuer(), Signer: memory{issuerKey()}, Now: func() time.Time { return start }}
}

func run(t testing.TB, cfg prove.Config) prove.Report {
	t.Helper()
	report, err := prove.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// differences are the cases that were not as demanded.
func differences(r prove.Report) []string {
	var all []string
	for _, row := range r.Rows {
		if row.State == prove.Different {
			all = append(all, row.Route+" / "+row.Case)
		}
	}
	return all
}

func find(t testing.TB, r prove.Report, route, name string) prove.Row {
	t.Helper()
	i := slices.IndexFunc(r.Rows, func(row prove.Row) bool { return row.Route == route && row.Case == name })
	if i < 0 {
		t.Fatalf("the report has no %s / %s", route, name)
	}
	return r.Rows[i]
}

var errIssuerDown = errors.New("the issuer is down")

// fixed mints the same token whatever is asked for.
func fixed(token string) func(context.Context, []string) (string, error) {
	return func(context.Context, []string) (string, error) { return token, nil }
}
