package countersign_test

import (
	"strings"
	"testing"
	"time"

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
		{"rfc6749 s3.3: a space in front", scopes(`" ` + both + `"`), countersign.BadClaims},
		{"rfc6749 s3.3: a space at the end", scopes(`"` + both + ` "`), countersign.BadClaims},
		{"rfc6749 s3.3: only a space", scopes(`" "`), countersign.BadClaims},
		{"rfc6749 s3.3: a tab", scopes(`"` + both + `\ta"`), countersign.BadClaims},
		{"rfc6749 s3.3: a line break", scopes(`"` + both + `\na"`), countersign.BadClaims},
		{"rfc6749 s3.3: a space of another kind", scopes(`"` + both + "\u00a0" + `a"`), countersign.BadClaims},
		{"rfc6749 s3.3: a NUL", scopes(`"` + both + `\u0000"`), countersign.BadClaims},
		{"rfc6749 s3.3: scopes with escapes are the same text", scopes(`"` + strings.ReplaceAll(both, "/", `\/`) + `"`), ""},
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
