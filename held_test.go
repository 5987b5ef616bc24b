package countersign_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/internal/jose"
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

// A date is a JSON number from 1970 on that a clock can show, and claims are one JSON object.
func TestDatesAndClaimsAreExact(t *testing.T) {
	withExp := func(value string) string { return sign(cognitoHeader, cognitoClaims.with("exp", value)) }
	good := sign(cognitoHeader, cognitoClaims)
	run(t, newIssuer(pool).guard(t, nil), []probe{
		{"rfc7519 s2: exp too small for a float", withExp("1e-400"), countersign.Expired},
		{"rfc7519 s2: exp of a hundred digits", withExp(strings.Repeat("9", 100)), countersign.BadClaims},
		{"rfc7519 s2: exp minus zero", withExp("-0"), countersign.BadClaims},
		{"rfc8259 s6: exp NaN", withExp("NaN"), countersign.BadClaims},
		{"rfc8259 s6: exp with a leading zero", withExp("0" + seconds(time.Hour)), countersign.BadClaims},
		{"rfc8259 s6: exp hexadecimal", withExp("0x7fffffff"), countersign.BadClaims},
		{"rfc7519 s5.2: a nested JWT", sign(cognitoHeader.also("cty", `"JWT"`), text(good)), countersign.BadClaims},
		{"rfc7519 s5.2: a nested JWT, as a JSON string", sign(cognitoHeader.also("cty", `"JWT"`), text(`"`+good+`"`)), countersign.BadClaims},
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

// With pinned keys the issuer is asked nothing, neither at the start nor for a key that the file does not have.
func TestAGuardWithPinnedKeysAsksNobody(t *testing.T) {
	issuer, seen := newIssuer(pool), &observer{}
	set, err := jose.AppendJWK([]byte(`{"keys":[`), testKeys.first.Public(), "first", jose.RS256)
	file := filepath.Join(t.TempDir(), "jwks.json")
	if err = errors.Join(err, os.WriteFile(file, append(set, "]}"...), 0o644)); err != nil {
		t.Fatal(err)
	}
	guard := issuer.guard(t, func(c *countersign.Config) { c.KeysFile, c.Observer = file, seen })
	api := demoAPI(guard)
	for range 2 {
		if res := serve(api, "GET", "/demo", "Bearer "+scoped("demo.read")); res.StatusCode != served {
			t.Errorf("status %d", res.StatusCode)
		}
	}
	if res := serve(api, "GET", "/demo", "Bearer "+sign(cognitoHeader.with("kid", `"second"`), cognitoClaims)); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a key that is not pinned: status %d", res.StatusCode)
	}
	if got := seen.text(func(e countersign.DecisionEvent) string { return fmt.Sprint(e.Cached, string(e.Reason)) }); got != "false true falseunknown_key" {
		t.Errorf("decisions %q", got)
	}
	if n := issuer.fetches.Load() + issuer.foreign.Load(); n != 0 {
		t.Errorf("%d requests", n)
	}
}
