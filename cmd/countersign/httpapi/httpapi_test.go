package httpapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/cmd/countersign/httpapi"
)

func config(routes ...countersign.Route) httpapi.Config {
	return httpapi.Config{
		Name: "orders", Host: "api.example.com", Issuer: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123",
		Policy: countersign.Policy{Resource: "https://api.example.com", Routes: routes},
	}
}

func route(method, path string, rule countersign.Rule) countersign.Route {
	return countersign.Route{Pattern: strings.TrimSpace(method + " " + path), Method: method, Path: path, Rule: rule}
}

// template is what of the output the tests read.
type template struct {
	Parameters map[string]any
	Resources  map[string]struct {
		Type       string
		Properties struct {
			RouteKey, AuthorizationType string
			AuthorizationScopes         []string
			AuthorizerID                any  `json:"AuthorizerId"`
			DisableExecuteAPIEndpoint   bool `json:"DisableExecuteApiEndpoint"`
			JwtConfiguration            struct{ Audience any }
		}
	}
}

func read(t *testing.T, c httpapi.Config) template {
	t.Helper()
	text, err := c.Template()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := c.Template(); err != nil || !bytes.Equal(text, again) {
		t.Fatalf("another run gives other bytes, %v", err)
	}
	var out template
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// What the guard admits gets through: the scopes are those of which every caller has one.
func TestRoutes(t *testing.T) {
	scope := countersign.Scope
	for _, tt := range []struct {
		name  string
		route countersign.Route
		want  string
	}{
		{"a scope", route("GET", "/orders/{id}", scope("read")), "GET /orders/{id} JWT [https://api.example.com/read]"},
		{"any of two", route("GET", "/orders", countersign.AnyScope("read", "admin")), "GET /orders JWT [https://api.example.com/read https://api.example.com/admin]"},
		{"all of two: the gateway asks for one, the guard for both", route("GET", "/orders", countersign.AllScopes("read", "admin")), "GET /orders JWT [https://api.example.com/read https://api.example.com/admin]"},
		{"any token", route("GET", "/me", countersign.Authenticated()), "GET /me JWT []"},
		{"a scope, or any token", route("GET", "/me", scope("read").Or(countersign.Authenticated())), "GET /me JWT []"},
		{"nobody asks for a token", route("GET", "/docs", countersign.Public("documentation")), "GET /docs NONE []"},
		{"every method", route("", "/orders", scope("read")), "ANY /orders JWT [https://api.example.com/read]"},
		{"the rest of a path", route("GET", "/files/{path...}", scope("read")), "GET /files/{path+} JWT [https://api.example.com/read]"},
		{"a subtree", route("GET", "/files/", scope("read")), "GET /files/ JWT [https://api.example.com/read]; GET /files/{proxy+} JWT [https://api.example.com/read]"},
		{"a subtree's root alone", route("GET", "/files/{$}", scope("read")), "GET /files/ JWT [https://api.example.com/read]"},
		{"everything", route("", "/", scope("read")), "ANY / JWT [https://api.example.com/read]; ANY /{proxy+} JWT [https://api.example.com/read]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			out := read(t, config(tt.route))
			for i := 1; ; i++ {
				r, found := out.Resources[fmt.Sprintf("Route%d", i)]
				if !found {
					break
				}
				p := r.Properties
				got = append(got, fmt.Sprint(p.RouteKey, " ", p.AuthorizationType, " ", p.AuthorizationScopes))
				if (p.AuthorizerID != nil) != (p.AuthorizationType == "JWT") {
					t.Errorf("%s: the authorizer is %v", p.RouteKey, p.AuthorizerID)
				}
			}
			if text := strings.Join(got, "; "); text != tt.want {
				t.Errorf("%s, want %s", text, tt.want)
			}
		})
	}
}

// net/http: /a/{$} comes before /a/.
func TestTheRootOfASubtree(t *testing.T) {
	out := read(t, config(route("GET", "/a/", countersign.Scope("read")), route("GET", "/a/{$}", countersign.Public("a list"))))
	if first, second := out.Resources["Route1"].Properties, out.Resources["Route2"].Properties; first.RouteKey != "GET /a/{proxy+}" || first.AuthorizationType != "JWT" || second.RouteKey != "GET /a/" || second.AuthorizationType != "NONE" {
		t.Errorf("%+v, %+v", first, second)
	}
}

func TestTheAPI(t *testing.T) {
	c := config(route("GET", "/orders", countersign.Scope("read")))
	out := read(t, c)
	if !out.Resources["Api"].Properties.DisableExecuteAPIEndpoint {
		t.Error("the API has an address beside its host, past the certificates that callers have to show")
	}
	if out.Parameters["Certificate"] == nil || out.Parameters["Clients"] == nil {
		t.Errorf("the parameters are %v", out.Parameters)
	}
	// RFC 9068: the audience is in the token.
	c.Policy.Profile, c.Certificate = countersign.RFC9068, "arn:aws:acm:eu-west-1:123456789012:certificate/0a1b"
	out = read(t, c)
	if got := fmt.Sprint(out.Resources["Authorizer"].Properties.JwtConfiguration.Audience); got != "[https://api.example.com]" || len(out.Parameters) != 4 {
		t.Errorf("the audience is %s, the parameters are %v", got, out.Parameters)
	}
	if got := out.Resources["Route1"].Properties.AuthorizationScopes; fmt.Sprint(got) != "[read]" {
		t.Errorf("the scopes are %v", got)
	}
}

func TestMistakes(t *testing.T) {
	many := config()
	for i := range 301 {
		many.Policy.Routes = append(many.Policy.Routes, route("GET", fmt.Sprintf("/a%d", i), countersign.Scope("read")))
	}
	local := config(route("GET", "/orders", countersign.Scope("read")))
	local.Issuer = "http://localhost:8081/pool"
	other := route("GET", "/orders", countersign.Scope("read"))
	other.Host = "other.example.com"
	for _, tt := range []struct {
		name string
		c    httpapi.Config
		want string
	}{
		{"no route", config(), "has no route"},
		{"another host's", config(other), "has no route"},
		{"a rule without a route", config(countersign.Route{Rule: countersign.Scope("read")}), "has no route"},
		{"too many", many, "there are 301 routes"},
		{"an issuer of this machine", local, "is not https"},
		{"a variable with another letter", config(route("GET", "/{größe}", countersign.Scope("read"))), "takes no variable named größe"},
		{"one route with two rules", config(route("GET", "/a", countersign.Scope("read")), route("GET", "/a", countersign.Scope("write"))), `GET /a has two rules, Scope("read") and Scope("write")`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := tt.c.Template(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}
