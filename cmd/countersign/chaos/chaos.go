package chaos

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Header names the fate of a request in its answer, so that nobody looks for a fault that was asked for.
const Header = "Countersign-Chaos"

// Chaos is a handler in front of an issuer. Make one with [New]. It is safe for concurrent use.
type Chaos struct {
	next  http.Handler
	sleep func(context.Context, time.Duration)

	mu       sync.Mutex
	plan     Plan
	requests uint64
}

// New returns a handler that lets fates befall requests for tokens, key sets and discovery documents on their way to next.
// All else, the JSON API above all, passes as it is.
func New(next http.Handler, plan Plan) *Chaos { return &Chaos{next: next, plan: plan, sleep: sleep} }

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// Plan returns the plan, and how many requests it has decided about.
func (c *Chaos) Plan() (Plan, uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.plan, c.requests
}

// SetPlan replaces the plan and begins to count anew.
func (c *Chaos) SetPlan(p Plan) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.plan, c.requests = p, 0
}

// ServeHTTP implements http.Handler.
func (c *Chaos) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	what := target(r.URL.Path)
	if what == other {
		c.next.ServeHTTP(w, r)
		return
	}
	plan, n := c.take()
	fate := plan.Fate(n)
	if fate == "" || fate == UnknownKid && what == discovery {
		c.next.ServeHTTP(w, r)
		return
	}
	w.Header().Set(Header, string(fate))
	switch fate {
	case Slow:
		random := plan.random(n)
		random.Uint64()
		c.sleep(r.Context(), time.Second+time.Duration(random.Uint64N(uint64(2*time.Second))))
		c.next.ServeHTTP(w, r)
	case Error:
		refuse(w, what, http.StatusInternalServerError)
	case Throttled:
		refuse(w, what, http.StatusTooManyRequests)
	case UnknownKid:
		c.change(w, r, func(body []byte) []byte { return strangeKid(body, what, plan.seed, n) })
	case Truncated:
		c.truncate(w, r)
	}
}

// take counts a request. The order of requests that come at once is theirs; the n-th gets the n-th fate.
func (c *Chaos) take() (Plan, uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests++
	return c.plan, c.requests
}

type kind int

const (
	other kind = iota
	token
	keys
	discovery
)

func target(path string) kind {
	switch {
	case strings.HasSuffix(path, "/oauth2/token"):
		return token
	case strings.HasSuffix(path, "/.well-known/jwks.json"):
		return keys
	case strings.HasSuffix(path, "/.well-known/openid-configuration"):
		return discovery
	}
	return other
}

// refuse answers without the issuer.
func refuse(w http.ResponseWriter, what kind, status int) {
	body := `{"message":"Internal server error"}`
	switch {
	case status == http.StatusTooManyRequests:
		body = `{"message":"Rate exceeded"}`
	case what == token:
		body = `{"error":"server_error"}`
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}

// change lets the issuer answer and changes the body of a success.
func (c *Chaos) change(w http.ResponseWriter, r *http.Request, change func([]byte) []byte) {
	held := &holder{header: w.Header()}
	c.next.ServeHTTP(held, r)
	body := held.body.Bytes()
	if held.status == http.StatusOK {
		body = change(body)
		// Caches would keep it for an hour, and the fault with it.
		w.Header().Set("Cache-Control", "no-store")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(held.status)
	_, _ = w.Write(body)
}

// truncate announces the whole answer and sends half of it.
func (c *Chaos) truncate(w http.ResponseWriter, r *http.Request) {
	held := &holder{header: w.Header()}
	c.next.ServeHTTP(held, r)
	body := held.body.Bytes()
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(held.status)
	_, _ = w.Write(body[:len(body)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler) // net/http closes the connection, or resets the stream
}

// A holder keeps an answer back. An issuer's answers have a few kilobytes.
type holder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (h *holder) Header() http.Header { return h.header }

func (h *holder) WriteHeader(status int) {
	if h.status == 0 {
		h.status = status
	}
}

func (h *holder) Write(b []byte) (int, error) {
	h.WriteHeader(http.StatusOK)
	return h.body.Write(b)
}
