package countersign_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/countersign-dev/countersign"
)

// exampleGuard is a guard whose issuer answers in this process.
func exampleGuard() *countersign.Guard {
	issuer := newIssuer(pool)
	return must(countersign.New(countersign.Config{
		Issuer: pool, Resource: resource, HTTPClient: &http.Client{Transport: issuer}, Now: issuer.now,
		Logger: slog.New(slog.DiscardHandler),
	}))
}

func show(h http.Handler, method, target, token string) {
	r := httptest.NewRequest(method, target, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Println(strings.TrimSpace(fmt.Sprint(w.Code, " ", w.Header().Get("WWW-Authenticate"))))
}

var offline = &http.Client{Transport: newIssuer(pool)}

func ExampleNew() {
	guard, err := countersign.New(countersign.Config{
		Issuer:     "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123",
		Resource:   "https://api.example.com",
		HTTPClient: offline, // for this example only
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer guard.Close()
	fmt.Println(guard.Policy().FullScope("demo.read"))

	_, err = countersign.New(countersign.Config{Issuer: "http://idp.example.com"})
	fmt.Println(err)
	// Output:
	// https://api.example.com/demo.read
	// countersign: Resource is required: the identifier of this service, such as https://api.example.com
	// countersign: Issuer "http://idp.example.com": https is required; InsecureAllowHTTP permits http
}

func ExampleConfigFromEnv() {
	os.Setenv("COUNTERSIGN_ISSUER", "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123")
	os.Setenv("COUNTERSIGN_RESOURCE", "") // which a shell may have from countersign env
	defer os.Unsetenv("COUNTERSIGN_ISSUER")
	_, err := countersign.ConfigFromEnv()
	fmt.Println(err)
	// Output:
	// countersign: COUNTERSIGN_RESOURCE is not set; it is such as https://api.example.com
}

func ExampleGuard_Mux() {
	guard := exampleGuard()
	defer guard.Close()
	api := guard.Mux()
	api.HandleFunc("GET /demo/{name}", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "hello "+r.PathValue("name"))
	}, countersign.Scope("demo.read"))

	show(api, "GET", "/demo/you", "")
	show(api, "GET", "/demo/you", scoped("demo.write"))
	show(api, "GET", "/demo/you", scoped("demo.read"))
	show(api, "GET", "/elsewhere", scoped("demo.read"))
	// Output:
	// 401 Bearer realm="https://api.example.com"
	// 403 Bearer error="insufficient_scope", scope="https://api.example.com/demo.read"
	// 200
	// 404
}

func ExampleMux_Policy() {
	guard := exampleGuard()
	defer guard.Close()
	api := guard.Mux()
	api.HandleFunc("GET /orders/{id}", http.NotFound, countersign.Scope("orders.read"))
	api.HandleFunc("GET /healthz", http.NotFound, countersign.Public("liveness probe"))
	for _, route := range api.Policy().Routes {
		fmt.Println(route.Pattern, route.Rule)
	}
	// Output:
	// GET /orders/{id} Scope("orders.read")
	// GET /healthz Public("liveness probe")
}

func ExampleGuard_Require() {
	guard := exampleGuard()
	defer guard.Close()
	router := http.NewServeMux() // or any other router
	readers := guard.Require(countersign.Scope("demo.read"))
	router.Handle("/demo", readers(http.HandlerFunc(http.NotFound)))

	show(router, "GET", "/demo", "")
	show(router, "GET", "/demo", scoped("demo.read"))
	// Output:
	// 401 Bearer realm="https://api.example.com"
	// 404
}

func ExampleGuard_Authorize() {
	guard := exampleGuard()
	defer guard.Close()
	_, err := guard.Authorize(context.Background(), scoped("demo.read"), countersign.Scope("demo.write"))
	var refused *countersign.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Status, refused.Code, errors.Is(err, countersign.InsufficientScope))
	}
	// Output:
	// 403 insufficient_scope true
}

func ExampleGuard_Explain() {
	guard := exampleGuard()
	defer guard.Close()
	token := sign(cognitoHeader, cognitoClaims.with("token_use", `"id"`))
	for _, check := range guard.Explain(context.Background(), token, countersign.Scope("demo.read")).Checks {
		if !check.OK {
			fmt.Println(check)
		}
	}
	// Output:
	// FAIL  token_use   want "access", got "id"  (Cognito)
}

func ExampleCallerFrom() {
	guard := exampleGuard()
	defer guard.Close()
	api := guard.Mux()
	api.HandleFunc("GET /whoami", func(w http.ResponseWriter, r *http.Request) {
		caller := countersign.CallerFrom(r.Context())
		fmt.Println(caller.ClientID, caller.Scopes, caller.HasScope("demo.write"))
	}, countersign.Authenticated())
	show(api, "GET", "/whoami", scoped("demo.read"))
	// Output:
	// 1example23456789 [demo.read] false
	// 200
}

func ExampleRule_And() {
	rule := countersign.Scope("orders.write").And(countersign.Client("checkout"))
	fmt.Println(rule)
	// Output:
	// Scope("orders.write").And(Client("checkout"))
}

func ExampleReport() {
	guard := exampleGuard()
	defer guard.Close()
	api := guard.Mux()
	api.HandleFunc("GET /legacy", func(http.ResponseWriter, *http.Request) {}, countersign.Report(countersign.Scope("demo.read")))
	show(api, "GET", "/legacy", "") // served, and logged as would_deny
	fmt.Println(api.Policy().Routes[0].Rule)
	// Output:
	// 200
	// Report(Scope("demo.read"))
}

func ExampleAnyScope() {
	fmt.Println(countersign.AnyScope("demo.read", "demo.admin").Alternatives())
	fmt.Println(countersign.AllScopes("demo.read", "demo.write").Alternatives())
	// Output:
	// [[demo.read] [demo.admin]]
	// [[demo.read demo.write]]
}

func ExampleCaller_Claim() {
	guard := exampleGuard()
	defer guard.Close()
	token := sign(cognitoHeader, cognitoClaims.also("plan", `{"name":"gold","seats":7}`))
	caller, err := guard.Authorize(context.Background(), token, countersign.Scope("demo.read"))
	if err != nil {
		fmt.Println(err)
		return
	}
	var plan struct{ Seats int }
	fmt.Println(caller.Claim("plan", &plan), plan.Seats)
	fmt.Println(caller.Claim("PLAN", &plan)) // names are exact
	// Output:
	// <nil> 7
	// countersign: the token has no such claim
}

func ExampleUntilExpiry() {
	guard := exampleGuard()
	defer guard.Close()
	api := guard.Mux()
	api.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) {
		end, ok := r.Context().Deadline() // a stream ends here, with the token
		fmt.Println(ok, !end.IsZero())
	}, countersign.UntilExpiry(countersign.Scope("demo.read")))
	show(api, "GET", "/events", scoped("demo.read"))
	// Output:
	// true true
	// 200
}

func ExampleExplain() {
	for _, check := range countersign.Explain("eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9.").Checks {
		fmt.Println(check)
	}
	// Output:
	// ok    size        want at most 16384 bytes, got 37 bytes  (limit of this package)
	// FAIL  shape       want three parts, none empty, got 3 parts, an empty one among them  (RFC 7515, Section 7.1)
}

func ExampleGuard_PolicyHandler() {
	guard := exampleGuard()
	defer guard.Close()
	api := guard.Mux()
	api.Handle("GET /.well-known/countersign-policy", guard.PolicyHandler(), countersign.Scope("policy.read"))

	show(api, "GET", "/.well-known/countersign-policy", scoped("demo.read"))
	show(api, "GET", "/.well-known/countersign-policy", scoped("policy.read"))
	// Output:
	// 403 Bearer error="insufficient_scope", scope="https://api.example.com/policy.read"
	// 200
}

func ExamplePublic() {
	rule := countersign.Public("liveness probe")
	fmt.Println(rule, rule.IsPublic(), rule.Reason())
	// Output:
	// Public("liveness probe") true liveness probe
}

func ExampleRule_Or() {
	rule := countersign.Scope("orders.admin").Or(countersign.Client("checkout").And(countersign.Scope("orders.read")))
	fmt.Println(rule)
	for _, need := range rule.Needs() {
		fmt.Printf("%q from %q\n", need.Scopes, need.Client)
	}
	// Output:
	// Scope("orders.admin").Or(Scope("orders.read").And(Client("checkout")))
	// ["orders.admin"] from ""
	// ["orders.read"] from "checkout"
}

func ExampleParsePolicy() {
	guard := exampleGuard()
	defer guard.Close()
	api := guard.Mux()
	api.HandleFunc("GET /orders/{id}", http.NotFound, countersign.Scope("orders.read"))
	document, err := api.Policy().OpenAPI()
	if err != nil {
		fmt.Println(err)
		return
	}
	policy, err := countersign.ParsePolicy(document) // what was reviewed is what runs
	fmt.Println(err, countersign.Diff(policy, api.Policy()))
	// Output:
	// <nil> []
}
