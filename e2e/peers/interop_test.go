package peers

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jwt"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/countersign-dev/countersign"
)

// listening is a user pool whose issuer listens on this machine.
func listening(t *testing.T) (userPool, *httptest.Server) {
	t.Helper()
	var p userPool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	p = newUserPool(t, server.URL)
	return p, server
}

// TestOtherClientsGetTokens: golang.org/x/oauth2 asks the token endpoint in both ways of RFC 6749, Section 2.3.1, and finds the right one out by itself.
func TestOtherClientsGetTokens(t *testing.T) {
	p, server := listening(t)
	for name, style := range map[string]oauth2.AuthStyle{"header": oauth2.AuthStyleInHeader, "form": oauth2.AuthStyleInParams, "found out": oauth2.AuthStyleAutoDetect} {
		t.Run(name, func(t *testing.T) {
			cfg := clientcredentials.Config{
				ClientID: p.client, ClientSecret: p.secret.Reveal(), TokenURL: p.issuer + "/oauth2/token", Scopes: poolScopes[:1], AuthStyle: style,
			}
			token, err := cfg.Token(context.WithValue(t.Context(), oauth2.HTTPClient, server.Client()))
			if err != nil {
				t.Fatal(err)
			}
			if token.Type() != "Bearer" || !token.Valid() || token.Expiry.IsZero() || token.RefreshToken != "" {
				t.Errorf("type %q, expiry %v", token.Type(), token.Expiry)
			}
		})
	}
	t.Run("wrong secret", func(t *testing.T) {
		cfg := clientcredentials.Config{ClientID: p.client, ClientSecret: "wrong", TokenURL: p.issuer + "/oauth2/token", AuthStyle: oauth2.AuthStyleInHeader}
		_, err := cfg.Token(t.Context())
		if e, ok := err.(*oauth2.RetrieveError); !ok || e.ErrorCode != "invalid_client" {
			t.Errorf("%v", err)
		}
	})
}

// TestOtherVerifiersReadTokens: go-oidc and jwx start from the issuer's URL, find the keys, and verify. Neither knows Cognito.
func TestOtherVerifiersReadTokens(t *testing.T) {
	p, server := listening(t)
	token := p.token(t, poolScopes[0])
	t.Run("go-oidc", func(t *testing.T) {
		ctx := oidc.ClientContext(t.Context(), server.Client())
		provider, err := oidc.NewProvider(ctx, p.issuer) // refuses a document whose issuer is not this one
		if err != nil {
			t.Fatal(err)
		}
		// Cognito: an access token of a machine has no aud.
		verified, err := provider.Verifier(&oidc.Config{SkipClientIDCheck: true}).Verify(ctx, token)
		if err != nil {
			t.Fatal(err)
		}
		var claims struct {
			Scope string `json:"scope"`
			Use   string `json:"token_use"`
		}
		if err := verified.Claims(&claims); err != nil || claims.Scope != poolScopes[0] || claims.Use != "access" || verified.Subject != p.client {
			t.Errorf("%+v, sub %q, %v", claims, verified.Subject, err)
		}
		if endpoint := provider.Endpoint().TokenURL; endpoint != p.issuer+"/oauth2/token" {
			t.Errorf("token endpoint %q", endpoint)
		}
		if verified, err = provider.Verifier(&oidc.Config{SkipClientIDCheck: true}).Verify(ctx, token[:len(token)-4]+"AAAA"); err == nil {
			t.Errorf("it verifies a spoilt signature: %v", verified)
		}
	})
	t.Run("jwx", func(t *testing.T) {
		keys, err := jwk.Fetch(t.Context(), p.issuer+"/.well-known/jwks.json", jwk.WithHTTPClient(server.Client()))
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := jwt.Parse([]byte(token), jwt.WithKeySet(keys), jwt.WithIssuer(p.issuer), jwt.WithRequiredClaim("exp"), jwt.WithClaimValue("token_use", "access"))
		if err != nil {
			t.Fatal(err)
		}
		var scope string
		if err := parsed.Get("scope", &scope); err != nil || scope != poolScopes[0] {
			t.Errorf("scope %q, %v", scope, err)
		}
	})
}

// TestOurGuardTakesWhatOtherClientsSend: the whole way with nothing of ours on the client's side.
func TestOurGuardTakesWhatOtherClientsSend(t *testing.T) {
	p, server := listening(t)
	guard, err := countersign.New(countersign.Config{Issuer: p.issuer, Resource: resource, Profile: countersign.Cognito, HTTPClient: server.Client()})
	if err != nil {
		t.Fatal(err)
	}
	defer guard.Close()
	api := guard.Mux()
	api.HandleFunc("GET /demo", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, strings.Join(countersign.CallerFrom(r.Context()).Scopes, " "))
	}, countersign.Scope("demo.read"))
	service := httptest.NewServer(api)
	defer service.Close()
	for _, test := range []struct {
		scopes []string
		want   int
	}{{poolScopes[:1], 200}, {poolScopes[1:], 403}, {nil, 200}} {
		cfg := clientcredentials.Config{ClientID: p.client, ClientSecret: p.secret.Reveal(), TokenURL: p.issuer + "/oauth2/token", Scopes: test.scopes}
		res, err := cfg.Client(t.Context()).Get(service.URL + "/demo")
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != test.want || test.want == 200 && !slices.Contains(strings.Fields(string(body)), "demo.read") {
			t.Errorf("scopes %q: %d %s", test.scopes, res.StatusCode, body)
		}
	}
}
