package prove_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/prove"
)

// Two routes may call different things {id}.
func TestRunTakesExamples(t *testing.T) {
	api := newGuard(t).Mux()
	var mu sync.Mutex
	seen := map[string]int{}
	note := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		seen[fmt.Sprintf("%s %s %s %s %q", r.Method, r.URL, r.Header.Get("X-Tenant"), r.Header.Get("Content-Type"), body)]++
	}
	api.HandleFunc("GET /orders/{id}", note, countersign.Scope("orders.read"))
	api.HandleFunc("GET /users/{id}", note, countersign.Scope("orders.read"))
	api.HandleFunc("PUT /users/{id}", note, countersign.Scope("orders.write"))
	var refusedWithout bool
	cfg := config(api.Policy(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/orders/") && (!strings.Contains(r.URL.RawQuery, "day=1") || r.Header.Get("X-Tenant") != "t1") {
			refusedWithout = true
		}
		api.ServeHTTP(w, r)
	}))
	cfg.Concurrency = 1
	cfg.Values = map[string]string{"id": "7"}
	cfg.Examples = map[string]prove.Example{
		"GET /orders/{id}": {Values: map[string]string{"id": "order-1"}, Query: "day=1", Header: http.Header{"x-tenant": {"t1"}}},
		"PUT /users/{id}":  {Body: []byte("<user/>"), ContentType: "application/xml"},
	}
	if err := run(t, cfg).Err(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`GET /orders/order-1?day=1 t1  ""`, `GET /users/7   ""`, `PUT /users/7  application/xml "<user/>"`} {
		if seen[want] != 1 {
			t.Errorf("no %s among %v", want, seen)
		}
	}
	if len(seen) != 3 || refusedWithout {
		t.Errorf("%d kinds of requests were admitted; a request without its query or header: %t", len(seen), refusedWithout)
	}
}

// The success has the media type that is documented, in process and over a connection.
func TestRunChecksTheMediaType(t *testing.T) {
	api := newGuard(t).Mux()
	answer := func(media, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if media != "" {
				w.Header().Set("Content-Type", media)
			}
			io.WriteString(w, body)
		}
	}
	api.HandleFunc("GET /json", answer("application/json; charset=utf-8", "{}"), countersign.Scope("orders.read"))
	api.HandleFunc("GET /sniffed", answer("", "<html></html>"), countersign.Scope("orders.read"))
	api.HandleFunc("GET /range", answer("text/csv", "a,b"), countersign.Scope("orders.read"))
	api.HandleFunc("GET /any", answer("image/png", "x"), countersign.Scope("orders.read"))
	api.HandleFunc("GET /empty", answer("", ""), countersign.Scope("orders.read"))
	api.HandleFunc("GET /no-content", status(http.StatusNoContent), countersign.Scope("orders.read"))
	api.HandleFunc("GET /nonsense", answer("nonsense", "x"), countersign.Scope("orders.read"))
	api.HandleFunc("GET /public", answer("text/html", "x"), countersign.Public("page"))
	api.HandleFunc("GET /not-asked", answer("text/html", "x"), countersign.Scope("orders.read"))
	api.HandleFunc("GET /bad-request", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "what?", http.StatusBadRequest) }, countersign.Scope("orders.read"))
	server := httptest.NewServer(api)
	defer server.Close()
	remote, err := prove.URL(server.URL, server.Client())
	if err != nil {
		t.Fatal(err)
	}
	json := []string{"application/json"}
	for _, target := range []prove.Target{prove.Handler(api), remote} {
		cfg := config(api.Policy(), api)
		cfg.Target = target
		cfg.Examples = map[string]prove.Example{
			"GET /json": {Success: json}, "GET /sniffed": {Success: json}, "GET /range": {Success: []string{"application/json", "text/*"}},
			"GET /any": {Success: []string{"*/*"}}, "GET /empty": {Success: json}, "GET /no-content": {Success: json},
			"GET /nonsense": {Success: []string{"application/json", "*/*"}}, "GET /public": {Success: json}, "GET /bad-request": {Success: json},
		}
		report := run(t, cfg)
		notes := map[string]string{}
		for _, row := range report.Rows {
			if row.State != prove.Proved {
				notes[row.Route+" / "+row.Case] = row.Note
			}
		}
		for name, want := range map[string]string{
			"GET /sniffed / allowed with orders.read":  "answers text/html, documented is application/json",
			"GET /nonsense / allowed with orders.read": "answers nonsense, documented is application/json or */*",
			"GET /public / allowed without token":      "answers text/html, documented is application/json",
		} {
			if notes[name] != want {
				t.Errorf("%s: %s: %q", target, name, notes[name])
			}
			delete(notes, name)
		}
		if len(notes) > 0 {
			t.Errorf("%s: %q", target, notes)
		}
	}
}

// A made-up value names nothing. Whether the handler says so or the router is told by the refusal without a token.
func TestRunWithMadeUpValues(t *testing.T) {
	p := policyOf(
		countersign.Route{Pattern: "GET /orders/{id}", Rule: countersign.Scope("orders.read")},
		countersign.Route{Pattern: "GET /gone/{id}", Rule: countersign.Scope("orders.read")},
		countersign.Route{Pattern: "GET /pages/{id}", Rule: countersign.Public("page")},
	)
	api := newGuard(t).Mux()
	api.HandleFunc("GET /orders/{id}", status(http.StatusNotFound), countersign.Scope("orders.read"))
	for _, tt := range []struct {
		made               bool
		orders, gone, page prove.State
	}{
		{true, prove.Proved, prove.Different, prove.Unprovable},
		{false, prove.Different, prove.Different, prove.Different},
	} {
		cfg := config(p, api)
		cfg.Examples = map[string]prove.Example{"GET /orders/{id}": {Made: tt.made}, "GET /gone/{id}": {Made: tt.made}, "GET /pages/{id}": {Made: tt.made}}
		report := run(t, cfg)
		for _, row := range []struct {
			route, name string
			want        prove.State
		}{
			{"GET /orders/{id}", "allowed with orders.read", tt.orders},
			{"GET /gone/{id}", "allowed with orders.read", tt.gone},
			{"GET /pages/{id}", "allowed without token", tt.page},
		} {
			if got := find(t, report, row.route, row.name); got.State != row.want || got.Got != "404" {
				t.Errorf("made %t: %s: want %s, got %s (%s)", tt.made, row.route, row.want, got.State, got.Note)
			}
		}
	}
}

// On a service with data of its own nobody knows what exists: whatever has no value is made up there.
func TestRunWithoutKnowledgeOfTheData(t *testing.T) {
	api := newGuard(t).Mux()
	for _, pattern := range []string{"GET /orders/{id}", "GET /files/{rest...}", "GET /pages/", "GET /exact/{$}", "GET /fixed", "GET /known/{name}", "GET /two/{name}/{id}"} {
		api.HandleFunc(pattern, http.NotFound, countersign.Scope("orders.read"))
	}
	cfg := config(api.Policy(), api)
	cfg.Made, cfg.Values = true, map[string]string{"name": "tea"}
	report := run(t, cfg)
	for pattern, want := range map[string]prove.State{
		"GET /orders/{id}": prove.Proved, "GET /files/{rest...}": prove.Proved, "GET /pages/": prove.Proved, "GET /two/{name}/{id}": prove.Proved,
		"GET /exact/{$}": prove.Different, "GET /fixed": prove.Different, "GET /known/{name}": prove.Different,
	} {
		if row := find(t, report, pattern, "allowed with orders.read"); row.State != want || row.Got != "404" {
			t.Errorf("want %s: %s", want, row)
		}
	}
}

// Services other than net/http's know no HEAD where only GET is documented. Nobody is let in by that.
func TestRunWithoutHEAD(t *testing.T) {
	api := newGuard(t).Mux()
	api.HandleFunc("GET /orders", ok, countersign.Scope("orders.read"))
	for _, code := range []int{http.StatusNotFound, http.StatusMethodNotAllowed} {
		cfg := config(api.Policy(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead {
				w.WriteHeader(code)
				return
			}
			api.ServeHTTP(w, r)
		}))
		if err := run(t, cfg).Err(); err != nil {
			t.Error(err)
		}
	}
}

// An example with a token of its own would prove nothing.
func TestConfigRefusesExamples(t *testing.T) {
	p := policyOf(countersign.Route{Pattern: "GET /a", Rule: countersign.Scope("orders.read")})
	_, err := prove.Run(t.Context(), prove.Config{Policy: p, Target: prove.Handler(http.NotFoundHandler()), Examples: map[string]prove.Example{
		"GET /a": {Header: http.Header{"authorization": {"Bearer secret"}, "Cookie": {"secret"}}, Success: []string{"json;="}},
	}})
	for _, want := range []string{`Examples["GET /a"].Header has Authorization`, `Examples["GET /a"].Header has Cookie`, `Examples["GET /a"].Success has "json;="`} {
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("want %q in %v", want, err)
		}
	}
}
