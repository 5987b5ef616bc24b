package countersign

import (
	"fmt"
	"net/http"
	"sync"
)

// Mux is [net/http.ServeMux] with a rule for every pattern. What is not registered does not reach a handler: it gets 404, or
// 405 when the path is there for another method. Nothing is opened for OPTIONS; a service that wants
// CORS registers it.
//
// The rule that decides is the one of the path that the handler reads. A request whose path is written so that net/http finds one
// route in it and the handler another, such as "/public/%2e%2e/private", gets 400.
type Mux struct {
	guard *Guard
	mux   http.ServeMux

	mu     sync.Mutex
	routes []Route
}

// Mux returns a new, empty mux of the guard.
func (g *Guard) Mux() *Mux {
	m := &Mux{guard: g}
	m.handleMetadata()
	return m
}

// Handle registers the handler for the pattern, with the rule that says who may call it. The patterns are
// [net/http.ServeMux]'s; GET includes HEAD.
//
// It panics when rule is the zero Rule, when no token could have a scope that it names, and when the pattern conflicts with
// another one: such a program must not start. The panic names file and line of the registration and what to write instead.
func (m *Mux) Handle(pattern string, handler http.Handler, rule Rule) {
	if handler == nil {
		panic(startUp(pattern + ": the handler is nil"))
	}
	route := newRoute(pattern, rule, callerSource())
	m.guard.check(route)
	m.mu.Lock()
	defer m.mu.Unlock()
	defer func() {
		if problem := recover(); problem != nil {
			panic(startUpAt(route.Source, m.explain(pattern, problem)))
		}
	}()
	m.mux.Handle(pattern, &guarded{guard: m.guard, mux: m, route: route, next: handler})
	m.routes = append(m.routes, route)
	m.guard.note(route)
}

// HandleFunc is [Mux.Handle] for a function.
func (m *Mux) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request), rule Rule) {
	if handler == nil {
		panic(startUp(pattern + ": the handler is nil"))
	}
	m.Handle(pattern, http.HandlerFunc(handler), rule)
}

// ServeHTTP decides by the route's rule, and serves the request or refuses it as RFC 6750 says.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.mux.ServeHTTP(w, r) }

// Policy returns who may call what on this mux.
func (m *Mux) Policy() Policy {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.guard.policy(m.routes)
}

// explain says what net/http has against a pattern, with the places of the user's code: net/http's own text names
// this file.
func (m *Mux) explain(pattern string, problem any) string {
	for _, route := range m.routes {
		if conflict(route.Pattern, pattern) {
			return fmt.Sprintf("%s: the pattern conflicts with %s, registered at %s; make one of them more specific",
				pattern, route.Pattern, route.Source)
		}
	}
	return fmt.Sprintf("%q: %v", pattern, problem)
}

func conflict(a, b string) (found bool) {
	defer func() { found = recover() != nil }()
	var mux http.ServeMux
	mux.Handle(a, http.NotFoundHandler())
	mux.Handle(b, http.NotFoundHandler())
	return false
}
