package cognito_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cognito"
)

// claimsOf returns header and payload of a token.
func partsOf(t *testing.T, token string) (header, payload string, input string, signature []byte) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("a token of %d parts", len(parts))
	}
	var raw [3][]byte
	for i := range parts {
		var err error
		if raw[i], err = base64.RawURLEncoding.DecodeString(parts[i]); err != nil {
			t.Fatal(err)
		}
	}
	return string(raw[0]), string(raw[1]), parts[0] + "." + parts[1], raw[2]
}

func (f *fixture) request(c cognito.UserPoolClient, scope string) cognito.TokenRequest {
	return cognito.TokenRequest{PoolID: f.pool, GrantType: "client_credentials", ClientID: c.ClientID, ClientSecret: c.ClientSecret, Scope: scope}
}

func scopeOf(t *testing.T, token string) string {
	t.Helper()
	_, payload, _, _ := partsOf(t, token)
	return member(t, []byte(payload), "scope")
}

// TestAccessToken: section 1.4 of what Cognito is known to do.
func TestAccessToken(t *testing.T) {
	f := newFixture(t)
	c := f.client("both", machine(writeScope, readScope))
	out := must(f.service.Token(t.Context(), f.request(c, "")))(t)
	if out.ExpiresIn != 3600 || out.TokenType != "Bearer" {
		t.Errorf("expires_in %d and token_type %s, want 3600 and Bearer", out.ExpiresIn, out.TokenType)
	}
	header, payload, input, signature := partsOf(t, out.AccessToken)
	kid, key, err := f.service.SigningKey(f.pool)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"kid":"` + strings.ReplaceAll(kid, "/", `\/`) + `","alg":"RS256"}`; header != want {
		t.Errorf("header %s, want %s", header, want)
	}
	if len(kid) != 44 || !strings.HasSuffix(kid, "=") {
		t.Errorf("kid %q, want 44 characters of standard base64", kid)
	}
	jti := strings.Trim(member(t, []byte(payload), "jti"), `"`)
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(jti) {
		t.Errorf("jti %q is no UUID of version 4", jti)
	}
	want := fmt.Sprintf(`{"sub":%q,"token_use":"access","scope":"%s %s","auth_time":%d,"iss":"http://localhost:8081/%s","exp":%d,"iat":%d,"version":2,"jti":%q,"client_id":%q}`,
		c.ClientID, writeScope, readScope, noon.Unix(), f.pool, noon.Unix()+3600, noon.Unix(), jti, c.ClientID)
	if payload != want {
		t.Errorf("payload\n got %s\nwant %s", payload, want)
	}
	digest := sha256.Sum256([]byte(input))
	if err := rsa.VerifyPKCS1v15(key.Public().(*rsa.PublicKey), crypto.SHA256, digest[:], signature); err != nil {
		t.Error(err)
	}
}

func TestEveryTokenIsDistinct(t *testing.T) {
	f := newFixture(t)
	seen := map[string]bool{}
	for range 20 {
		seen[must(f.service.Token(t.Context(), f.request(f.reader, "")))(t).AccessToken] = true
	}
	if len(seen) != 20 {
		t.Errorf("%d different tokens of 20 within one second", len(seen))
	}
}

func TestTokenErrors(t *testing.T) {
	f := newFixture(t)
	public := must(f.service.CreateUserPoolClient(t.Context(), cognito.CreateUserPoolClientInput{UserPoolID: f.pool, ClientName: "public"}))(t).UserPoolClient
	unflagged := machine(readScope)
	unflagged.AllowedOAuthFlowsUserPoolClient = false
	flagFalse := f.client("unflagged", unflagged)
	noFlow := f.client("noFlow", cognito.ClientSettings{})
	other := must(f.service.CreateUserPool(t.Context(), cognito.CreateUserPoolInput{PoolName: "other"}))(t).UserPool.ID

	wrong := f.reader
	wrong.ClientSecret += "x"
	edit := func(change func(*cognito.TokenRequest)) cognito.TokenRequest {
		r := f.request(f.reader, "")
		change(&r)
		return r
	}
	for _, tt := range []struct {
		name    string
		request cognito.TokenRequest
		code    string
		status  int
	}{
		{"rfc6749 s4.4.2: grant_type is required", edit(func(r *cognito.TokenRequest) { r.GrantType = "" }), "invalid_request", 400},
		{"cognito 1.2: another grant", edit(func(r *cognito.TokenRequest) { r.GrantType = "password" }), "unsupported_grant_type", 400},
		{"cognito 1.2: grant types are case-sensitive", edit(func(r *cognito.TokenRequest) { r.GrantType = "Client_Credentials" }), "unsupported_grant_type", 400},
		{"cognito 1.2 field: unknown client is 400 invalid_client", edit(func(r *cognito.TokenRequest) { r.ClientID = "nobody" }), "invalid_client", 400},
		{"cognito 1.2 field: wrong secret is 400 invalid_client", f.request(wrong, ""), "invalid_client", 400},
		{"chosen: no credentials", edit(func(r *cognito.TokenRequest) { r.ClientID, r.ClientSecret = "", "" }), "invalid_client", 400},
		{"empty secret of a client that has one", edit(func(r *cognito.TokenRequest) { r.ClientSecret = "" }), "invalid_client", 400},
		{"cognito 1.3: a client without a secret", f.request(public, ""), "invalid_client", 400},
		{"a client of another pool", edit(func(r *cognito.TokenRequest) { r.PoolID = other }), "invalid_client", 400},
		{"an unknown pool", edit(func(r *cognito.TokenRequest) { r.PoolID = "ap-southeast-1_000000000" }), "invalid_request", 404},
		{"cognito 1.2 inferred: flow not allowed", f.request(noFlow, ""), "unauthorized_client", 400},
		{"cognito 1.2 field: flag is false (boto3#3916)", f.request(flagFalse, ""), "invalid_grant", 400},
		{"cognito 1.3 field: scope of another client (simple-oauth2#168)", f.request(f.reader, writeScope), "invalid_scope", 400},
		{"cognito 1.3: one of two scopes is not the client's", f.request(f.reader, readScope+" "+writeScope), "invalid_scope", 400},
		{"cognito 1.3: openid is no scope of a machine", f.request(f.reader, "openid"), "invalid_scope", 400},
		{"rfc6749 s3.3: two spaces", f.request(f.reader, readScope+"  "+readScope), "invalid_scope", 400},
		{"rfc6749 s3.3: a quote", f.request(f.reader, `"`), "invalid_scope", 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := f.service.Token(t.Context(), tt.request)
			var e *cognito.TokenError
			if !errors.As(err, &e) || e.Code != tt.code || e.Status != tt.status || e.Reason == "" {
				t.Errorf("error %#v, want %s with status %d and a reason", err, tt.code, tt.status)
			}
		})
	}
}

func TestScopes(t *testing.T) {
	f := newFixture(t)
	c := f.client("both", machine(readScope, writeScope))
	token := func(scope string) string {
		t.Helper()
		return scopeOf(t, must(f.service.Token(t.Context(), f.request(c, scope)))(t).AccessToken)
	}
	check := func(name, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: scope %s, want %s", name, got, want)
		}
	}
	check("cognito 1.3: no scope is all scopes", token(""), `"`+readScope+" "+writeScope+`"`)
	check("chosen: order of the request", token(writeScope+" "+readScope), `"`+writeScope+" "+readScope+`"`)
	check("chosen: a repeated scope counts once", token(readScope+" "+readScope), `"`+readScope+`"`)

	scopes := func(names ...string) {
		t.Helper()
		in := cognito.UpdateResourceServerInput{UserPoolID: f.pool, Identifier: "https://api.example.com", Name: "Gateway"}
		for _, name := range names {
			in.Scopes = append(in.Scopes, cognito.ResourceServerScope{ScopeName: name, ScopeDescription: name})
		}
		must(f.service.UpdateResourceServer(t.Context(), in))(t)
	}
	scopes("demo.write")
	check("cognito 1.3: an inactive scope is left out", token(readScope+" "+writeScope), `"`+writeScope+`"`)
	check("cognito 1.3: also when no scope is asked for", token(""), `"`+writeScope+`"`)
	check("chosen: all inactive is no scope claim", token(readScope), "")
	scopes("demo.write", "demo.read")
	check("cognito 1.3: a scope that came back is active", token(readScope), `"`+readScope+`"`)
	must(f.service.DeleteResourceServer(t.Context(), cognito.DeleteResourceServerInput{UserPoolID: f.pool, Identifier: "https://api.example.com"}))(t)
	check("cloudformation-coverage-roadmap#173: the server may go", token(""), "")
}

func TestAccessTokenValidity(t *testing.T) {
	f := newFixture(t)
	for _, tt := range []struct {
		name  string
		value int
		units *cognito.TokenValidityUnits
		want  time.Duration
	}{
		{"cognito 1.6: default is one hour", 0, nil, time.Hour},
		{"cognito 1.6: default unit is hours", 2, nil, 2 * time.Hour},
		{"cognito 1.6: 5 minutes", 5, &cognito.TokenValidityUnits{AccessToken: "minutes"}, 5 * time.Minute},
		{"cognito 1.6: 300 seconds", 300, &cognito.TokenValidityUnits{AccessToken: "seconds"}, 5 * time.Minute},
		{"cognito 1.6: 1 day", 1, &cognito.TokenValidityUnits{AccessToken: "days"}, 24 * time.Hour},
		{"cognito 1.6: 24 hours", 24, nil, 24 * time.Hour},
		{"a unit without a value", 0, &cognito.TokenValidityUnits{AccessToken: "days"}, time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			settings := machine(readScope)
			settings.AccessTokenValidity, settings.TokenValidityUnits = tt.value, tt.units
			out := must(f.service.Token(t.Context(), f.request(f.client("c", settings), "")))(t)
			_, payload, _, _ := partsOf(t, out.AccessToken)
			var claims struct{ Exp, Iat int64 }
			if err := json.Unmarshal([]byte(payload), &claims); err != nil {
				t.Fatal(err)
			}
			if got := time.Duration(out.ExpiresIn) * time.Second; got != tt.want || claims.Exp-claims.Iat != int64(out.ExpiresIn) {
				t.Errorf("expires_in %v and exp-iat %d, want %v", got, claims.Exp-claims.Iat, tt.want)
			}
		})
	}
}

// TestKeySet verifies a token with nothing but the published key set, as a resource server does.
func TestKeySet(t *testing.T) {
	f := newFixture(t)
	w := wire{t, cognito.Handler(f.service, cognito.HandlerConfig{})}
	res := w.do(mustRequest("GET", "/"+f.pool+"/.well-known/jwks.json"))
	var set struct {
		Keys []struct{ Alg, E, Kid, Kty, N, Use string }
	}
	if err := json.Unmarshal(res.Body.Bytes(), &set); err != nil || len(set.Keys) != 2 || set.Keys[0].Kid == set.Keys[1].Kid {
		t.Fatalf("cognito 1.5: two keys are wanted, got %s (%v)", res.Body, err)
	}
	header, _, input, signature := partsOf(t, must(f.service.Token(t.Context(), f.request(f.reader, "")))(t).AccessToken)
	kid := member(t, []byte(header), "kid")
	verified := false
	for _, k := range set.Keys {
		if k.Alg != "RS256" || k.E != "AQAB" || k.Kty != "RSA" || k.Use != "sig" {
			t.Errorf("key %+v", k)
		}
		var id string
		if err := json.Unmarshal([]byte(kid), &id); err != nil {
			t.Fatal(err)
		}
		if k.Kid != id {
			continue
		}
		n, err := base64.RawURLEncoding.DecodeString(k.N)
		if err != nil {
			t.Fatal(err)
		}
		digest := sha256.Sum256([]byte(input))
		pub := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537}
		verified = rsa.VerifyPKCS1v15(pub, crypto.SHA256, digest[:], signature) == nil
	}
	if !verified {
		t.Error("no published key verifies the token")
	}
}
