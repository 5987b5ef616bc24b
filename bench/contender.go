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

// requests sends each of the tokens in turn to the handler. All of them must be served, or none. The tokens are made when the Op is: as long as nobody
// sends them they are not there. A program that holds more collects its garbage less often and allocates from memory that it has never touched,
// which makes whoever allocates look slow.
func requests(h http.Handler, tokensOf func() []string, wantServed bool) func() (Op, error) {
	return func() (Op, error) {
		tokens := tokensOf()
		op := sending(h, tokens, wantServed)
		// Once around with other requests: it fetches keys and fills caches, and fails before anything is measured. A server gets
		// a new string with each request; if the cached token were the very string of the measured request, to compare
		// the two would cost nothing.
		return op, sending(h, tokens, wantServed)(len(tokens))
	}
}

// sender is what one goroutine sends with. What it writes on every turn stands alone in its cache lines: two of them side by side would measure
// how two processors fight for one.
type sender struct {
	_       [128]byte
	sink    sink
	next    int
	handler http.Handler
	request *http.Request
	values  []string // of the Authorization header
	served  bool     // whether it must be
	_       [128]byte
}

// sending has a request of its own, whose tokens are strings of their own. It is one request, because a server has just read the one that it
// serves: with thousands of them the figure would be that of fetching their headers from memory.
func sending(h http.Handler, tokens []string, wantServed bool) Op {
	s := &sender{handler: h, served: wantServed, values: make([]string, len(tokens)), sink: sink{header: http.Header{}}}
	s.request = httptest.NewRequestWithContext(context.Background(), "GET", "/orders/7", nil)
	s.request.Header["Authorization"] = make([]string, 1)
	for i, token := range tokens {
		s.values[i] = "Bearer " + token
	}
	return s.send
}

func (s *sender) send(n int) error {
	w, authorization := &s.sink, s.request.Header["Authorization"]
	for range n {
		w.served, w.status = false, 0
		authorization[0] = s.values[s.next]
		s.handler.ServeHTTP(w, s.request)
		if w.served != s.served || !s.served && (w.status < 400 || w.status >= 500) {
			return fmt.Errorf("served: %t, status %d; want served: %t", w.served, w.status, s.served)
		}
		if s.next++; s.next == len(s.values) {
			s.next = 0
		}
	}
	return nil
}
