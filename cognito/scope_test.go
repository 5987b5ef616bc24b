package cognito_test

import (
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

// TestDisallowedScopes: refused, or, where that was asked for, left out, at both doors.
func TestDisallowedScopes(t *testing.T) {
	f := newFixture(t)
	api := f.client("api", cognito.ClientSettings{ExplicitAuthFlows: []string{"ALLOW_CLIENT_TOKEN_AUTH"}, AllowedOAuthScopes: []string{readScope}})
	for _, c := range []struct {
		ignore bool
		want   string
	}{{false, ""}, {true, `"` + readScope + `"`}} {
		s := newService(t, cognito.Config{Store: f.store, IgnoreDisallowedScopes: c.ignore})
		in := f.asking(nil)
		in.Scope = writeScope + " " + readScope
		token, err := s.Token(t.Context(), in)
		if (err == nil) != c.ignore || err == nil && scopeOf(t, token.AccessToken) != c.want {
			t.Errorf("ignore %t, token endpoint: %v", c.ignore, err)
		}
		out, err := s.GetClientToken(t.Context(), cognito.GetClientTokenInput{ClientID: api.ClientID, Secret: api.ClientSecret, Scopes: []string{writeScope, readScope}})
		if (err == nil) != c.ignore || err == nil && scopeOf(t, out.ClientAuthenticationResult.AccessToken) != c.want {
			t.Errorf("ignore %t, GetClientToken: %v", c.ignore, err)
		}
	}
}
