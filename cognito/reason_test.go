package cognito_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

// TestReasons: the bare body on the wire is Cognito's; the header tells a developer what is behind it.
func TestReasons(t *testing.T) {
	f := newFixture(t)
	closed := machine(readScope)
	closed.AllowedOAuthFlowsUserPoolClient = false
	flagged := f.client("flag false", closed)
	public := must(f.service.CreateUserPoolClient(t.Context(), cognito.CreateUserPoolClientInput{UserPoolID: f.pool, ClientName: "public"}))(t).UserPoolClient
	wrong := f.reader
	wrong.ClientSecret = "wrong"
	for _, c := range []struct {
		name, form   string
		client       cognito.UserPoolClient
		code, reason string
	}{
		{"unknown client", "grant_type=client_credentials", cognito.UserPoolClient{ClientID: "nobody", ClientSecret: "s"}, "invalid_client", "there is no such app client"},
		{"wrong secret", "grant_type=client_credentials", wrong, "invalid_client", "the client secret is wrong"},
		{"no secret", "grant_type=client_credentials&client_id=" + public.ClientID, cognito.UserPoolClient{}, "invalid_client", "the app client has no secret"},
		{"flag false", "grant_type=client_credentials", flagged, "invalid_grant", "AllowedOAuthFlowsUserPoolClient of the app client is false"},
		{"scope not granted", "grant_type=client_credentials&scope=" + writeScope, f.reader, "invalid_scope", "the scope " + writeScope + " is not one of the app client's AllowedOAuthScopes"},
		{"scope misspelt", "grant_type=client_credentials&scope=demo.read", f.reader, "invalid_scope", "a requested scope is neither"},
		{"grant type", "grant_type=password", f.reader, "unsupported_grant_type", "client_credentials grant only"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, told := range []bool{true, false} {
				w := wire{t, cognito.Handler(f.service, cognito.HandlerConfig{Reasons: told})}
				res := w.do(tokenRequest(f.pool, c.client, c.form))
				if body := res.Body.String(); body != `{"error":"`+c.code+`"}` {
					t.Errorf("body %s", body)
				}
				if got := res.Header().Get("countersign-reason"); told && !strings.Contains(got, c.reason) || !told && got != "" {
					t.Errorf("reasons %t: countersign-reason: %q", told, got)
				}
			}
		})
	}
}

// TestReasonOfGetClientToken: the other door tells the same.
func TestReasonOfGetClientToken(t *testing.T) {
	f := newFixture(t)
	w := wire{t, cognito.Handler(f.service, cognito.HandlerConfig{Reasons: true})}
	for secret, want := range map[string]string{
		"wrong_secret_of_thirty_chars__": "the client secret is wrong",
		f.reader.ClientSecret.Reveal():   "ALLOW_CLIENT_TOKEN_AUTH is not one of the app client's ExplicitAuthFlows",
	} {
		res := w.call("GetClientToken", `{"ClientId":"`+f.reader.ClientID+`","Secret":"`+secret+`"}`)
		if got := res.Header().Get("countersign-reason"); res.Code != http.StatusBadRequest || got != want {
			t.Errorf("%d, countersign-reason: %q, want %q", res.Code, got, want)
		}
	}
}

// TestReasonHoldsNothingOfTheRequest: a secret in the wrong place is not sent back, and no name breaks the header.
func TestReasonHoldsNothingOfTheRequest(t *testing.T) {
	f := newFixture(t)
	w := wire{t, cognito.Handler(f.service, cognito.HandlerConfig{Reasons: true})}
	const pasted = "pasted_into_the_wrong_place_2026"
	for _, form := range []string{
		"grant_type=" + pasted, "grant_type=client_credentials&scope=" + pasted, "grant_type=client_credentials&scope=" + strings.Repeat("x", 60000),
		"grant_type=client_credentials&client_id=" + pasted, "grant_type=client_credentials&scope=a%0d%0ab", pasted + "=%zz",
	} {
		got := w.do(tokenRequest(f.pool, f.reader, form)).Header().Get("countersign-reason")
		if got == "" || strings.Contains(got, pasted) || len(got) > 500 || strings.ContainsAny(got, "\r\n") {
			t.Errorf("countersign-reason of %.60s: %q", form, got)
		}
	}
	long := "https://api.example.com/" + strings.Repeat("s", 200)
	must(f.service.UpdateResourceServer(t.Context(), cognito.UpdateResourceServerInput{
		UserPoolID: f.pool, Identifier: "https://api.example.com", Name: "Gateway",
		Scopes: []cognito.ResourceServerScope{{ScopeName: strings.Repeat("s", 200), ScopeDescription: "d"}},
	}))(t)
	if got := w.do(tokenRequest(f.pool, f.reader, "grant_type=client_credentials&scope="+long)).Header().Get("countersign-reason"); !strings.Contains(got, long) {
		t.Errorf("countersign-reason: %q", got)
	}
}
