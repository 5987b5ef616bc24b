package countersign_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign"
)

// The policy is served as any other resource is: by its rule, and as it stands when it is asked for.
func TestPolicyHandler(t *testing.T) {
	guard := newIssuer(pool).guard(t, nil)
	api := guard.Mux()
	api.Handle("GET /policy", guard.PolicyHandler(), countersign.Scope("policy.read"))
	api.HandleFunc("GET /later", func(http.ResponseWriter, *http.Request) {}, countersign.Public("registered after the handler"))

	if res := serve(api, "GET", "/policy"); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a token: status %d", res.StatusCode)
	}
	res := serve(api, "GET", "/policy", "Bearer "+scoped("policy.read"))
	if res.StatusCode != http.StatusOK {
		t.Fatalf("status %d", res.StatusCode)
	}
	document, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	policy, err := countersign.ParsePolicy(document)
	if err != nil {
		t.Fatal(err)
	}
	if changes := countersign.Diff(guard.Policy(), policy); len(policy.Routes) != 2 || len(changes) > 0 {
		t.Errorf("the policy that is served differs: %v", changes)
	}
}

// What a token claims is shown to a person, whose terminal obeys some characters.
func TestExplainShowsNoCharacterThatATerminalObeys(t *testing.T) {
	const hostile = "\u009b31m\u202e\x7f\u2028"
	token := sign(cognitoHeader, cognitoClaims.with("aud", `"`+hostile+`"`).with("scope", `["`+hostile+`"]`).with("client_id", `"`+hostile+`"`))
	checks := newIssuer(pool).guard(t, nil).Explain(t.Context(), token, countersign.Authenticated()).Checks
	if len(checks) < 10 {
		t.Errorf("%d checks", len(checks))
	}
	for _, check := range checks {
		if strings.ContainsAny(check.String(), hostile[:2]+"\u202e\x7f\u2028") {
			t.Errorf("%q", check)
		}
	}
}

// A token that satisfies nothing is explained by the reason for which the guard refuses it.
func TestExplainHasTheReasonOfTheDecision(t *testing.T) {
	guard := newIssuer(pool).guard(t, nil)
	elsewhere := sign(cognitoHeader, cognitoClaims.with("scope", `"https://other.example/demo.read"`))
	for _, rule := range []countersign.Rule{countersign.Client("another"), countersign.Client(client), countersign.Authenticated(), countersign.Scope("demo.read")} {
		_, err := guard.Authorize(t.Context(), elsewhere, rule)
		if refused := guard.Explain(t.Context(), elsewhere, rule).Refused(); err == nil || !errors.Is(err, refused) {
			t.Errorf("%s: refused because of %v, explained as %q", rule, err, refused)
		}
	}
}

func TestExplainWithoutAGuard(t *testing.T) {
	for _, test := range []struct {
		name, token string
		want        countersign.Reason
	}{
		{"good form", scoped("demo.read"), ""},
		{"of whom it is good nobody knows", attacker(cognitoHeader, cognitoClaims), ""},
		{"RFC 7515 s7.1: two parts", "a.b", countersign.MalformedToken},
		{"RFC 7515 s4.1.11: crit", sign(cognitoHeader.with("crit", `["x"]`), cognitoClaims), countersign.BadHeader},
		{"RFC 7519 s4: claims twice", sign(cognitoHeader, cognitoClaims.also("exp", "1")), countersign.BadClaims},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := countersign.Explain(test.token).Refused(); got != test.want {
				t.Errorf("refused %q, want %q", got, test.want)
			}
		})
	}
}
