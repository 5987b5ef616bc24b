package issuer

import (
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// balancer sends each request to the next backend that says that it is ready. It asks them every 20 ms and repeats no request: a
// failed one is a failure.
type balancer struct {
	URL string

	mu       sync.Mutex
	backends map[string]*httputil.ReverseProxy // by URL
	ready    atomic.Pointer[[]*httputil.ReverseProxy]
	turn     atomic.Uint32
}

func newBalancer(t *testing.T) *balancer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &balancer{URL: "http://" + l.Addr().String(), backends: map[string]*httputil.ReverseProxy{}}
	b.ready.Store(new([]*httputil.ReverseProxy))
	server := &http.Server{Handler: b}
	go server.Serve(l)
	done := make(chan struct{})
	go b.probe(done)
	t.Cleanup(func() { close(done); server.Close() })
	return b
}

func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ready := *b.ready.Load()
	if len(ready) == 0 {
		http.Error(w, "no backend is ready", http.StatusServiceUnavailable)
		return
	}
	ready[b.turn.Add(1)%uint32(len(ready))].ServeHTTP(w, r)
}

func (b *balancer) add(backend string) {
	target, err := url.Parse(backend)
	if err != nil {
		panic(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host },
		Transport: &http.Transport{MaxIdleConnsPerHost: 64},
	}
	b.mu.Lock()
	b.backends[backend] = proxy
	b.mu.Unlock()
	b.check()
}

func (b *balancer) remove(backend string) {
	b.mu.Lock()
	delete(b.backends, backend)
	b.mu.Unlock()
	b.check()
}

func (b *balancer) probe(done <-chan struct{}) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
			b.check()
		}
	}
}

func (b *balancer) check() {
	b.mu.Lock()
	defer b.mu.Unlock()
	var ready []*httputil.ReverseProxy
	for backend, proxy := range b.backends {
		answer, err := (&http.Client{Timeout: 30 * time.Second}).Get(backend + "/readyz")
		if err != nil {
			continue
		}
		if answer.Body.Close(); answer.StatusCode == http.StatusOK {
			ready = append(ready, proxy)
		}
	}
	b.ready.Store(&ready)
}
