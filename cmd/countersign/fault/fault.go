// Package fault stands between a program and a service of HTTP, and spoils one call of a run: so that a test can cut the run
// at each of its calls in turn and see what the next run makes of what was left behind.
//
// It is for tests; nothing of the program imports it. Start with [New].
package fault

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
)

// Kind is what happens to a call.
type Kind string

// The kinds. The first three happen to a call that is not done, the last three to one that is.
const (
	Throttle    Kind = "throttled"
	ServerError Kind = "answered with 500"
	Cut         Kind = "cut before it was sent"

	ErrorAfter Kind = "done and answered with 500"
	CutAfter   Kind = "done and its answer lost"
	HangAfter  Kind = "done and never answered"
)

// Kinds are all of them.
var Kinds = []Kind{Throttle, ServerError, Cut, ErrorAfter, CutAfter, HangAfter}

// Proxy forwards every request, and spoils the one that it is armed for. It is safe for concurrent use.
type Proxy struct {
	// Route returns the service that a request is for.
	Route func(*http.Request) *url.URL
	// Watch is called before and after each request is forwarded; nil is nobody.
	Watch func()

	mu    sync.Mutex
	kind  Kind
	at    int // number of the call, from 1; 0 spoils none
	calls []string
	seen  map[string]int // number of a call, by the SDK's id: attempts of one call are one call
	hit   bool
}

// New returns a proxy to one service.
func New(upstream *url.URL) *Proxy {
	return &Proxy{Route: func(*http.Request) *url.URL { return upstream }}
}

// Arm begins a new run whose call number n, counted from 1, is spoilt with all of its attempts; 0 spoils none.
func (p *Proxy) Arm(kind Kind, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kind, p.at, p.calls, p.seen, p.hit = kind, n, nil, map[string]int{}, false
}

// Hit says whether the run came to the call that it is armed for.
func (p *Proxy) Hit() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hit
}

// Calls names the calls of the run.
func (p *Proxy) Calls() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.calls...)
}

// count numbers the call, and says whether it is to be spoilt.
func (p *Proxy) count(r *http.Request) (Kind, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id := r.Header.Get("Amz-Sdk-Invocation-Id")
	n, again := p.seen[id]
	if id == "" || !again {
		p.calls = append(p.calls, name(r))
		n = len(p.calls)
		if p.seen != nil {
			p.seen[id] = n
		}
	}
	spoil := p.at > 0 && n == p.at
	p.hit = p.hit || spoil
	return p.kind, spoil
}

// name is an operation of AWS's JSON protocol, or method and the end of the path.
func name(r *http.Request) string {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		return target[strings.LastIndexByte(target, '.')+1:]
	}
	return r.Method + " " + r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
}

// ServeHTTP implements [http.Handler]: it passes the request on, or spoils it if this is the call to spoil.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	kind, spoil := p.count(r)
	// The whole request is read first: otherwise net/http waits for the rest of it before a connection can be cut.
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if !spoil {
		p.forward(w, r)
		return
	}
	switch kind {
	case ErrorAfter, CutAfter, HangAfter:
		p.forward(discard{http.Header{}}, r)
	}
	switch kind {
	case Throttle:
		refuse(w, r, http.StatusBadRequest, "TooManyRequestsException")
	case ServerError, ErrorAfter:
		refuse(w, r, http.StatusInternalServerError, "InternalErrorException")
	case HangAfter:
		<-r.Context().Done()
	default:
		panic(http.ErrAbortHandler) // net/http's way to cut the connection
	}
}

// refuse answers in AWS's words, or in plain ones for what is not its protocol.
func refuse(w http.ResponseWriter, r *http.Request, status int, code string) {
	if r.Header.Get("X-Amz-Target") == "" {
		if status == http.StatusBadRequest {
			status = http.StatusTooManyRequests
		}
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"__type":%q,"message":"injected"}`, code)
}

func (p *Proxy) forward(w http.ResponseWriter, r *http.Request) {
	if p.Watch != nil {
		p.Watch()
		defer p.Watch()
	}
	upstream := p.Route(r)
	reverse := httputil.ReverseProxy{
		Rewrite: func(out *httputil.ProxyRequest) {
			out.SetURL(upstream)
			out.Out.Host = r.Host // it is part of the signature
		},
		ErrorLog: log.New(io.Discard, "", 0), // a client that gave up is what a test is about
	}
	reverse.ServeHTTP(w, r)
}

// discard takes an answer that nobody gets.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}
