package prove_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/prove"
)

// A stream is known by its beginning: nobody waits for its end, in process or over a connection, and a handler is told that its caller is gone.
func TestStreamsAreNotWaitedFor(t *testing.T) {
	p := policyOf(countersign.Route{Pattern: "GET /events", Rule: countersign.Public("feed")})
	for _, tt := range []struct {
		name, media string
		end         func(r *http.Request)
		want        time.Duration
	}{
		{"events", "text/event-stream; charset=utf-8", func(*http.Request) {}, 0},
		{"lines", "application/x-ndjson", func(*http.Request) {}, time.Second},
		{"broken off", "text/event-stream", func(*http.Request) { panic(http.ErrAbortHandler) }, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan time.Time, 1)
				began := time.Now()
				cfg := prove.Config{Policy: p, Target: prove.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					control := http.NewResponseController(w)
					if err := control.SetWriteDeadline(time.Time{}); err != nil {
						t.Error(err)
					}
					w.Header().Set("Content-Type", tt.media)
					if err := control.Flush(); err != nil {
						t.Error(err)
					}
					<-r.Context().Done()
					ended <- time.Now()
					tt.end(r)
				}))}
				cfg.Examples = map[string]prove.Example{"GET /events": {Success: []string{tt.media}}}
				if err := run(t, cfg).Err(); err != nil {
					t.Error(err)
				}
				if got := (<-ended).Sub(began); got != tt.want {
					t.Errorf("the handler was told after %v, want %v", got, tt.want)
				}
			})
		})
	}
}

func TestStreamsOverAConnection(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
			close(release)
		case <-t.Context().Done():
		}
	}))
	defer server.Close()
	target, err := prove.URL(server.URL, server.Client())
	if err != nil {
		t.Fatal(err)
	}
	p := policyOf(countersign.Route{Pattern: "GET /events", Rule: countersign.Public("feed")})
	report := run(t, prove.Config{
		Policy: p, Target: target, Timeout: time.Hour,
		Examples: map[string]prove.Example{"GET /events": {Success: []string{"application/json"}}},
	})
	// Its media type is looked at, though nothing of it was read.
	if row := find(t, report, "GET /events", "allowed without token"); row.Note != "answers text/event-stream, documented is application/json" {
		t.Errorf("%s", row)
	}
	<-release
}
