package peers

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/prove"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

var chiRules = map[string]countersign.Rule{
	"GET /orders":         countersign.Scope("demo.read"),
	"GET /orders/{id}":    countersign.Scope("demo.read"),
	"POST /orders":        countersign.Scope("demo.write"),
	"DELETE /orders/{id}": countersign.AllScopes("demo.read", "demo.write"),
}

// chiService is a service on chi: correct, or with one of the faults that chi makes easy.
func chiService(guard *countersign.Guard, fault string) http.Handler {
	r := chi.NewRouter()
	behind := map[string]func(http.Handler) http.Handler{
		"CleanPath behind a filter": middleware.CleanPath, "StripSlashes behind a filter": middleware.StripSlashes, "GetHead behind a filter": middleware.GetHead,
	}[fault]
	if behind != nil {
		r.Use(chiFilter(guard), behind)
	}
	for pattern, rule := range chiRules {
		method, path, _ := strings.Cut(pattern, " ")
		var guards []func(http.Handler) http.Handler
		switch {
		case behind != nil, fault == "a route outside of the group" && method == "DELETE":
		case fault == "a look-up before the guard" && strings.Contains(path, "{"):
			guards = append(guards, findOrder, guard.Require(rule))
		case fault == "any scope for all" && method == "DELETE":
			guards = append(guards, guard.Require(countersign.AnyScope("demo.read", "demo.write")))
		default:
			guards = append(guards, guard.Require(rule))
		}
		r.With(guards...).MethodFunc(method, path, func(http.ResponseWriter, *http.Request) {})
	}
	return r
}

// chiFilter guards by what the request says, before the router has read it its own way.
func chiFilter(guard *countersign.Guard) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		guarded := map[string]http.Handler{}
		for pattern, rule := range chiRules {
			guarded[pattern] = guard.Require(rule)(next)
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			path := r.URL.Path
			if id, ok := strings.CutPrefix(path, "/orders/"); ok && id != "" && !strings.Contains(id, "/") {
				path = "/orders/{id}"
			}
			if h := guarded[r.Method+" "+path]; h != nil {
				h.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// findOrder answers 404 for an order that is not there, whoever asks.
func findOrder(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			http.NotFound(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// The correct service raises no alarm, and each planted fault is found by the case that is about it.
func TestProveChi(t *testing.T) {
	p := newUserPool(t, "")
	guard, err := countersign.New(countersign.Config{
		Issuer: p.issuer, Resource: resource, HTTPClient: &http.Client{Transport: p}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { guard.Close() })
	_, signer, err := p.service.SigningKey(p.id)
	if err != nil {
		t.Fatal(err)
	}
	policy := countersign.Policy{Issuer: p.issuer, Resource: resource, Profile: countersign.Cognito}
	for pattern, rule := range chiRules {
		method, path, _ := strings.Cut(pattern, " ")
		policy.Routes = append(policy.Routes, countersign.Route{Pattern: pattern, Method: method, Path: path, Rule: rule})
	}
	for fault, want := range map[string]string{
		"":                             "",
		"a route outside of the group": "DELETE /orders/{id} / 401 no token",
		"a look-up before the guard":   "GET /orders/{id} / 401 no token",
		"any scope for all":            "DELETE /orders/{id} / 403 with only demo.read",
		"CleanPath behind a filter":    "GET /orders / no token, double slash",
		"StripSlashes behind a filter": "POST /orders / no token, slash at the end",
		"GetHead behind a filter":      "GET /orders / 401 no token, HEAD",
	} {
		t.Run(fault, func(t *testing.T) {
			report, err := prove.Run(t.Context(), prove.Config{
				Policy: policy, Target: prove.Handler(chiService(guard, fault)), Signer: signer,
				Tokens: prove.Clients{{Scopes: poolScopes, Token: func(_ context.Context, scopes []string) (string, error) { return p.token(t, scopes...), nil }}},
			})
			if err != nil {
				t.Fatal(err)
			}
			var found []string
			for _, row := range report.Rows {
				if !row.OK() {
					found = append(found, row.Route+" / "+row.Case)
				}
			}
			if fault == "" && len(found) > 0 || fault != "" && !slices.Contains(found, want) {
				t.Errorf("want %q, found %q", want, found)
			}
		})
	}
}
