package countersign_test

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign"
)

func TestRuleAsTextAndAsAlternatives(t *testing.T) {
	read, write, batch := countersign.Scope("read"), countersign.Scope("write"), countersign.Client("batch")
	for _, tt := range []struct {
		rule countersign.Rule
		text string
		alts string
	}{
		{countersign.Rule{}, `no rule`, `[]`},
		{read, `Scope("read")`, `[[read]]`},
		{countersign.AllScopes("read", "write", "read"), `AllScopes("read", "write")`, `[[read write]]`},
		{countersign.AnyScope("read", "write"), `AnyScope("read", "write")`, `[[read] [write]]`},
		{countersign.AnyScope("read"), `Scope("read")`, `[[read]]`},
		{countersign.Authenticated(), `Authenticated()`, `[[]]`},
		{countersign.Public("a \"probe\""), `Public("a \"probe\"")`, `[]`},
		{batch, `Client("batch")`, `[[]]`},
		{read.And(write), `AllScopes("read", "write")`, `[[read write]]`},
		{read.And(batch), `Scope("read").And(Client("batch"))`, `[[read]]`},
		{batch.And(batch).And(countersign.Authenticated()), `Client("batch")`, `[[]]`},
		{read.Or(write), `AnyScope("read", "write")`, `[[read] [write]]`},
		{read.Or(batch), `Scope("read").Or(Client("batch"))`, `[[read] []]`},
		{countersign.AnyScope("a", "b").And(countersign.AnyScope("c", "d")),
			`AllScopes("a", "c").Or(AllScopes("a", "d")).Or(AllScopes("b", "c")).Or(AllScopes("b", "d"))`, `[[a c] [a d] [b c] [b d]]`},
		{countersign.Report(countersign.UntilExpiry(read)), `Report(UntilExpiry(Scope("read")))`, `[[read]]`},
		{countersign.UntilExpiry(read).And(countersign.Report(write)), `Report(UntilExpiry(AllScopes("read", "write")))`, `[[read write]]`},
	} {
		if got := tt.rule.String(); got != tt.text {
			t.Errorf("text\n%s, want\n%s", got, tt.text)
		}
		if got := fmt.Sprint(tt.rule.Alternatives()); got != tt.alts {
			t.Errorf("%s: alternatives %s, want %s", tt.text, got, tt.alts)
		}
		if public := tt.rule.IsPublic(); public != (tt.rule.Reason() != "") || public && tt.rule.Needs() != nil {
			t.Errorf("%s: public %v, reason %q", tt.text, public, tt.rule.Reason())
		}
	}
}

func TestRuleIsAValue(t *testing.T) {
	names := []string{"read", "write"}
	rule := countersign.AllScopes(names...)
	names[0] = "changed"
	rule.Alternatives()[0][1] = "changed"
	rule.Needs()[0].Scopes[1] = "changed"
	if got, want := rule.String(), `AllScopes("read", "write")`; got != want {
		t.Errorf("rule %s, want %s", got, want)
	}
}

// panicOf is what f panics with.
func panicOf(f func()) (message string) {
	defer func() { message = fmt.Sprint(recover()) }()
	f()
	return ""
}

func TestAMistakeInARuleStopsTheStart(t *testing.T) {
	directory, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	guard := newIssuer(pool).guard(t, nil)
	nothing := func(http.ResponseWriter, *http.Request) {}
	var none countersign.Rule
	read, public := countersign.Scope("read"), countersign.Public("probe")
	many := countersign.AnyScope("a", "b", "c", "d", "e", "f", "g", "h", "i")
	for _, tt := range []struct {
		name string
		f    func()
		want string
	}{
		{"no rule", func() { guard.Mux().HandleFunc("GET /open", nothing, none) }, `GET /open is registered without a rule; say who may call it: countersign.Scope("name"), countersign.Authenticated() or countersign.Public(`},
		{"no rule for Require", func() { guard.Require(none) }, `Require is given no rule; say who may call it`},
		{"no rule to report", func() { countersign.Report(none) }, `Report: it is given no rule`},
		{"no rule until expiry", func() { countersign.UntilExpiry(none) }, `UntilExpiry: it is given no rule`},
		{"empty scope", func() { countersign.Scope("") }, `Scope: "" is not a scope name (RFC 6749, Section 3.3); write one name without spaces`},
		{"rfc6749 s3.3: space", func() { countersign.Scope("read write") }, `Scope: "read write" is not a scope name`},
		{"rfc6749 s3.3: quote", func() { countersign.AllScopes("read", `a"b`) }, `AllScopes: "a\"b" is not a scope name`},
		{"rfc6749 s3.3: not ASCII", func() { countersign.AnyScope("ſcope") }, `AnyScope: "ſcope" is not a scope name`},
		{"no scope of all", func() { countersign.AllScopes() }, `AllScopes: it is given no scope`},
		{"no scope of any", func() { countersign.AnyScope() }, `AnyScope: it is given no scope`},
		{"no client", func() { countersign.Client("") }, `Client: the id is empty`},
		{"public for no reason", func() { countersign.Public(" ") }, `Public: the reason is empty; write why nobody needs a token`},
		{"and public", func() { read.And(public) }, `And: one of the rules is public`},
		{"public or", func() { public.Or(read) }, `Or: one of the rules is public`},
		{"and no rule", func() { read.And(none) }, `And: it is given no rule`},
		{"two clients at once", func() { countersign.Client("a").And(countersign.Client("b")) }, `And: nobody could satisfy the rule`},
		{"too many alternatives", func() { many.And(many) }, `And: the rule has more than 64 alternatives`},
		{"half a report", func() { countersign.Report(read).Or(read) }, `Or: one of the rules is only reported`},
		{"cognito: full name of a scope", func() {
			guard.Mux().HandleFunc("GET /a", nothing, countersign.Scope("https://api.example.com/demo.read"))
		}, `GET /a: the scope "https://api.example.com/demo.read" has a slash; write the name without the resource's prefix, as in Scope("demo.read")`},
		{"no handler", func() { guard.Mux().Handle("GET /a", nil, read) }, `GET /a: the handler is nil`},
		{"no function", func() { guard.Mux().HandleFunc("GET /a", nil, read) }, `GET /a: the handler is nil`},
		{"no handler for Require", func() { guard.Require(read)(nil) }, `Require is given no handler`},
		{"no pattern", func() { guard.Mux().HandleFunc("", nothing, read) }, `invalid pattern`},
		{"pattern twice", func() {
			api := guard.Mux()
			api.HandleFunc("GET /a/{x}", nothing, read)
			api.HandleFunc("GET /a/{y}", nothing, read)
		}, `GET /a/{y}: the pattern conflicts with GET /a/{x}, registered at rule_test.go:`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := panicOf(tt.f)
			if !regexp.MustCompile(`^countersign: rule_test\.go:\d+: `).MatchString(got) || !strings.Contains(got, tt.want) {
				t.Errorf("panic %q, want %q", got, tt.want)
			}
			if strings.Contains(got, directory) || strings.Contains(got, ".go:") && strings.Contains(got, "mux.go") {
				t.Errorf("panic %q has a place that is not the user's", got)
			}
		})
	}
	if n := len(guard.Policy().Public()); n > 0 {
		t.Errorf("%d routes are public after the panics", n)
	}
}

func TestPolicyIsTheTableOfRoutes(t *testing.T) {
	guard := newIssuer(pool).guard(t, nil)
	api := guard.Mux()
	api.HandleFunc("GET /orders/{id}", teapot, countersign.Scope("orders.read"))
	api.HandleFunc("admin.example.com/", teapot, countersign.Scope("admin"))
	api.Handle("DELETE example.com/tree/", http.NotFoundHandler(), countersign.Authenticated())
	guard.Require(countersign.Public("from another router"))
	var got []string
	for _, r := range guard.Policy().Routes {
		if !regexp.MustCompile(`^rule_test\.go:\d+$`).MatchString(r.Source) {
			t.Errorf("source %q", r.Source)
		}
		got = append(got, strings.Join([]string{r.Pattern, r.Method, r.Host, r.Path, r.Rule.String()}, "|"))
	}
	want := []string{
		`GET /orders/{id}|GET||/orders/{id}|Scope("orders.read")`,
		`admin.example.com/||admin.example.com|/|Scope("admin")`,
		`DELETE example.com/tree/|DELETE|example.com|/tree/|Authenticated()`,
		`||||Public("from another router")`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("routes\n%s, want\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if n := len(api.Policy().Routes); n != 3 {
		t.Errorf("the mux has %d routes", n)
	}
	policy := api.Policy()
	policy.Routes[0].Rule = countersign.Public("changed")
	if api.Policy().Routes[0].Rule.IsPublic() {
		t.Error("a policy that was given away changes the mux")
	}
	if got, want := policy.FullScope("a"), "https://api.example.com/a"; got != want {
		t.Errorf("full scope %s, want %s", got, want)
	}
}

func TestOrWithAPublicRuleAfterIt(t *testing.T) {
	got := panicOf(func() { countersign.Scope("read").Or(countersign.Public("probe")) })
	if !strings.Contains(got, "Or: one of the rules is public") {
		t.Errorf("panic %q", got)
	}
}
