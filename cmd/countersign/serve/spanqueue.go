package serve

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

const (
	spanQueue = 4096 // that wait for the collector at most: more are dropped, since a request never waits for it
	spanBatch = 512  // that are sent at once
)

// What becomes of a span.
const (
	spanSent     = "sent"
	spanDropped  = "dropped"  // the queue was full
	spanFailed   = "failed"   // the collector was away, or refused its batch
	spanRejected = "rejected" // the collector took the rest of its batch
)

// newSpanCounts says what became of each span.
func newSpanCounts() *prometheus.CounterVec {
	counts := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "countersign_issuer_spans_total",
		Help: "Spans for OpenTelemetry, by outcome: sent, dropped (the queue was full), failed (the collector was away or refused), rejected (one by one, by the collector).",
	}, []string{"outcome"})
	for _, outcome := range []string{spanSent, spanDropped, spanFailed, spanRejected} {
		counts.WithLabelValues(outcome) // an alarm on what has not happened yet needs the series
	}
	return counts
}

// A spanGate lets no more spans into the queue than fit, and counts the others: the SDK would drop them without a word.
type spanGate struct {
	sdk.SpanProcessor
	waiting *atomic.Int64
	counts  *prometheus.CounterVec
}

// OnEnd implements [sdk.SpanProcessor].
func (g *spanGate) OnEnd(s sdk.ReadOnlySpan) {
	if !s.SpanContext().IsSampled() {
		return
	}
	if g.waiting.Add(1) > spanQueue {
		g.waiting.Add(-1)
		g.counts.WithLabelValues(spanDropped).Inc()
		return
	}
	g.SpanProcessor.OnEnd(s)
}

// logEvery is how often a collector that is away is in the log.
const logEvery = time.Minute

// A patientExporter counts what its exporter could not send, and says so once in a while.
type patientExporter struct {
	sdk.SpanExporter
	client  *otlpClient
	logger  *slog.Logger
	waiting atomic.Int64
	counts  *prometheus.CounterVec

	mu   sync.Mutex
	lost int
	next time.Time // when the log may have the next line
}

// ExportSpans implements [sdk.SpanExporter].
func (e *patientExporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	e.waiting.Add(-int64(len(spans)))
	if err != nil {
		e.counts.WithLabelValues(spanFailed).Add(float64(len(spans)))
		e.tell(len(spans), err.Error())
		return nil
	}
	rejected := min(e.client.rejected.Swap(0), int64(len(spans)))
	e.counts.WithLabelValues(spanSent).Add(float64(int64(len(spans)) - rejected))
	if rejected > 0 {
		e.counts.WithLabelValues(spanRejected).Add(float64(rejected))
		e.tell(int(rejected), "the collector rejected them and took the others")
	}
	return nil
}

func (e *patientExporter) tell(lost int, cause string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lost += lost
	if now := time.Now(); !now.Before(e.next) {
		e.logger.Warn("traces could not be sent; requests are answered as ever", "lost", e.lost, "cause", cause)
		e.lost, e.next = 0, now.Add(logEvery)
	}
}
