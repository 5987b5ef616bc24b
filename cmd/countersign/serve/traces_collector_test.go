package serve_test

import (
	"log/slog"
	"maps"
	"net/http"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
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
	for deadline := time.Now().Add(time.Minute); ; {
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

// TestWhatACollectorAnswers: OTLP, Sections OTLP/HTTP Response and Throttling. One request is traced, which has one span, so that there
// is one batch however slow the machine is.
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
		name     string
		answer   func(int, http.ResponseWriter) bool
		outcome  string
		requests int
	}{
		{"full success", nil, "sent", 1},
		{"429 with Retry-After", status(429, "1", 1), "sent", 2},
		{"503 with a date", status(503, time.Now().Add(2*time.Second).UTC().Format(http.TimeFormat), 1), "sent", 2},
		{"503 without Retry-After", status(503, "", 1), "sent", 2},
		{"502, then 504", func(n int, w http.ResponseWriter) bool { return status(500+2*n, "", 2)(n, w) }, "sent", 3},
		{"400 MUST NOT be retried", status(400, "", 1), "failed", 1},
		{"500 MUST NOT be retried", status(500, "1", 1), "failed", 1},
		{"a redirect is an error", status(307, "", 1), "failed", 1},
		{"partial success MUST NOT be retried", body(protobuf, partialSuccess(1)), "rejected", 1},
		{"more rejected than sent", body(protobuf, partialSuccess(1<<40)), "rejected", 1},
		{"less than nothing rejected", body(protobuf, partialSuccess(1<<63)), "sent", 1},
		{"an answer that is no protobuf", body(protobuf, []byte("\xff\xff{}")), "sent", 1},
		{"an answer in JSON", body("application/json", partialSuccess(1)), "sent", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel() // each waits for its batch
			c := collect(t, http.StatusOK)
			c.answer = tt.answer
			r := traced(t, c, "0", slog.New(slog.DiscardHandler))
			askForKeys(t, r)
			want := map[string]float64{"sent": 0, "failed": 0, "rejected": 0, "dropped": 0}
			want[tt.outcome] = 1
			awaitOutcomes(t, r, want)
			end(t, r)
			if c.requests != tt.requests {
				t.Errorf("%d requests, want %d", c.requests, tt.requests)
			}
		})
	}
}

// askForKeys asks for the key set, which is one span, in a trace that its caller samples.
func askForKeys(t *testing.T, r running) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.Issuer()+"/"+r.pool+"/.well-known/jwks.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("traceparent", "00-"+theirTrace+"-"+theirSpan+"-01")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
}

// TestACollectorThatRejectsSome: OTLP, Section Partial Success: what is not among the rejected was taken.
func TestACollectorThatRejectsSome(t *testing.T) {
	c := collect(t, http.StatusOK)
	c.answer = func(n int, w http.ResponseWriter) bool {
		if n == 1 { // all of them may be in this batch, or one
			w.Header().Set("Content-Type", "application/x-protobuf")
			_, _ = w.Write(partialSuccess(1))
		}
		return n > 1
	}
	r := traced(t, c, "1", slog.New(slog.DiscardHandler))
	awaitOutcomes(t, r, map[string]float64{"sent": provisioned - 1, "failed": 0, "rejected": 1, "dropped": 0})
	end(t, r)
}

// TestACollectorThatIsAwayForAWhile: what was made meanwhile comes when it is back, as far as it fits into ten seconds.
func TestACollectorThatIsAwayForAWhile(t *testing.T) {
	c := collect(t, http.StatusOK)
	c.answer = func(n int, _ http.ResponseWriter) bool {
		if n == 1 {
			panic(http.ErrAbortHandler) // the connection ends, as that of a proxy before it does
		}
		return true
	}
	r := traced(t, c, "1", slog.New(slog.DiscardHandler))
	awaitOutcomes(t, r, map[string]float64{"sent": provisioned, "failed": 0, "rejected": 0, "dropped": 0})
	end(t, r)
	if c.requests < 2 || len(c.spans) != provisioned {
		t.Errorf("%d requests, %d spans came", c.requests, len(c.spans))
	}
}

// TestAFullQueueOfSpans: a request never waits for the collector, and what is dropped is counted.
func TestAFullQueueOfSpans(t *testing.T) {
	release := make(chan struct{})
	c := collect(t, http.StatusOK)
	c.answer = func(int, http.ResponseWriter) bool { <-release; return true }
	r := traced(t, c, "1", slog.New(slog.DiscardHandler))
	// A batch is tried for ten seconds: a machine that needs longer for the requests has lost some by then, and has room for as many.
	const room, round = 4096, 500 // requests, with three spans each
	made, got := float64(provisioned), map[string]float64{}
	for got["dropped"] == 0 && !t.Failed() {
		var callers sync.WaitGroup
		for range 10 {
			callers.Go(func() {
				for range round / 10 {
					if status, _ := r.token(t, http.DefaultClient); status != http.StatusOK {
						t.Errorf("status %d", status)
					}
				}
			})
		}
		callers.Wait()
		made += 3 * round
		got = outcomes(t, r)
	}
	if got["sent"] != 0 || got["dropped"] > made-room || got["dropped"]+got["failed"] < made-room {
		t.Errorf("the spans are %v, want %v dropped", got, made-room)
	}
	close(release)
	for got["sent"]+got["dropped"]+got["failed"] != made && t.Context().Err() == nil {
		got = outcomes(t, r)
	}
	if got["sent"] == 0 || got["rejected"] != 0 {
		t.Errorf("the spans are %v in the end", got)
	}
	end(t, r)
}
