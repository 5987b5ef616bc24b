package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/countersigntest"
	"github.com/go-chi/chi/v5"
)

const resource = "https://api.example.com"

// observed keeps the routes that were decided about.
type observed struct {
	mu     sync.Mutex
	routes []string
}

func (o *observed) Decision(_ context.Context, event countersign.DecisionEvent) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.routes = append(o.routes, event.Route)
}

func (o *observed) Keys(countersign.KeyEvent) {}

func newGuard(t *testing.T, issuer *countersigntest.Issuer, change ...func(*countersign.Config)) *countersign.Guard {
	t.Helper()
	cfg := countersign.Config{
		Issuer: issuer.URL(), Resource: resource, Profile: countersign.Cognito, HTTPClient: issuer.HTTPClient(), Logger: slog.New(slog.DiscardHandler),
	}
	for _, f := range change {
		f(&cfg)
	}
	guard, err := countersign.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { guard.Close() })
	return guard
}

func TestEveryRouterAnswersAlike(t *testing.T) {
	issuer := countersigntest.NewIssuer(t)
	reader := issuer.As("reader", resource+"/orders.read").Token()
	writer := issuer.As("writer", resource+"/orders.write").Token()
	tests := map[string]struct {
		method, path, token string
		status              int
		challenge           string
	}{
		"rfc6750 s3: no token":                 {"GET", "/orders/7", "", 401, `Bearer realm="https://api.example.com"`},
		"rfc6750 s3.1: no token that could be": {"GET", "/orders/7", "a.b.c", 401, `Bearer error="invalid_token"`},
		"rfc6750 s3.1: another scope":          {"GET", "/orders/7", writer, 403, `Bearer error="insufficient_scope", scope="https://api.example.com/orders.read"`},
		"the scope to read":                    {"GET", "/orders/7", reader, 200, ""},
		"the scope to read, to write":          {"POST", "/orders", reader, 403, `Bearer error="insufficient_scope", scope="https://api.example.com/orders.write"`},
		"the scope to write":                   {"POST", "/orders", writer, 201, ""},
		"public":                               {"GET", "/healthz", "", 200, ""},
		"public, with a bad token":             {"GET", "/healthz", "a.b.c", 200, ""},
		"rfc3986 s6.2.2.3: hidden dots":        {"GET", "/orders/%2e%2e", reader, 400, `Bearer error="invalid_request"`},
		"a path that is not there":             {"GET", "/invoices", reader, 404, ""},
	}
	for router, build := range routers {
		api := build(newGuard(t, issuer))
		for name, test := range tests {
			t.Run(router+"/"+name, func(t *testing.T) {
				r := httptest.NewRequest(test.method, test.path, nil)
				if test.token != "" {
					r.Header.Set("Authorization", "Bearer "+test.token)
				}
				w := httptest.NewRecorder()
				api.ServeHTTP(w, r)
				if w.Code != test.status || w.Header().Get("WWW-Authenticate") != test.challenge {
					t.Errorf("%d %q, want %d %q", w.Code, w.Header().Get("WWW-Authenticate"), test.status, test.challenge)
				}
				body, _ := io.ReadAll(w.Body)
				if admitted := strings.Contains(string(body), "asks about order"); admitted != (test.token == reader && test.status == 200 || test.status == 201) {
					t.Errorf("the handler ran: %v, status %d, body %q", admitted, test.status, body)
				}
				if test.status == 200 && test.token == reader && !strings.HasSuffix(string(body), "order 7\n") {
					t.Errorf("body %q", body)
				}
			})
		}
	}
}

// Each router can list its routes: none of them, but the public one, lets anybody in without a token.
func TestNoRouteIsForgotten(t *testing.T) {
	issuer := countersigntest.NewIssuer(t)
	type route struct{ method, path string }
	chiRouter, ginRouter, echoRouter := newChi(newGuard(t, issuer)), newGin(newGuard(t, issuer)), newEcho(newGuard(t, issuer))
	lists := map[string][]route{}
	err := chi.Walk(chiRouter, func(method, path string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		lists["chi"] = append(lists["chi"], route{method, path})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range ginRouter.Routes() {
		lists["gin"] = append(lists["gin"], route{r.Method, r.Path})
	}
	for _, r := range echoRouter.Router().Routes() {
		lists["echo"] = append(lists["echo"], route{r.Method, r.Path})
	}
	for router, api := range map[string]http.Handler{"chi": chiRouter, "gin": ginRouter, "echo": echoRouter} {
		if len(lists[router]) != 3 {
			t.Errorf("%s lists %d routes, want 3", router, len(lists[router]))
		}
		for _, r := range lists[router] {
			w := httptest.NewRecorder()
			api.ServeHTTP(w, httptest.NewRequest(r.method, strings.NewReplacer("{id}", "7", ":id", "7").Replace(r.path), nil))
			if public := r.path == "/healthz"; (w.Code == http.StatusOK) != public || !public && w.Code != http.StatusUnauthorized {
				t.Errorf("%s: %s %s answers %d without a token", router, r.method, r.path, w.Code)
			}
		}
	}
}

// The log and the metrics name the route, which the guard has from the router.
func TestEveryRouterNamesTheRoute(t *testing.T) {
	issuer := countersigntest.NewIssuer(t)
	want := map[string]string{"nethttp": "GET /orders/{id}", "chi": "/orders/{id}", "gin": "/orders/:id", "echo": "/orders/:id"}
	for router, build := range routers {
		seen := &observed{}
		api := build(newGuard(t, issuer, func(c *countersign.Config) { c.Observer = seen }))
		api.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/orders/7", nil))
		if len(seen.routes) != 1 || seen.routes[0] != want[router] {
			t.Errorf("%s: decided about %q, want %q", router, seen.routes, want[router])
		}
	}
}

func TestItServesUntilItIsStopped(t *testing.T) {
	t.Setenv("COUNTERSIGN_ISSUER", "http://127.0.0.1:1/us-east-1_Example01") // nobody listens there, and nobody is asked for a token
	t.Setenv("COUNTERSIGN_RESOURCE", resource)
	t.Setenv("ADDR", "127.0.0.1:0")
	for router, build := range routers {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if err := run(ctx, build); err != nil {
			t.Errorf("%s: %v", router, err)
		}
		cancel()
	}
	t.Setenv("COUNTERSIGN_RESOURCE", "")
	if err := run(t.Context(), routers["chi"]); err == nil {
		t.Error("it serves without a resource")
	}
}
