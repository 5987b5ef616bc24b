package countersign_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign"
)

func route(pattern string, rule countersign.Rule) countersign.Route {
	return countersign.Route{Pattern: pattern, Rule: rule}
}

func orders(routes ...countersign.Route) countersign.Policy {
	return countersign.Policy{Resource: "https://orders.example.com", Routes: routes}
}

var ordersPolicy = orders(
	route("GET /orders/{id}", countersign.Scope("orders.read")),
	route("POST /orders", countersign.Scope("orders.write")),
	route("DELETE /orders/{id}", countersign.AllScopes("orders.write", "orders.admin")),
	route("GET /healthz", countersign.Public("liveness probe")),
)

func document(t *testing.T, p countersign.Policy) []byte {
	t.Helper()
	doc, err := p.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestOpenAPIOperations(t *testing.T) {
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			Security  *[]map[string][]string
			Public    string `json:"x-countersign-public"`
			Pattern   string `json:"x-countersign-pattern"`
			Responses map[string]any
		}
		Components struct {
			SecuritySchemes map[string]struct {
				Type  string
				Flows map[string]struct {
					TokenURL string
					Scopes   map[string]string
				}
			}
		}
	}
	raw := document(t, ordersPolicy)
	// The parameters of a path are a list and would not fit the map above.
	var loose map[string]any
	if err := json.Unmarshal(raw, &loose); err != nil {
		t.Fatal(err)
	}
	for _, item := range loose["paths"].(map[string]any) {
		delete(item.(map[string]any), "parameters")
	}
	trimmed, err := json.Marshal(loose)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(trimmed, &doc); err != nil {
		t.Fatal(err)
	}

	const r = "https://orders.example.com/"
	for _, tt := range []struct {
		path, method, security, public string
		responses                      []string
	}{
		{"/orders/{id}", "get", `[{"oauth2":["` + r + `orders.read"]}]`, "", []string{"401", "403", "default"}},
		{"/orders", "post", `[{"oauth2":["` + r + `orders.write"]}]`, "", []string{"401", "403", "default"}},
		{"/orders/{id}", "delete", `[{"oauth2":["` + r + `orders.write","` + r + `orders.admin"]}]`, "", []string{"401", "403", "default"}},
		{"/healthz", "get", `[]`, "liveness probe", []string{"default"}},
	} {
		op := doc.Paths[tt.path][tt.method]
		got, _ := json.Marshal(op.Security)
		var responses []string
		for code := range op.Responses {
			responses = append(responses, code)
		}
		slices.Sort(responses)
		if string(got) != tt.security || op.Public != tt.public || !slices.Equal(responses, tt.responses) || op.Pattern != "" {
			t.Errorf("%s %s: security %s, public %q, responses %v, pattern %q", tt.method, tt.path, got, op.Public, responses, op.Pattern)
		}
	}
	scheme := doc.Components.SecuritySchemes["oauth2"]
	if doc.OpenAPI != "3.1.0" || scheme.Type != "oauth2" || len(scheme.Flows["clientCredentials"].Scopes) != 3 {
		t.Errorf("version %q, scheme %+v", doc.OpenAPI, scheme)
	}
}

// What OpenAPI cannot say is kept in x-countersign-pattern.
func TestOpenAPIKeepsPatterns(t *testing.T) {
	read, write, public := countersign.Scope("read"), countersign.Scope("write"), countersign.Public("assets")
	for _, tt := range []struct {
		name   string
		routes []countersign.Route
		want   []string // of the document
		not    string
	}{
		{"plain", []countersign.Route{route("GET /a", read)}, []string{`"/a": {`}, "x-countersign-pattern"},
		{"one path with a slash", []countersign.Route{route("GET /a/{$}", read)}, []string{`"/a/": {`}, "x-countersign-pattern"},
		{"subtree", []countersign.Route{route("GET /a/", read)}, []string{`"/a/": {`, `"x-countersign-pattern": "GET /a/"`}, "also"},
		{"rest", []countersign.Route{route("GET /a/{rest...}", read)}, []string{`"/a/{rest}": {`, `"x-countersign-pattern": "GET /a/{rest...}"`}, "also"},
		{"host", []countersign.Route{route("GET a.example/x", read)}, []string{`"url": "//a.example"`}, "also"},
		{"every method", []countersign.Route{route("/x", read)}, []string{`"get": {`, `"trace": {`}, "also"},
		{"every other method", []countersign.Route{route("/x", read), route("GET /x", public)}, []string{`"x-countersign-public": "assets"`}, "also"},
		{"names that differ", []countersign.Route{route("GET /x/{id}", read), route("POST /x/{key}", write)}, []string{`"x-countersign-pattern": "POST /x/{key}"`}, "also"},
		{"one shape", []countersign.Route{route("GET /x/{id}", read), route("GET /x/{path...}", write)}, []string{`"x-countersign-also": [`}, "{path}\""},
		{"method of no operation", []countersign.Route{route("PURGE /x", read)}, []string{`"x-countersign-also": [`}, "responses\": {\n          \"401"},
		{"subtree and its root", []countersign.Route{route("GET /x/", read), route("GET /x/{$}", public)}, []string{`"x-countersign-also": [`}, "none"},
		{"odd literals", []countersign.Route{route("GET /a}b/c?d/%2F", read)}, []string{`"/a%7Db/c%3Fd/%2F": {`}, "also"},
		{"two spaces", []countersign.Route{route("GET  /a", read)}, []string{`"x-countersign-pattern": "GET  /a"`}, "also"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := document(t, orders(tt.routes...))
			for _, want := range tt.want {
				if !bytes.Contains(doc, []byte(want)) {
					t.Errorf("the document lacks %s:\n%s", want, doc)
				}
			}
			if bytes.Contains(doc, []byte(tt.not)) {
				t.Errorf("the document contains %s:\n%s", tt.not, doc)
			}
			roundTrip(t, orders(tt.routes...))
		})
	}
}

// roundTrip writes, reads and writes again: the bytes and the routes must be the same.
func roundTrip(t *testing.T, p countersign.Policy) {
	t.Helper()
	doc := document(t, p)
	again, err := countersign.ParsePolicy(doc)
	if err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
	if second := document(t, again); !bytes.Equal(doc, second) {
		t.Fatalf("the second document differs:\n%s\n%s", doc, second)
	}
	if changes := countersign.Diff(p, again); len(changes) > 0 {
		t.Fatalf("the policy that came back differs: %v\n%s", changes, doc)
	}
	if again.Issuer != p.Issuer || again.Resource != p.Resource || again.Profile != p.Profile {
		t.Fatalf("issuer %q, resource %q, profile %q", again.Issuer, again.Resource, again.Profile)
	}
	want, got := lines(p), lines(again)
	if !slices.Equal(want, got) {
		t.Fatalf("want routes %q, got %q", want, got)
	}
}

// lines are the routes as a sorted set.
func lines(p countersign.Policy) []string {
	var all []string
	for _, r := range p.Routes {
		all = append(all, r.Pattern+" "+r.Source+" "+r.Rule.String())
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Whatever patterns and rules a service has, the document says all of them.
func TestOpenAPIRoundTripProperty(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 11))
	pick := func(all ...string) string { return all[rng.IntN(len(all))] }
	for range 300 {
		p := countersign.Policy{
			Issuer:   pick("", "https://issuer.example.com/pool"),
			Resource: pick("https://api.example.com", "orders"),
			Profile:  countersign.Profile(pick("", "cognito", "rfc9068")),
		}
		for range rng.IntN(12) {
			path := pick("/a", "/a/{x}", "/a/{y}", "/b/{x}/c", "/a}b", "/é") + pick("", "", "/", "/{$}", "/{rest...}", "/{z}")
			pattern := pick("GET ", "POST ", "DELETE ", "PURGE ", "") + pick("", "", "", "h.example") + path
			rule := []countersign.Rule{
				countersign.Scope("r"), countersign.AllScopes("r", "w"), countersign.AnyScope("w", "r", "x.y"),
				countersign.Authenticated(), countersign.Public("probe <&> \"é\""),
				countersign.Client("shop"), countersign.Scope("r").And(countersign.Client("shop")).Or(countersign.Scope("w")),
				countersign.AllScopes("r", "w").Or(countersign.Scope("x.y")),
				countersign.UntilExpiry(countersign.Scope("r")), countersign.Report(countersign.AnyScope("r", "w")),
				countersign.Report(countersign.UntilExpiry(countersign.Public("soon"))),
			}[rng.IntN(11)]
			if rng.IntN(10) == 0 {
				pattern = "" // of Guard.Require
			}
			// One source a route: two registrations of one route and rule are one line of the document.
			p.Routes = append(p.Routes, countersign.Route{Pattern: pattern, Rule: rule, Source: "api.go:7"})
		}
		roundTrip(t, p)
	}
}

func TestOpenAPIIsStable(t *testing.T) {
	reversed := slices.Clone(ordersPolicy.Routes)
	slices.Reverse(reversed)
	a, b := document(t, ordersPolicy), document(t, orders(reversed...))
	if !bytes.Equal(a, b) {
		t.Errorf("the order of registration shows:\n%s\n%s", a, b)
	}
	if !bytes.HasSuffix(a, []byte("}\n")) {
		t.Error("no newline at the end")
	}
}

func TestOpenAPIRefuses(t *testing.T) {
	for _, tt := range []struct {
		name  string
		route countersign.Route
		want  string
	}{
		{"no slash", route("orders", countersign.Scope("read")), `route "orders": not a pattern of net/http`},
		{"bad pattern", route("GET /{a}{b}", countersign.Scope("read")), `route "GET /{a}{b}": not a pattern of net/http`},
		{"no rule", route("GET /a", countersign.Rule{}), `route "GET /a" has no rule`},
	} {
		_, err := orders(tt.route).OpenAPI()
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
}

func ExamplePolicy_OpenAPI() {
	policy := countersign.Policy{Resource: "https://orders.example.com", Routes: []countersign.Route{
		{Pattern: "POST /orders", Rule: countersign.Scope("orders.write")},
	}}
	document, err := policy.OpenAPI()
	if err != nil {
		fmt.Println(err)
		return
	}
	again, err := countersign.ParsePolicy(document)
	fmt.Println(again.Routes[0].Pattern, "needs", again.Routes[0].Rule.Alternatives(), err)
	// Output: POST /orders needs [[orders.write]] <nil>
}
