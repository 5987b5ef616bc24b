package prove_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/prove"
)

const benchRoutes, benchConcurrency = 500, 8

// benchAPI has five hundred routes and three scope sets.
func benchAPI(b testing.TB) *countersign.Mux {
	api := newGuard(b).Mux()
	for i := range benchRoutes {
		rules := []countersign.Rule{countersign.Scope("orders.read"), countersign.Scope("orders.write"), countersign.AllScopes("orders.read", "orders.write")}
		methods := []string{"GET", "POST", "DELETE"}
		api.HandleFunc(fmt.Sprintf("%s /v1/things%d/{id}", methods[i%3], i), ok, rules[i%3])
	}
	return api
}

// BenchmarkFiveHundredRoutes proves five hundred routes over connections, as from outside: without the issuer's key. A floor client sends the same requests,
// made beforehand, and does nothing else. What it reports is the time for the one over the time for the other, and how often the issuer was asked.
func BenchmarkFiveHundredRoutes(b *testing.B) {
	api := benchAPI(b)
	server := httptest.NewServer(api)
	defer server.Close()
	target, err := prove.URL(server.URL, nil)
	if err != nil {
		b.Fatal(err)
	}
	seen := &capture{Target: target}
	cfg := config(api.Policy(), api)
	cfg.Target, cfg.Signer, cfg.Concurrency = seen, nil, benchConcurrency
	if err := run(b, cfg).Err(); err != nil {
		b.Fatal(err)
	}
	cfg.Target = target
	client := &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: benchConcurrency},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	// The fastest of each, since whatever else the machine does slows one of them.
	proving, floor := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
	var asked int
	for b.Loop() {
		issuer := newIssuer()
		cfg.Tokens = issuer
		start := time.Now()
		run(b, cfg)
		proving = min(proving, time.Since(start))
		asked = len(issuer.asked)
		start = time.Now()
		sendAll(b, client, server.URL, seen.requests)
		floor = min(floor, time.Since(start))
	}
	b.ReportMetric(float64(proving)/float64(floor), "times-the-floor")
	b.ReportMetric(float64(proving.Nanoseconds())/float64(len(seen.requests)), "ns/request")
	b.ReportMetric(float64(len(seen.requests)), "requests")
	b.ReportMetric(float64(asked), "tokens")
}

// capture remembers what it was to send.
type capture struct {
	prove.Target
	mu       sync.Mutex
	requests []*http.Request
}

func (c *capture) Do(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	c.requests = append(c.requests, r.Clone(context.Background()))
	c.mu.Unlock()
	return c.Target.Do(r)
}

// sendAll is the floor: the requests, and nothing else.
func sendAll(b *testing.B, client *http.Client, base string, requests []*http.Request) {
	var wg sync.WaitGroup
	work := make(chan *http.Request)
	for range benchConcurrency {
		wg.Go(func() {
			for r := range work {
				res, err := client.Do(r)
				if err != nil {
					b.Error(err)
					continue
				}
				io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
		})
	}
	for _, r := range requests {
		own := r.Clone(b.Context())
		own.URL.Scheme, own.URL.Host, own.RequestURI = "http", base[len("http://"):], ""
		if r.GetBody != nil {
			own.Body, _ = r.GetBody()
		}
		work <- own
	}
	close(work)
	wg.Wait()
}
