package cognito_test

import (
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

// TestTokenEndpointOfAWSIssuer: with AWS's own issuer the token endpoint is at the pool's prefix domain, as Cognito has it.
func TestTokenEndpointOfAWSIssuer(t *testing.T) {
	s := must(cognito.New(t.Context(), cognito.Config{NewKey: cheapKey, Region: "ap-southeast-1"}))(t)
	w := wire{t, cognito.Handler(s, cognito.HandlerConfig{})}
	for _, c := range []struct{ kind, issuer string }{{"ORIGINAL", "https://cognito-idp."}, {"UPDATED", "https://issuer-cognito-idp."}} {
		pool := must(s.CreateUserPool(t.Context(), cognito.CreateUserPoolInput{PoolName: "p", IssuerConfiguration: &cognito.IssuerConfiguration{Type: c.kind}}))(t).UserPool.ID
		issuer := c.issuer + "ap-southeast-1.amazonaws.com/" + pool
		document := func(name string) string {
			return member(t, w.do(mustRequest("GET", "/"+pool+"/.well-known/openid-configuration")).Body.Bytes(), name)
		}
		if got := document("token_endpoint"); got != `"`+issuer+`/oauth2/token"` {
			t.Errorf("%s, without a domain: %s", c.kind, got)
		}
		prefix := "demo-" + map[string]string{"ORIGINAL": "a", "UPDATED": "b"}[c.kind]
		must(s.CreateUserPoolDomain(t.Context(), cognito.CreateUserPoolDomainInput{UserPoolID: pool, Domain: prefix}))(t)
		if got := document("token_endpoint"); got != `"https://`+prefix+`.auth.ap-southeast-1.amazoncognito.com/oauth2/token"` {
			t.Errorf("%s: %s", c.kind, got)
		}
		if got := document("jwks_uri"); got != `"`+issuer+`/.well-known/jwks.json"` || document("issuer") != `"`+issuer+`"` {
			t.Errorf("%s: %s", c.kind, got)
		}
	}
}
