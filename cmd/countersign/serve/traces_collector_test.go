package serve_test

import (
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/countersign-dev/countersign/cmd/countersign/serve"
)

// outcomes is what became of the spans, as the metrics have it.
func outcomes(t *testing.T, r running) map[string]float64 {
	t.Helper()
	families := scrape(t, r)
	all := map[string]float64{}
	for _, outcome := range []string{"sent", "dropped", "failed", "rejected"} {
		all[outcome] = value(families, "countersign_issuer_spans_total", map[string]string{"outcome": outcome})
	}
	return all
}

// awaitOutcomes waits until the metrics have it.
func awaitOutcomes(t *testing.T, r running, want map[string]float64) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		got := outcomes(t, r)
		if maps.Equal(got, want) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the spans are %v, want %v", got, want)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// provisioned is how many spans provision makes: three calls with a commit each.
const provisioned = 6

// partialSuccess is an ExportTraceServiceResponse with rejected_spans and error_message.
func partialSuccess(rejected uint64) []byte {
	inner := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), rejected)
	inner = protowire.AppendString(protowire.AppendTag(inner, 2, protowire.BytesType), "too old")
	return protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), inner)
}

// TestWhatACollectorAnswers: OTLP, Sections OTLP/HTTP Response and Throttling.
func TestWhatACollectorAnswers(t *testing.T) {
	status := func(code int, retryAfter string, first int) func(int, http.ResponseWriter) bool {
		return func(n int, w http.ResponseWriter) bool {
			if n > first {
				return true
			}
			if retryAfter != "" {
				w.Header().Set("Retry-After", retryAfter)
			}
			w.WriteHeader(code)
			return false
		}
	}
	body := func(contentType string, text []byte) func(int, http.ResponseWriter) bool {
		return func(_ int, w http.ResponseWriter) bool {
			w.Header().Set("Content-Type", contentType)
			_, _ = w.Write(text)
			return false
		}
	}
	const protobuf = "application/x-protobuf"
	for _, tt := range []struct {
		name           string
		answer         func(int, http.ResponseWriter) bool
		sent, failed   float64
		rejected       float64
		requests, came int
	}{
		{"full success", nil, provisioned, 0, 0, 1, provisioned},
		{"429 with Retry-After", status(429, "1", 1), provisioned, 0, 0, 2, provisioned},
		{"503 with a date", status(503, time.Now().Add(2*time.Second).UTC().Format(http.TimeFormat), 1), provisioned, 0, 0, 2, provisioned},
		{"503 without Retry-After", status(503, "", 1), provisioned, 0, 0, 2, provisioned},
		{"502, then 504", func(n int, w http.ResponseWriter) bool { return status(500+2*n, "", 2)(n, w) }, provisioned, 0, 0, 3, provisioned},
		{"400 MUST NOT be retried", status(400, "", 1), 0, provisioned, 0, 1, 0},
		{"500 MUST NOT be retried", status(500, "1", 1), 0, provisioned, 0, 1, 0},
		{"a redirect is an error", status(307, "", 1), 0, provisioned, 0, 1, 0},
		{"partial success MUST NOT be retried", body(protobuf, partialSuccess(2)), provisioned - 2, 0, 2, 1, 0},
		{"more rejected than sent", body(protobuf, partialSuccess(1<<40)), 0, 0, provisioned, 1, 0},
		{"less than nothing rejected", body(protobuf, partialSuccess(1<<63)), provisioned, 0, 0, 1, 0},
		{"an answer that is no protobuf", body(protobuf, []byte("\xff\xff{}")), provisioned, 0, 0, 1, 0},
		{"an answer in JSON", body("application/json", partialSuccess(2)), provisioned, 0, 0, 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel() // each waits for its batch
			c := collect(t, http.StatusOK)
			c.answer = tt.answer
			r := traced(t, c, "1", slog.New(slog.DiscardHandler))
			awaitOutcomes(t, r, map[string]float64{"sent": tt.sent, "failed": tt.failed, "rejected": tt.rejected, "dropped": 0})
			end(t, r)
			if c.requests != tt.requests || len(c.spans) != tt.came {
				t.Errorf("%d requests, %d spans came; want %d, %d", c.requests, len(c.spans), tt.requests, tt.came)
			}
		})
	}
}

// TestACollectorThatIsAwayForAWhile: what was made meanwhile comes when it is back, as far as it fits into ten seconds.
func TestACollectorThatIsAwayForAWhile(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	config := configure(t, "drain: {wait: 0s, timeout: 10s}\ntraces: {endpoint: 'http://"+address+"/v1/traces'}\n")
	s, err := serve.Start(t.Context(), config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	pool, client := provision(t, admin(t, s, config, "deployer"))
	r := running{s, config, pool, client}
	<-time.After(2500 * time.Millisecond) // the first attempt has failed
	if l, err = net.Listen("tcp", address); err != nil {
		t.Fatal(err)
	}
	c := &collector{t: t, status: http.StatusOK}
	c.Server = &httptest.Server{Listener: l, Config: &http.Server{Handler: c}}
	c.Start()
	defer c.Close()
	awaitOutcomes(t, r, map[string]float64{"sent": provisioned, "failed": 0, "rejected": 0, "dropped": 0})
	end(t, r)
}

// TestAFullQueueOfSpans: a request never waits for the collector, and what is dropped is counted.
func TestAFullQueueOfSpans(t *testing.T) {
	release := make(chan struct{})
	c := collect(t, http.StatusOK)
	c.answer = func(int, http.ResponseWriter) bool { <-release; return true }
	r := traced(t, c, "1", slog.New(slog.DiscardHandler))
	const requests = 1500 // with three spans each
	var callers sync.WaitGroup
	for range 10 {
		callers.Go(func() {
			for range requests / 10 {
				if status, _ := r.token(t, http.DefaultClient); status != http.StatusOK {
					t.Errorf("status %d", status)
				}
			}
		})
	}
	callers.Wait()
	const dropped = provisioned + 3*requests - 4096
	if got := outcomes(t, r); got["dropped"] != dropped || got["sent"] != 0 {
		t.Errorf("the spans are %v, want %d dropped", got, dropped)
	}
	close(release)
	awaitOutcomes(t, r, map[string]float64{"sent": 4096, "dropped": dropped, "failed": 0, "rejected": 0})
	end(t, r)
}
