package prove_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/prove"
)

// names are the cases of a route, without those that every guarded route has.
func names(cases []prove.Case, kinds ...prove.Kind) []string {
	var all []string
	for _, c := range cases {
		if slices.Contains(kinds, c.Kind) {
			name := c.Name
			if c.Unprovable != "" {
				name += " UNPROVABLE"
			}
			all = append(all, name)
		}
	}
	return all
}

func policyOf(routes ...countersign.Route) countersign.Policy {
	for i, r := range routes {
		if r.Path = r.Pattern; strings.Contains(r.Pattern, " ") {
			r.Method, r.Path, _ = strings.Cut(r.Pattern, " ")
		}
		routes[i] = r
	}
	return countersign.Policy{Resource: resource, Profile: countersign.Cognito, Routes: routes}
}

func TestPlanByRule(t *testing.T) {
	wide := countersign.Route{Pattern: "GET /wide", Rule: countersign.AllScopes("a", "b", "c")}
	for _, tt := range []struct {
		name string
		rule countersign.Rule
		want []string
	}{
		{"scope", countersign.Scope("a"), []string{"401 no token", "401 no token, HEAD", "403 with only b", "403 with only c", "allowed with a"}},
		{"all scopes: each proper subset without one", countersign.AllScopes("a", "b"),
			[]string{"401 no token", "401 no token, HEAD", "403 with only a", "403 with only b", "403 with only c", "allowed with a, b"}},
		{"all of three", countersign.AllScopes("a", "b", "c"), []string{"401 no token", "401 no token, HEAD",
			"403 with only a", "403 with only b", "403 with only c", "403 with only b, c", "403 with only a, c", "403 with only a, b", "allowed with a, b, c"}},
		{"any scope: each alternative", countersign.AnyScope("a", "b"),
			[]string{"401 no token", "401 no token, HEAD", "403 with only c", "allowed with a", "allowed with b"}},
		{"a subset that is an alternative", countersign.AllScopes("a", "b").Or(countersign.Scope("a")),
			[]string{"401 no token", "401 no token, HEAD", "403 with only b", "403 with only c", "allowed with a, b", "allowed with a"}},
		{"any of all there are", countersign.AnyScope("a", "b", "c"),
			[]string{"401 no token", "401 no token, HEAD", "403 wrong scope UNPROVABLE", "allowed with a", "allowed with b", "allowed with c"}},
		{"authenticated", countersign.Authenticated(), []string{"401 no token", "401 no token, HEAD", "403 wrong scope UNPROVABLE", "allowed with any token"}},
		{"client", countersign.Scope("a").And(countersign.Client("shop")),
			[]string{"401 no token", "401 no token, HEAD", "403 with only a", "403 with only b", "403 with only c", "allowed with a from client shop"}},
		{"public", countersign.Public("probe"), []string{"allowed without token"}},
		{"only reported", countersign.Report(countersign.Scope("a")), []string{"401 no token UNPROVABLE", "401 no token, HEAD UNPROVABLE",
			"403 with only b UNPROVABLE", "403 with only c UNPROVABLE", "allowed without token"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var cases []prove.Case
			for _, c := range prove.Plan(policyOf(countersign.Route{Pattern: "GET /x", Rule: tt.rule}, wide)) {
				if c.Route.Pattern == "GET /x" {
					cases = append(cases, c)
				}
			}
			if got := names(cases, prove.KindNoToken, prove.KindScope, prove.KindAllowed); !slices.Equal(got, tt.want) {
				t.Errorf("want %q\n got %q", tt.want, got)
			}
		})
	}
}

// A route for every method is refused by every method: a guard that looks at GET alone is no guard.
func TestPlanOfEveryMethod(t *testing.T) {
	p := policyOf(
		countersign.Route{Pattern: "/any", Rule: countersign.Scope("a")},
		countersign.Route{Pattern: "/rest", Rule: countersign.Scope("a")},
		countersign.Route{Pattern: "GET /rest", Rule: countersign.Scope("a")},
		countersign.Route{Pattern: "DELETE /rest", Rule: countersign.Scope("a")},
		countersign.Route{Pattern: "POST /one", Rule: countersign.Scope("a")},
	)
	got := map[string][]string{}
	for _, c := range prove.Plan(p) {
		if c.Kind == prove.KindNoToken {
			got[c.Route.Pattern] = append(got[c.Route.Pattern], strings.TrimPrefix(c.Name, "401 no token"))
		}
	}
	for pattern, want := range map[string]string{
		"/any": ", HEAD, POST, PUT, DELETE, PATCH", "/rest": ", PUT, PATCH", "GET /rest": ", HEAD", "DELETE /rest": "", "POST /one": "",
	} {
		if strings.Join(got[pattern], "") != want {
			t.Errorf("%s: want %q, got %q", pattern, want, got[pattern])
		}
	}
	onlyGET := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			return
		}
		twin{}.refuse(w, r, []string{resource + "/a"})
	})
	if row := find(t, run(t, config(p, onlyGET)), "/any", "401 no token, DELETE"); row.State != prove.Different {
		t.Errorf("%s", row)
	}
}

func TestPlanIsStableAndUnique(t *testing.T) {
	p := ordersAPI(t).Policy()
	first, second := prove.Plan(p), prove.Plan(p)
	seen := map[string]bool{}
	for i, c := range first {
		if c.ID() != second[i].ID() {
			t.Errorf("case %d is %s and then %s", i, c.ID(), second[i].ID())
		}
		if seen[c.ID()] {
			t.Errorf("%s is there twice", c.ID())
		}
		if c.Clause == "" || c.Kind == "" {
			t.Errorf("%s: clause %q, kind %q", c.ID(), c.Clause, c.Kind)
		}
		seen[c.ID()] = true
	}
}

// A rule that is attached to a handler has no path, and the report must say so.
func TestPlanOfRequire(t *testing.T) {
	cases := prove.Plan(countersign.Policy{Resource: resource, Routes: []countersign.Route{{Rule: countersign.Scope("a"), Source: "api.go:7"}}})
	if len(cases) != 1 || cases[0].Unprovable == "" || cases[0].ID() != "Require at api.go:7 / rule" {
		t.Errorf("got %+v", cases)
	}
}

// What is open may be reached in any spelling, so that a detour to it proves nothing.
func TestPlanLeavesOutDetoursToPublicRoutes(t *testing.T) {
	p := policyOf(
		countersign.Route{Pattern: "GET /a/b", Rule: countersign.Scope("a")},
		countersign.Route{Pattern: "GET /", Rule: countersign.Public("web site")},
	)
	got := names(prove.Plan(p), prove.KindDetour)
	// With a site at the root these spellings still mean the guarded route, or another method.
	want := []string{"no token, double slash", "no token, dot segment", "no token, dot dot segment", "no token, encoded letter", "no token, method in lower case", "no token, method override"}
	if !slices.Equal(got, want) {
		t.Errorf("want %q\n got %q", want, got)
	}
}
