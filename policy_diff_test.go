package countersign_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign"
)

func TestDiff(t *testing.T) {
	read, write := countersign.Scope("orders.read"), countersign.Scope("orders.write")
	for _, tt := range []struct {
		name     string
		old, new []countersign.Route
		want     []string
	}{
		{"same", []countersign.Route{route("GET /a", read), route("POST /a", write)}, []countersign.Route{route("POST /a", write), route("GET /a", read)}, nil},
		{"public", []countersign.Route{route("POST /orders", write)}, []countersign.Route{route("POST /orders", countersign.Public("oops"))},
			[]string{"+ POST /orders: scope orders.write -> public (oops)"}},
		{"closed", []countersign.Route{route("POST /orders", countersign.Public("oops"))}, []countersign.Route{route("POST /orders", write)},
			[]string{"- POST /orders: public (oops) -> scope orders.write"}},
		{"appeared", nil, []countersign.Route{route("GET /a", read)}, []string{"+ GET /a: new route -> scope orders.read"}},
		{"vanished", []countersign.Route{route("GET /a", read)}, nil, []string{"- GET /a: scope orders.read -> no such route"}},
		{"another scope", []countersign.Route{route("GET /a", read)}, []countersign.Route{route("GET /a", write)}, []string{"+ GET /a: scope orders.read -> scope orders.write"}},
		{"all to any", []countersign.Route{route("GET /a", countersign.AllScopes("a", "b"))}, []countersign.Route{route("GET /a", countersign.AnyScope("a", "b"))},
			[]string{"+ GET /a: all of scopes a, b -> any of scopes a, b"}},
		{"any to all", []countersign.Route{route("GET /a", countersign.AnyScope("a", "b"))}, []countersign.Route{route("GET /a", countersign.AllScopes("a", "b"))},
			[]string{"- GET /a: any of scopes a, b -> all of scopes a, b"}},
		{"to any token", []countersign.Route{route("GET /a", read)}, []countersign.Route{route("GET /a", countersign.Authenticated())},
			[]string{"+ GET /a: scope orders.read -> any valid token"}},
		{"order of the scopes", []countersign.Route{route("GET /a", countersign.AnyScope("a", "b"))}, []countersign.Route{route("GET /a", countersign.AnyScope("b", "a"))}, nil},
		{"names of the wildcards", []countersign.Route{route("GET /a/{id}", read)}, []countersign.Route{route("GET /a/{key}", read)}, nil},
		{"subtree is rest", []countersign.Route{route("GET /a/", read)}, []countersign.Route{route("GET /a/{rest...}", read)}, nil},
		{"subtree is not its root", []countersign.Route{route("GET /a/{$}", read)}, []countersign.Route{route("GET /a/", read)},
			[]string{"+ GET /a/: new route -> scope orders.read", "- GET /a/{$}: scope orders.read -> no such route"}},
		{"two muxes", []countersign.Route{route("GET /a", read), route("GET /a", write)}, []countersign.Route{route("GET /a", write), route("GET /a", countersign.Public("x"))},
			[]string{"+ GET /a: scope orders.read -> public (x)"}},
		{"client", []countersign.Route{route("GET /a", read.And(countersign.Client("shop")))}, []countersign.Route{route("GET /a", countersign.Client("shop"))},
			[]string{"+ GET /a: scope orders.read from client shop -> client shop"}},
		{"mixed", []countersign.Route{route("GET /a", read)}, []countersign.Route{route("GET /a", read.Or(countersign.AllScopes("a", "b")))},
			[]string{"+ GET /a: scope orders.read -> scope orders.read or all of scopes a, b"}},
		{"implied", []countersign.Route{route("GET /a", read)}, []countersign.Route{route("GET /a", read.Or(countersign.AllScopes("orders.read", "b")))}, nil},
		{"only reported", []countersign.Route{route("GET /a", read)}, []countersign.Route{route("GET /a", countersign.Report(read))},
			[]string{"+ GET /a: scope orders.read -> scope orders.read, only reported"}},
		{"enforced", []countersign.Route{route("GET /a", countersign.Report(read))}, []countersign.Route{route("GET /a", read)},
			[]string{"- GET /a: scope orders.read, only reported -> scope orders.read"}},
		{"until expiry", []countersign.Route{route("GET /a", read)}, []countersign.Route{route("GET /a", countersign.UntilExpiry(read))},
			[]string{"- GET /a: scope orders.read -> scope orders.read, until the token expires"}},
		{"no longer until expiry", []countersign.Route{route("GET /a", countersign.UntilExpiry(read))}, []countersign.Route{route("GET /a", read)},
			[]string{"+ GET /a: scope orders.read, until the token expires -> scope orders.read"}},
		{"handler with a rule", nil, []countersign.Route{{Rule: read, Source: "api.go:7"}},
			[]string{"+ a handler with a rule of its own (api.go:7): new route -> scope orders.read"}},
		{"reason", []countersign.Route{route("GET /a", countersign.Public("x"))}, []countersign.Route{route("GET /a", countersign.Public("y"))},
			[]string{"- GET /a: public (x) -> public (y)"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, c := range countersign.Diff(orders(tt.old...), orders(tt.new...)) {
				sign := map[bool]string{true: "+ ", false: "- "}[c.Widened()]
				got = append(got, sign+c.String())
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("want %q, got %q", tt.want, got)
			}
		})
	}
}

// A route that is gone leaves its requests to the narrowest pattern that is left, and to the rule of that one.
func TestDiffOfVanishedRoutes(t *testing.T) {
	admin, read, anybody := countersign.Scope("admin"), countersign.Scope("read"), countersign.Public("site")
	for _, tt := range []struct {
		name string
		gone string
		left []countersign.Route
		want string // behind the route
	}{
		{"to a weaker rule", "GET /admin/{id}", []countersign.Route{route("GET /{rest...}", countersign.Authenticated())}, "+ no such route, and GET /{rest...} has its requests: any valid token"},
		{"to a public subtree", "GET /admin/{id}", []countersign.Route{route("/", anybody)}, "+ no such route, and / has its requests: public (site)"},
		{"to every method", "POST /a", []countersign.Route{route("/a", read)}, "+ no such route, and /a has its requests: scope read"},
		{"HEAD to GET", "HEAD /a", []countersign.Route{route("GET /a", read)}, "+ no such route, and GET /a has its requests: scope read"},
		{"to every host", "GET a.example.com/a", []countersign.Route{route("GET /a", read)}, "+ no such route, and GET /a has its requests: scope read"},
		{"to a report", "GET /a", []countersign.Route{route("GET /{x}", countersign.Report(admin))}, "+ no such route, and GET /{x} has its requests: scope admin, only reported"},
		{"to the narrowest, which is as strict", "GET /a/b/{id}", []countersign.Route{route("GET /a/", admin), route("/", anybody)}, "- no such route"},
		{"to the narrowest, which is weaker", "GET /a/b/{id}", []countersign.Route{route("/", admin), route("GET /a/{x}/{y}", read), route("GET /a/", admin)}, "+ no such route, and GET /a/{x}/{y} has its requests: scope read"},
		{"to its host before any other", "GET a.example.com/a/b", []countersign.Route{route("GET a.example.com/a/", admin), route("GET /a/b", read)}, "- no such route"},
		{"to a stricter rule", "GET /a", []countersign.Route{route("/", countersign.AllScopes("admin", "read"))}, "- no such route"},
		{"the root of a subtree redirects", "GET /a", []countersign.Route{route("/a/", anybody)}, "- no such route"},
		{"another method", "GET /a", []countersign.Route{route("POST /a", anybody), route("HEAD /a", anybody)}, "- no such route"},
		{"another host", "GET /a", []countersign.Route{route("a.example.com/a", anybody)}, "- no such route"},
		{"a part of it", "GET /a/{id}", []countersign.Route{route("GET /a/1", anybody), route("GET /a/{$}", anybody)}, "- no such route"},
		{"a wider wildcard only", "GET /a/{rest...}", []countersign.Route{route("GET /a/{x}", anybody)}, "- no such route"},
		{"spelt with an escape", "GET /%61dmin/x", []countersign.Route{route("GET /admin/{x}", read)}, "+ no such route, and GET /admin/{x} has its requests: scope read"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			changes := countersign.Diff(orders(append([]countersign.Route{route(tt.gone, admin)}, tt.left...)...), orders(tt.left...))
			if len(changes) != 1 {
				t.Fatalf("got %v", changes)
			}
			sign := map[bool]string{true: "+ ", false: "- "}[changes[0].Widened()]
			if _, got, _ := strings.Cut(changes[0].String(), " -> "); sign+got != tt.want {
				t.Errorf("want %q, got %q", tt.want, sign+got)
			}
		})
	}
}

// The scopes of another resource are other scopes, though their short names are the same.
func TestDiffAcrossResources(t *testing.T) {
	p := orders(route("GET /a", countersign.Scope("read")))
	q := p
	q.Resource = "https://other.example.com"
	if changes := countersign.Diff(p, q); len(changes) != 1 || changes[0].Kind != countersign.RuleChanged {
		t.Errorf("got %v", changes)
	}
}

// Where no scope names the resource, another one is other callers all the same.
func TestDiffOfAudiences(t *testing.T) {
	for _, rule := range []countersign.Rule{countersign.Authenticated(), countersign.Scope("read"), countersign.Client("shop")} {
		p := countersign.Policy{Resource: "https://a.example.com", Profile: countersign.RFC9068, Routes: []countersign.Route{route("GET /a", rule)}}
		q := p
		q.Resource = "https://b.example.com"
		if changes := countersign.Diff(p, q); len(changes) != 1 || !changes[0].Widened() {
			t.Errorf("%s: another resource: %v", rule, changes)
		}
		q = p
		q.Profile = countersign.Cognito
		if changes := countersign.Diff(p, q); len(changes) != 1 || !changes[0].Widened() {
			t.Errorf("%s: another profile: %v", rule, changes)
		}
		q.Profile, p.Profile = "", countersign.Cognito
		if changes := countersign.Diff(p, q); len(changes) != 0 {
			t.Errorf("%s: the profile that is meant if none is named: %v", rule, changes)
		}
	}
}

func ExampleDiff() {
	old := countersign.Policy{Routes: []countersign.Route{{Pattern: "POST /orders", Rule: countersign.Scope("orders.write")}}}
	new := countersign.Policy{Routes: []countersign.Route{{Pattern: "POST /orders", Rule: countersign.Public("oops")}}}
	for _, change := range countersign.Diff(old, new) {
		fmt.Println(change, change.Widened())
	}
	// Output: POST /orders: scope orders.write -> public (oops) true
}
