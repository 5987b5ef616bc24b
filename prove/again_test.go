package prove_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/prove"
)

// front stands before a service and answers each request itself as often as it says, before it passes it on.
type front struct {
	service http.Handler
	status  int
	after   string // Retry-After
	times   int    // for each request; negative is always

	mu    sync.Mutex
	asked map[string]int
}

func (f *front) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	key := r.Method + " " + r.URL.String() + " " + r.Header.Get("Authorization")
	if f.asked == nil {
		f.asked = map[string]int{}
	}
	f.asked[key]++
	own := f.times < 0 || f.asked[key] <= f.times
	f.mu.Unlock()
	w := httptest.NewRecorder()
	if own {
		if f.after != "" {
			w.Header().Set("Retry-After", f.after)
		}
		w.WriteHeader(f.status)
		return w.Result(), nil
	}
	in := r.Clone(r.Context())
	in.RequestURI = in.URL.RequestURI()
	if r.Body == nil {
		in.Body = http.NoBody
	}
	f.service.ServeHTTP(w, in)
	return w.Result(), nil
}

// behind is a proof of the service behind the front.
func behind(t *testing.T, f *front, p countersign.Policy) prove.Config {
	t.Helper()
	target, err := prove.URL("https://api.example.com", &http.Client{Transport: f})
	if err != nil {
		t.Fatal(err)
	}
	cfg := config(p, nil)
	cfg.Target, cfg.Signer = target, nil
	return cfg
}

// A load balancer that has no backend yet, and a rate limit, are asked again: neither makes a right service a wrong one.
func TestPassingAnswersAreAskedAgain(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		after  string
		times  int
	}{
		{"rfc9110 s15.6.3: 502", http.StatusBadGateway, "", 2},
		{"rfc9110 s15.6.4: 503 with Retry-After in seconds", http.StatusServiceUnavailable, "1", 1},
		{"rfc6585 s4: 429", http.StatusTooManyRequests, "", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			api := newGuard(t).Mux()
			api.HandleFunc("GET /orders", ok, countersign.Scope("orders.read"))
			synctest.Test(t, func(t *testing.T) {
				f := &front{service: api, status: tt.status, after: tt.after, times: tt.times}
				cfg := behind(t, f, api.Policy())
				cfg.Tokens = nil // few cases: what is asked again is bounded
				if err := run(t, cfg).Err(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// What lasts is neither a proof nor a difference.
func TestPassingAnswersThatStay(t *testing.T) {
	for status, note := range map[int]string{
		http.StatusTooManyRequests:    "a rate limit answered before the service did: ask more slowly",
		http.StatusBadGateway:         "a gateway answered, which did not reach the service",
		http.StatusServiceUnavailable: "the service is not available now",
		http.StatusGatewayTimeout:     "a gateway answered, which did not reach the service",
	} {
		p := policyOf(countersign.Route{Pattern: "GET /orders", Rule: countersign.Scope("orders.read")})
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			report := run(t, behind(t, &front{status: status, after: "120", times: -1}, p))
			for _, row := range report.Rows {
				if row.State != prove.Unprovable && (row.State != prove.NotRun || row.Note != note) {
					t.Errorf("%d: %s", status, row)
				}
			}
			if report.ExitCode() != 2 {
				t.Errorf("%d: exit code %d", status, report.ExitCode())
			}
			if waited := time.Since(began); waited > 0 {
				t.Errorf("waited %v for what is further away than anybody waits", waited)
			}
		})
	}
}

// A POST that a gateway lost may have booked an order.
func TestChangesAreNotSentTwice(t *testing.T) {
	p := policyOf(countersign.Route{Pattern: "POST /orders", Rule: countersign.Public("open")})
	for status, want := range map[int]int{http.StatusBadGateway: 1, http.StatusServiceUnavailable: 1, http.StatusTooManyRequests: 3} {
		synctest.Test(t, func(t *testing.T) {
			f := &front{status: status, times: -1}
			run(t, behind(t, f, p))
			for key, n := range f.asked {
				if n != want {
					t.Errorf("%d: %s was sent %d times, want %d", status, key, n, want)
				}
			}
		})
	}
}

// The body is sent again too.
func TestAgainWithTheBody(t *testing.T) {
	p := policyOf(countersign.Route{Pattern: "POST /orders", Rule: countersign.Public("open")})
	synctest.Test(t, func(t *testing.T) {
		var got []byte
		f := &front{status: http.StatusTooManyRequests, times: 1, service: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			got, _ = io.ReadAll(r.Body)
		})}
		if err := run(t, behind(t, f, p)).Err(); err != nil || !bytes.Equal(got, []byte("{}")) {
			t.Errorf("%v, body %q", err, got)
		}
	})
}
