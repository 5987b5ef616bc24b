package countersign_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/internal/oauth"
)

// Scopes are one grammar in both of their forms, and bounded in both.
func TestScopesAreExactAndBounded(t *testing.T) {
	guard := newIssuer(pool).guard(t, nil)
	scopes := func(value string) string { return sign(cognitoHeader, cognitoClaims.with("scope", value)) }
	both := `https://api.example.com/demo.read https://api.example.com/demo.list`
	many := func(n int) string { return both + strings.Repeat(" a", n-2) }
	run(t, guard, []probe{
		{"limits: as many scopes as anyone has", scopes(`"` + many(oauth.MaxScopes) + `"`), ""},
		{"limits: one scope more", scopes(`"` + many(oauth.MaxScopes+1) + `"`), countersign.BadClaims},
		{"limits: one scope more, as an array", scopes(`["` + strings.ReplaceAll(many(oauth.MaxScopes+1), " ", `","`) + `"]`), countersign.BadClaims},
		{"rfc6749 s3.3: two scopes in one element", scopes(`["` + both + `"]`), countersign.BadClaims},
		{"rfc6749 s3.3: an empty element", scopes(`["` + strings.ReplaceAll(both, " ", `","`) + `",""]`), countersign.BadClaims},
	})
}

func TestOrWithAPublicRuleAfterIt(t *testing.T) {
	got := panicOf(func() { countersign.Scope("read").Or(countersign.Public("probe")) })
	if !strings.Contains(got, "Or: one of the rules is public") {
		t.Errorf("panic %q", got)
	}
}

// A rule that is only reported lets in whoever comes; the caller that an outer guard knows is not the inner one's.
func TestAReportedRouteHasNoCallerOfTheOuterGuard(t *testing.T) {
	var seen countersign.Caller
	inner := newIssuer(tenant).guard(t, nil).Require(countersign.Report(countersign.Scope("demo.read")))
	outer := newIssuer(pool).guard(t, nil).Require(countersign.Scope("demo.read"))
	api := outer(inner(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = countersign.CallerFrom(r.Context()) })))
	if res := serve(api, "GET", "/", "Bearer "+scoped("demo.read")); res.StatusCode != http.StatusOK || !seen.IsZero() {
		t.Errorf("status %d, caller %q", res.StatusCode, seen.ClientID)
	}
}

// What would take an eighth of the cache is verified each time: some such tokens would drive all others out.
func TestATokenThatIsLargeForTheCacheIsNotKept(t *testing.T) {
	seen := &observer{}
	guard := newIssuer(pool).guard(t, func(c *countersign.Config) { c.Observer, c.CacheBytes = seen, 8<<10 })
	for range 2 {
		serve(demoAPI(guard), "GET", "/demo", "Bearer "+scoped("demo.read"))
	}
	if got := seen.text(func(e countersign.DecisionEvent) string { return fmt.Sprint(e.Cached) }); got != "false false" {
		t.Errorf("cached: %s", got)
	}
}
