package main

import (
	"strings"
	"testing"

	"github.com/countersign-dev/countersign"
)

// The route of a request is found in any policy that there can be: of two muxes, with rules that have no pattern, of several hosts.
func TestFindRoute(t *testing.T) {
	route := func(pattern, scope string) countersign.Route {
		return countersign.Route{Pattern: pattern, Rule: countersign.Scope(scope)}
	}
	policy := countersign.Policy{Routes: []countersign.Route{
		route("GET /orders/{id}", "orders.read"), route("GET /orders/{id}", "orders.admin"), {Rule: countersign.Scope("required")},
		route("POST /orders", "orders.write"), route("GET admin.example.com/", "admin"),
	}}
	for _, tt := range []struct{ method, path, want string }{
		{"GET", "/orders/7", `Scope("orders.read")`},
		{"HEAD", "/orders/7", `Scope("orders.read")`},
		{"POST", "/orders", `Scope("orders.write")`},
		{"GET", "https://admin.example.com", `Scope("admin")`},
		{"GET", "https://admin.example.com/users?page=2", `Scope("admin")`},
		{"GET", "https://api.example.com/orders/7", `Scope("orders.read")`},
		{"GET", "/nowhere", "GET /nowhere reaches no route; the policy has: GET /orders/{id} · GET /orders/{id} · POST /orders · GET admin.example.com/"},
		{"DELETE", "/orders/7", "DELETE /orders/7 reaches no route"},
		{"GET", "orders/7", "GET orders/7: not a method and a path, as GET /orders/7"},
		{"G T", "/orders/7", "G T /orders/7: not a method and a path"},
	} {
		found, err := findRoute(policy, tt.method, tt.path)
		got := found.Rule.String()
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s %s: got %s, want %s", tt.method, tt.path, got, tt.want)
		}
	}
	if _, err := findRoute(countersign.Policy{Routes: policy.Routes[2:3]}, "GET", "/a"); err == nil || !strings.Contains(err.Error(), "give one with --policy FILE") {
		t.Errorf("rules without patterns alone: %v", err)
	}
}

// Whose tokens are explained is said by flags, by the policy file, or by the environment, and by the first of them that does.
func TestExplainConfigure(t *testing.T) {
	document, err := countersign.Policy{Resource: "https://file.example.com", Profile: countersign.RFC9068, Routes: []countersign.Route{
		{Pattern: "GET /a", Rule: countersign.Scope("a")},
	}}.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	file := writeFile(t, "authorization.json", string(document))
	const issuer = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123"
	t.Setenv("COUNTERSIGN_ISSUER", issuer)
	t.Setenv("COUNTERSIGN_RESOURCE", "https://env.example.com")
	for _, tt := range []struct {
		name    string
		options explainOptions
		want    string // issuer, resource, profile, or the error
	}{
		{"the environment", explainOptions{}, issuer + " https://env.example.com "},
		{"a resource beside the environment", explainOptions{resource: "https://flag.example.com"}, issuer + " https://flag.example.com "},
		{"flags", explainOptions{issuer: "https://flag.example.com", resource: "https://api.example.com"}, "https://flag.example.com https://api.example.com "},
		{"an issuer and the policy's resource", explainOptions{issuer: "https://flag.example.com", policy: file}, "https://flag.example.com https://file.example.com rfc9068"},
		{"an issuer alone", explainOptions{issuer: "https://flag.example.com"}, "whose scopes are they? write --resource, or --policy"},
	} {
		tt.options.state.dir = t.TempDir()
		config, _, err := tt.options.configure(t.Context())
		got := config.Issuer + " " + config.Resource + " " + string(config.Profile)
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}
