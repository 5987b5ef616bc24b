package countersign_test

import (
	"strings"
	"testing"

	"github.com/countersign-dev/countersign"
)

func TestParsePolicyRefuses(t *testing.T) {
	good := string(document(t, orders(
		route("GET /orders", countersign.Scope("read")),
		route("GET /healthz", countersign.Public("probe")),
	)))
	const security = `"security": [
          {
            "oauth2": [
              "https://orders.example.com/read"
            ]
          }
        ]`
	for _, tt := range []struct{ name, old, new, want string }{
		{"no JSON", good, "openapi: 3.1.0", "(the document): not JSON"},
		{"cut off", good, good[:len(good)/2], "not JSON: the text ends too early"},
		{"two values", good, good + "{}", "text after the JSON value"},
		{"an array", good, "[]", "(the document): want an object, got an array"},
		{"another version", `"3.1.0"`, `"3.0.3"`, `/openapi: want version 3.1, got "3.0.3"`},
		{"no paths", `"paths"`, `"x-paths"`, "/paths: missing"},
		{"unknown member", `"paths"`, `"path": {}, "paths"`, "/path: the member does not belong here"},
		{"security of the document", `"paths"`, `"security": [], "paths"`, "/security: the member does not belong here"},
		{"misspelt method", `"get"`, `"gett"`, "/paths/~1healthz/gett: the member does not belong here"},
		{"reference", `"get"`, `"$ref"`, "/paths/~1healthz/$ref: the member does not belong here"},
		{"newer extension", `"x-countersign-public"`, `"x-countersign-private"`, "/paths/~1healthz/get/x-countersign-private: a member of a newer version"},
		{"no security", security, `"deprecated": true`, "/paths/~1orders/get: security is missing"},
		{"null security", security, `"security": null`, "/paths/~1orders/get/security: want an array, got null"},
		{"public without reason", security, `"security": []`, "/paths/~1orders/get/security: a public route says why in x-countersign-public"},
		{"empty reason", `"probe"`, `""`, "/paths/~1healthz/get/x-countersign-public: the string is empty"},
		{"public with security", security, security + `, "x-countersign-public": "no"`, "/paths/~1orders/get/x-countersign-public: the route demands a token"},
		{"empty requirement", security, `"security": [{}]`, `/paths/~1orders/get/security/0: want one member, "oauth2"`},
		{"two schemes", security, `"security": [{"oauth2": [], "key": []}]`, `/paths/~1orders/get/security/0: want one member, "oauth2"`},
		{"foreign scope", "https://orders.example.com/read\"\n            ]", "https://other.example.com/read\"\n            ]", `/paths/~1orders/get/security/0/oauth2/0: the scope "https://other.example.com/read" does not begin with`},
		{"scope is no string", "\"https://orders.example.com/read\"\n            ]", "7\n            ]", "/paths/~1orders/get/security/0/oauth2/0: want a string, got a number"},
		{"member twice", `"get"`, `"get": {}, "get"`, "/paths/~1healthz/get: the member is there twice"},
		{"pattern of another path", security, security + `, "x-countersign-pattern": "GET /admin"`, `the pattern "GET /admin" does not belong to GET /orders`},
		{"pattern of another method", security, security + `, "x-countersign-pattern": "POST /orders"`, `the pattern "POST /orders" does not belong to GET /orders`},
		{"no pattern", security, security + `, "x-countersign-pattern": "GET orders"`, "not a pattern of net/http"},
		{"path without slash", `"/orders"`, `"orders"`, "/paths/orders: a path begins with a slash"},
		{"another scheme", `"type": "oauth2"`, `"type": "http"`, "/components/securitySchemes/oauth2: want a security scheme of type oauth2"},
		{"list of clients", security, security + `, "x-countersign-clients": ["a", "b"]`, "/paths/~1orders/get/x-countersign-clients: 2 clients for 1 requirements"},
		{"flag", security, security + `, "x-countersign-report": "yes"`, "/paths/~1orders/get/x-countersign-report: want a boolean, got a string"},
		{"profile", `"paths"`, `"x-countersign-profile": "saml", "paths"`, `/x-countersign-profile: "saml" is no profile`},
		{"scope with a space", "https://orders.example.com/read\"\n            ]", "https://orders.example.com/read all\"\n            ]", "/paths/~1orders/get/security/0/oauth2/0: \"https://orders.example.com/read all\" is no scope"},
		{"rule of no pattern without security", `"paths"`, `"x-countersign-require": [{}], "paths"`, "/x-countersign-require/0: security is missing"},
		{"too deep", `"paths"`, `"x-deep": ` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `, "paths"`, "nested more than 64 deep"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(good, tt.old) {
				t.Fatalf("the document lacks %s:\n%s", tt.old, good)
			}
			p, err := countersign.ParsePolicy([]byte(strings.Replace(good, tt.old, tt.new, 1)))
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "countersign: policy: ") {
				t.Errorf("got %v", err)
			}
			if len(p.Routes) > 0 {
				t.Errorf("an error and a policy: %v", p)
			}
		})
	}
}

// A team may describe its API in the file; a route for every method must have one rule.
func TestParsePolicyTolerates(t *testing.T) {
	doc := string(document(t, orders(route("GET /orders", countersign.Scope("read")))))
	doc = strings.Replace(doc, `"get": {`, `"summary": "Orders", "x-team": "shop", "get": {"operationId": "list", "tags": ["a"], "x-slo": {"p99": 1},`, 1)
	doc = strings.Replace(doc, `"paths": {`, `"servers": [{"url": "/"}], "x-a": null, "paths": {"x-b": 1,`, 1)
	p, err := countersign.ParsePolicy([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Routes) != 1 || p.Routes[0].Method != "GET" || p.Routes[0].Path != "/orders" {
		t.Errorf("got %+v", p.Routes)
	}
}

func TestParsePolicyReportsEveryProblem(t *testing.T) {
	doc := strings.NewReplacer(`"x-countersign-public"`, `"x-public"`, `"3.1.0"`, `"2.0"`).Replace(string(document(t, ordersPolicy)))
	_, err := countersign.ParsePolicy([]byte(doc))
	for _, want := range []string{"/openapi: ", "/paths/~1healthz/get/security: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %s, got %v", want, err)
		}
	}
}

// What ParsePolicy accepts is written again as the same policy.
func FuzzParsePolicy(f *testing.F) {
	// The seeds are short: the fuzzer cuts whatever is new to it down byte by byte, and a document of some kilobytes takes it minutes.
	for _, operations := range []string{
		`"/a":{"get":{"security":[{"oauth2":["r/s"]}]},"put":{"security":[],"x-countersign-public":"p"}}`,
		`"/a/{b}":{"get":{"security":[{"oauth2":[]}],"x-countersign-pattern":"/a/{b...}","x-countersign-clients":["c"]}}`,
		`"/a/":{"x-countersign-also":[{"security":[{"oauth2":["r/s","r/t"]}],"x-countersign-pattern":"PURGE h/a/"}]}`,
	} {
		f.Add([]byte(`{"openapi":"3.1.0","x-countersign-resource":"r","paths":{` + operations + `},"components":{"securitySchemes":{"oauth2":{"type":"oauth2"}}}}`))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		p, err := countersign.ParsePolicy(doc)
		if err != nil {
			return
		}
		first, err := p.OpenAPI()
		if err != nil {
			t.Fatalf("accepted and cannot be written: %v", err)
		}
		q, err := countersign.ParsePolicy(first)
		if err != nil {
			t.Fatalf("written and cannot be read: %v\n%s", err, first)
		}
		if changes := countersign.Diff(p, q); len(changes) > 0 {
			t.Fatalf("%v\n%s", changes, first)
		}
	})
}
