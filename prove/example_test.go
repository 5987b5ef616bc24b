package prove_test

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/prove"
)

// A service whose second route forgot its guard.
func ExampleRun() {
	policy := countersign.Policy{Resource: "https://orders.example.com", Routes: []countersign.Route{
		{Pattern: "GET /healthz", Method: "GET", Path: "/healthz", Rule: countersign.Public("liveness probe")},
		{Pattern: "GET /orders", Method: "GET", Path: "/orders", Rule: countersign.Scope("orders.read"), Source: "api.go:31"},
	}}
	service := http.NewServeMux()
	service.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	service.HandleFunc("GET /orders", func(http.ResponseWriter, *http.Request) {})

	report, err := prove.Run(context.Background(), prove.Config{Policy: policy, Target: prove.Handler(service)})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, row := range report.Rows {
		if row.Kind == prove.KindNoToken {
			fmt.Println(row)
		}
	}
	fmt.Println("exit code", report.ExitCode())
	// Output:
	// GET /orders / 401 no token: want 401, no error code, got 200 (admitted, though it must be refused)
	// GET /orders / 401 no token, HEAD: want 401, no error code or 404 or 405 or 501, got 200 (admitted, though it must be refused)
	// exit code 1
}

func ExamplePlan() {
	policy := countersign.Policy{Resource: "https://orders.example.com", Routes: []countersign.Route{
		{Pattern: "GET /orders", Method: "GET", Path: "/orders", Rule: countersign.Scope("orders.read")},
		{Pattern: "POST /orders", Method: "POST", Path: "/orders", Rule: countersign.Scope("orders.write")},
	}}
	for _, c := range prove.Plan(policy) {
		if c.Kind == prove.KindScope || c.Kind == prove.KindAllowed {
			fmt.Println(c.ID(), "->", c.Want())
		}
	}
	// Output:
	// GET /orders / 403 with only orders.write -> 403 insufficient_scope
	// GET /orders / allowed with orders.read -> allowed
	// POST /orders / 403 with only orders.read -> 403 insufficient_scope
	// POST /orders / allowed with orders.write -> allowed
}

func ExampleTable() {
	report := prove.Report{Target: "https://api.example.com", Rows: []prove.Row{
		{Route: "GET /healthz", Rule: `Public("liveness probe")`, Case: "allowed without token", State: prove.Proved, Got: "200"},
	}}
	if err := (prove.Table{ASCII: true}).Write(os.Stdout, report); err != nil {
		fmt.Println(err)
	}
	// Output:
	// GET /healthz  Public("liveness probe")
	//   ok   allowed without token  200
	//
	// https://api.example.com: proved (1 route, 1 case, 1 proved, 0 tokens)
}

func ExampleBadTokens() {
	for _, bad := range prove.BadTokens() {
		if bad.Name == "alg none" {
			fmt.Println(bad.Clause, bad.Needs, bad.Answers)
		}
	}
	// Output: RFC 8725, Section 3.1 token [401 invalid_token]
}
