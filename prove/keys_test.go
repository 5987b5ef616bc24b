package prove_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/internal/jose"
	"github.com/countersign-dev/countersign/prove"
)

// issuerServer answers for discovery and keys; documents are by path, and {issuer} in them is its address.
func issuerServer(t *testing.T, documents map[string]string) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		document, ok := documents[r.URL.Path]
		switch {
		case !ok:
			w.WriteHeader(http.StatusNotFound)
		case strings.HasPrefix(document, "http"):
			http.Redirect(w, r, document, http.StatusFound)
		case document == "500":
			w.WriteHeader(http.StatusInternalServerError)
		default:
			fmt.Fprint(w, strings.ReplaceAll(document, "{issuer}", "http://"+r.Host))
		}
	}))
	t.Cleanup(server.Close)
	return server
}

func keySet(t testing.TB, keys map[string]crypto.Signer, alg jose.Algorithm) string {
	t.Helper()
	var jwks []string
	for kid, key := range keys {
		jwk, err := jose.AppendJWK(nil, key.Public(), kid, alg)
		if err != nil {
			t.Fatal(err)
		}
		jwks = append(jwks, string(jwk))
	}
	return `{"keys":[` + strings.Join(jwks, ",") + `]}`
}

const discovered = `{"issuer":"{issuer}/pool","jwks_uri":"{issuer}/keys"}`

// The tokens that abuse the public key run without the private one, and with the key that the token names: a Cognito pool has two.
func TestKeyConfusionIsFoundFromOutside(t *testing.T) {
	unused, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	set := keySet(t, map[string]crypto.Signer{"other": unused, "k": issuerKey()}, jose.RS256)
	p := policyOf(countersign.Route{Pattern: "GET /api/orders/{id}", Rule: countersign.Scope("orders.read")})
	for _, path := range []string{"/pool/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/pool"} {
		server := issuerServer(t, map[string]string{path: discovered, "/keys": set})
		keys, err := prove.FetchKeys(t.Context(), server.URL+"/pool", server.Client())
		if err != nil {
			t.Fatal(err)
		}
		for fault, want := range map[string]string{
			"hmac PEM": "HS256 with the public PEM", "hmac DER": "HS256 with the public DER", "hmac modulus": "HS256 with the modulus", "hmac JWK": "HS256 with the JWK",
		} {
			cfg := config(p, twin{fault})
			cfg.Signer, cfg.Keys = nil, keys
			if got := differences(run(t, cfg)); !slices.Equal(got, []string{"GET /api/orders/{id} / bad token " + want}) {
				t.Errorf("%s: %s: got %q", path, fault, got)
			}
		}
	}
}

// Keys of the other types are abused as well; only the modulus is RSA's.
func TestKeyConfusionByTypeOfKey(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := policyOf(countersign.Route{Pattern: "GET /a", Rule: countersign.Scope("orders.read")})
	for alg, key := range map[jose.Algorithm]crypto.Signer{jose.ES256: ec, jose.EdDSA: ed, jose.PS256: issuerKey()} {
		server := issuerServer(t, map[string]string{"/pool/.well-known/openid-configuration": discovered, "/keys": keySet(t, map[string]crypto.Signer{"k": key}, alg)})
		keys, err := prove.FetchKeys(t.Context(), server.URL+"/pool", nil)
		if err != nil {
			t.Fatal(err)
		}
		good, err := jose.Sign(key, alg, []byte(`{"kid":"k","alg":"`+string(alg)+`"}`), []byte(`{"scope":"`+read+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		report := run(t, prove.Config{Policy: p, Target: prove.Handler(status(http.StatusUnauthorized)), Keys: keys, Tokens: prove.Clients{{
			Scopes: []string{read}, Token: fixed(good),
		}}})
		for _, name := range []string{"public DER", "public PEM", "JWK", "modulus"} {
			row := find(t, report, "GET /a", "bad token HS256 with the "+name)
			if sent := row.State != prove.Unprovable; sent != (name != "modulus" || alg == jose.PS256) {
				t.Errorf("%s: %s: %s (%s)", alg, name, row.State, row.Note)
			}
		}
	}
}

func TestFetchKeysRefuses(t *testing.T) {
	set := keySet(t, map[string]crypto.Signer{"k": issuerKey()}, jose.RS256)
	const at = "/pool/.well-known/openid-configuration"
	for _, tt := range []struct {
		name      string
		documents map[string]string
		want      string
	}{
		{"no document", nil, "prove: discovery of the issuer's keys: the issuer has no discovery document"},
		{"rfc8414 s3.3: another issuer", map[string]string{at: `{"issuer":"{issuer}/pool/","jwks_uri":"{issuer}/keys"}`, "/keys": set}, "prove: discovery of the issuer's keys: the document is not this issuer's, or names no jwks_uri"},
		{"no jwks_uri", map[string]string{at: `{"issuer":"{issuer}/pool"}`}, "prove: discovery of the issuer's keys: the document is not this issuer's, or names no jwks_uri"},
		{"no JSON", map[string]string{at: `<html>`}, "prove: discovery of the issuer's keys: the document is not this issuer's, or names no jwks_uri"},
		{"keys over plain http", map[string]string{at: `{"issuer":"{issuer}/pool","jwks_uri":"http://keys.example.com/"}`}, "prove: key set of the issuer: the address is not https, and not this machine's"},
		{"a redirect", map[string]string{at: "https://elsewhere.example.com/"}, "prove: discovery of the issuer's keys: status 302"},
		{"issuer out of order", map[string]string{at: "500"}, "prove: discovery of the issuer's keys: status 500"},
		{"no keys", map[string]string{at: discovered, "/keys": `{"keys":[]}`}, "prove: key set of the issuer: jose: the JWK set has no key that can verify a signature"},
		{"too long", map[string]string{at: discovered, "/keys": strings.Repeat(" ", 1<<20) + set}, "prove: key set of the issuer: the answer is larger than 1 MiB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := issuerServer(t, tt.documents)
			keys, err := prove.FetchKeys(t.Context(), server.URL+"/pool", server.Client())
			if err == nil || err.Error() != tt.want || keys != nil {
				t.Errorf("got %v", err)
			}
		})
	}
	for _, issuer := range []string{"", "http://issuer.example.com", "https://a:b@issuer.example.com", "ftp://issuer.example.com", "https://issuer.example.com?x=1"} {
		if _, err := prove.FetchKeys(t.Context(), issuer, nil); err == nil || strings.Contains(err.Error(), "a:b") {
			t.Errorf("%q: %v", issuer, err)
		}
	}
}
