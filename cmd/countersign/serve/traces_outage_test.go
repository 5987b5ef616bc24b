package serve_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/serve"
)

// safeBuffer is a log that is read while somebody may write.
type safeBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// TestACollectorThatRefuses: requests are answered, the end is no error, and the log has one line, without what is sent.
func TestACollectorThatRefuses(t *testing.T) {
	c := collect(t, http.StatusServiceUnavailable)
	var log safeBuffer
	r := traced(t, c, "1", slog.New(slog.NewTextHandler(&log, nil)))
	for range 400 { // with three spans each: more than a batch
		if status, _ := r.ask(t, *r.client.ClientSecret); status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
	}
	end(t, r)
	if got := strings.Count(log.String(), "traces could not be sent; requests are answered as ever"); got != 1 {
		t.Errorf("%d lines in the log", got)
	}
	if !strings.Contains(log.String(), "the collector answered with status 503") || strings.Contains(log.String(), c.URL) {
		t.Error("the log has no cause, or the endpoint")
	}
}

// TestACollectorThatHangs: the end waits for it within the drain's bound only, and not for the five seconds that the last traces have
// otherwise. A machine that is busy may need as long once, and hardly three times.
func TestACollectorThatHangs(t *testing.T) {
	var took [3]time.Duration
	for n := range took {
		if took[n] = endOverAHungCollector(t); took[n] < flushTime {
			return
		}
	}
	t.Errorf("the end took %v", took)
}

// flushTime is how long the end waits for the last traces where the drain has more.
const flushTime = 5 * time.Second

// endOverAHungCollector ends a server that has traces for a collector that does not answer.
func endOverAHungCollector(t *testing.T) time.Duration {
	t.Helper()
	release := make(chan struct{})
	hung := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer hung.Close()
	defer close(release)
	config := configure(t, "drain: {wait: 0s, timeout: 200ms}\ntraces: {endpoint: '"+hung.URL+"/v1/traces'}\n")
	var log safeBuffer
	s, err := serve.Start(t.Context(), config, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	provision(t, admin(t, s, config, "deployer"))
	began := time.Now()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	took := time.Since(began)
	if !strings.Contains(log.String(), "the last traces could not be sent in time; they are lost") {
		t.Error("nothing in the log")
	}
	return took
}

// TestATracedBodyThatIsTooLarge ends its connection, as it does without traces: the span's writer hides no other.
func TestATracedBodyThatIsTooLarge(t *testing.T) {
	c := collect(t, http.StatusOK)
	r := traced(t, c, "1", slog.New(slog.DiscardHandler))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.Issuer()+"/"+r.pool+"/oauth2/token", strings.NewReader(strings.Repeat("a", 100<<10)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if !answer.Close || answer.StatusCode < 400 {
		t.Errorf("status %d, close %v", answer.StatusCode, answer.Close)
	}
	end(t, r)
	for _, span := range c.named("POST /{pool}/oauth2/token") {
		if got := attributes(span.GetAttributes())["http.response.status_code"]; got != int64(answer.StatusCode) {
			t.Errorf("the span has status %v", got)
		}
	}
}

func TestMistakesInTraces(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"an unknown key", "traces:\n  url: http://a/b\n", `:6:3: the key "url" is unknown in "traces"; known here: endpoint, ratio`},
		{"no URL", "traces: {endpoint: 'localhost:4318'}\n", `:5:20: traces.endpoint is not an absolute URL`},
		{"a password in the URL", "traces: {endpoint: 'https://u:hunter2@a/v1/traces'}\n", `:5:20: traces.endpoint is not an absolute URL`},
		{"a query in the URL", "traces: {endpoint: 'https://a/v1/traces?key=hunter2'}\n", `:5:20: traces.endpoint is not an absolute URL`},
		{"gRPC", "traces: {endpoint: 'grpc://a:4317/v1/traces'}\n", `:5:20: traces.endpoint is not an absolute URL`},
		{"no path", "traces: {endpoint: 'http://localhost:4318/'}\n", `:5:20: traces.endpoint has no path; collectors take traces at /v1/traces`},
		{"a ratio above one", "traces: {endpoint: 'http://a/v1/traces', ratio: 10}\n", `:5:49: traces.ratio is 10, want a number from 0 to 1`},
		{"a ratio below zero", "traces: {endpoint: 'http://a/v1/traces', ratio: -0.5}\n", `:5:49: traces.ratio is -0.5, want a number from 0 to 1`},
		{"a ratio in words", "traces: {endpoint: 'http://a/v1/traces', ratio: all}\n", `:5:49: traces.ratio is a string, want a number`},
		{"a ratio that is no number", "traces: {endpoint: 'http://a/v1/traces', ratio: .nan}\n", `:5:49: traces.ratio is`},
		{"a ratio of nothing", "traces: {ratio: 0.5}\n", `:5:9: traces has a ratio and no endpoint`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := serve.Load(write(t, "issuer.yaml", least+tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
	c, err := serve.Load(write(t, "issuer.yaml", least+"traces: {endpoint: 'http://a/v1/traces'}\n"))
	if err != nil || c.Traces.Ratio != 1 {
		t.Errorf("%v, %v", c, err)
	}
}
