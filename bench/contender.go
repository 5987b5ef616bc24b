package bench

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
)

// Op does the measured thing n times, and says so if it once went otherwise than it should: a benchmark that measures an error by mistake is
// worth less than none.
type Op func(n int) error

// Contender is one line of a row.
type Contender struct {
	Name  string
	Ours  bool
	Floor bool // what nobody can be faster than, or what the rest is measured against
	// Start makes the Op of one goroutine.
	Start func() (Op, error)
}

// sink is a ResponseWriter that keeps the status, and in which the protected handler leaves word that it was reached.
type sink struct {
	header http.Header
	status int
	served bool
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }
func (s *sink) WriteHeader(status int)      { s.status = status }

// reached is the protected handler.
func reached(w http.ResponseWriter, _ *http.Request) { w.(*sink).served = true }

// requests sends each of the tokens in turn to the handler. All of them must be served, or none.
func requests(h http.Handler, tokens []string, wantServed bool) func() (Op, error) {
	return func() (Op, error) {
		op := sending(h, tokens, wantServed)
		// Once around with other requests: it fetches keys and fills caches, and fails before anything is measured. A server gets
		// a new string with each request; if the cached token were the very string of the measured request, to compare
		// the two would cost nothing.
		return op, sending(h, tokens, wantServed)(len(tokens))
	}
}

// sending has a request of its own, whose tokens are strings of their own. It is one request, because a server has just read the one that it
// serves: with thousands of them the figure would be that of fetching their headers from memory.
func sending(h http.Handler, tokens []string, wantServed bool) Op {
	r := httptest.NewRequestWithContext(context.Background(), "GET", "/orders/7", nil)
	r.Header.Set("Authorization", "")
	authorization := r.Header["Authorization"]
	values := make([]string, len(tokens))
	for i, token := range tokens {
		values[i] = "Bearer " + token
	}
	next := 0
	w := &sink{header: http.Header{}}
	return func(n int) error {
		for range n {
			w.served, w.status = false, 0
			authorization[0] = values[next]
			h.ServeHTTP(w, r)
			if w.served != wantServed || !wantServed && (w.status < 400 || w.status >= 500) {
				return fmt.Errorf("served: %t, status %d; want served: %t", w.served, w.status, wantServed)
			}
			if next++; next == len(values) {
				next = 0
			}
		}
		return nil
	}
}
