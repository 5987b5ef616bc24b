package otelguard

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/countersign-dev/countersign"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// scopeName is the instrumentation scope of the metrics.
const scopeName = "github.com/countersign-dev/countersign/otelguard"

// Observer is a [countersign.Observer] that measures. It is made by [New], is safe for use by many goroutines and guards, and is closed by
// [Observer.Close]. OpenTelemetry has no conventions for authorization yet; the names follow its style.
//
//	authz.decisions           counter, of requests to routes that are not public: decision, error.type, http.route,
//	                          http.request.method, issuer, client
//	authz.decision.duration   histogram, s: decision
//	auth.clock_skew           gauge, s: issuer; how far the newest token that was issued in our future lay in it
//	jwks.fetches              counter: issuer, outcome ("ok" or "error")
//	jwks.fetch.duration       histogram, s: issuer, outcome
//	jwks.age                  gauge, s: issuer; since the issuer last confirmed the keys
//	jwks.keys                 gauge: issuer; usable keys
//	jwks.unknown_kid          counter: issuer; tokens whose key the issuer does not have
//	jwks.suppressed_fetches   counter: issuer; fetches for unknown keys that were not made
//	jwks.withdrawn_keys       counter: issuer; times that keys were dropped since the issuer no longer has them
//
// On the request's span are authz.decision, error.type, authz.decision_id (of a refusal; the log has the same), authz.token.cached, issuer and client.
type Observer struct {
	cfg  Config
	keys keyGauges

	decisions  metric.Int64Counter
	duration   metric.Float64Histogram
	skew       metric.Float64Gauge
	fetches    metric.Int64Counter
	fetchTime  metric.Float64Histogram
	unknown    metric.Int64Counter
	suppressed metric.Int64Counter
	withdrawn  metric.Int64Counter

	registration metric.Registration
}

var _ countersign.Observer = (*Observer)(nil)

// decisionBounds are the buckets of authz.decision.duration: a token that is known takes less than a microsecond, a signature some ten, and a wait for
// keys up to seconds.
var decisionBounds = []float64{.000001, .000005, .00001, .00005, .0001, .0005, .001, .005, .01, .05, .1, .5, 1, 5}

// New returns an observer whose instruments are made. The error says everything that is wrong with cfg.
func New(cfg Config) (*Observer, error) {
	cfg, err := cfg.validated()
	if err != nil {
		return nil, err
	}
	o := &Observer{cfg: cfg, keys: keyGauges{now: cfg.Now}}
	m := &maker{meter: cfg.MeterProvider.Meter(scopeName)}
	o.decisions = m.counter("authz.decisions", "{decision}", "Decisions about requests to routes that are not public.")
	o.duration = m.histogram("authz.decision.duration", "Time that a decision took.", decisionBounds...)
	o.skew = m.gauge("auth.clock_skew", "How far the last token that was issued in our future lay in it.")
	o.fetches = m.counter("jwks.fetches", "{fetch}", "Fetches of an issuer's keys.")
	o.fetchTime = m.histogram("jwks.fetch.duration", "Time that a fetch of an issuer's keys took.")
	o.unknown = m.counter("jwks.unknown_kid", "{token}", "Tokens whose key the issuer does not have.")
	o.suppressed = m.counter("jwks.suppressed_fetches", "{fetch}", "Fetches for unknown keys that were not made, to spare the issuer.")
	o.withdrawn = m.counter("jwks.withdrawn_keys", "{event}", "Times that keys were dropped since the issuer no longer has them.")
	o.registration = m.observe(&o.keys)
	if err := errors.Join(m.problems...); err != nil {
		return nil, errors.Join(err, o.Close())
	}
	return o, nil
}

// Close ends the measurement of gauges. What is counted afterwards is still counted.
func (o *Observer) Close() error {
	if o.registration == nil {
		return nil
	}
	return o.registration.Unregister()
}

// Decision implements [countersign.Observer].
func (o *Observer) Decision(ctx context.Context, event countersign.DecisionEvent) {
	decision := attribute.String("authz.decision", string(event.Decision))
	about := make([]attribute.KeyValue, 0, 6)
	about = append(about, decision)
	add := func(key, value string) {
		if value != "" {
			about = append(about, attribute.String(key, value))
		}
	}
	// The reason: a closed set, the same words as in the log.
	add("error.type", string(event.Reason))
	add("issuer", event.Issuer)
	add("client", o.cfg.client(event.ClientID))
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		span.SetAttributes(about...)
		span.SetAttributes(attribute.Bool("authz.token.cached", event.Cached))
		if event.ID != "" {
			span.SetAttributes(attribute.String("authz.decision_id", event.ID))
		}
	}
	add("http.route", route(event.Route))
	add("http.request.method", method(event.Method))
	o.decisions.Add(ctx, 1, metric.WithAttributes(about...))
	o.duration.Record(ctx, event.Duration.Seconds(), metric.WithAttributes(decision))
	if event.Ahead > 0 {
		o.skew.Record(ctx, event.Ahead.Seconds(), metric.WithAttributes(attribute.String("issuer", event.Issuer)))
	}
}

// route is the path of a pattern, as http.route has it: without the method, which is an attribute of its own.
func route(pattern string) string {
	if _, path, found := strings.Cut(pattern, " "); found {
		return strings.TrimLeft(path, " \t")
	}
	return pattern
}

// method is the word that OpenTelemetry's conventions for HTTP have for a method that is none.
func method(m string) string {
	if m == other {
		return "_OTHER"
	}
	return m
}

// Keys implements [countersign.Observer].
func (o *Observer) Keys(event countersign.KeyEvent) {
	ctx := context.Background() // the event belongs to no request
	issuer := attribute.String("issuer", event.Issuer)
	about := metric.WithAttributes(issuer)
	switch event.Kind {
	case countersign.KeysFetched:
		o.fetched(ctx, event.Duration, issuer, "ok")
	case countersign.KeysFailed:
		o.fetched(ctx, event.Duration, issuer, "error")
	case countersign.KeysUnknownKid:
		o.unknown.Add(ctx, 1, about)
	case countersign.KeysSuppressed:
		o.suppressed.Add(ctx, 1, about)
	case countersign.KeysWithdrawn:
		o.withdrawn.Add(ctx, 1, about)
	}
	o.keys.set(event)
}

func (o *Observer) fetched(ctx context.Context, took time.Duration, issuer attribute.KeyValue, outcome string) {
	about := metric.WithAttributes(issuer, attribute.String("outcome", outcome))
	o.fetches.Add(ctx, 1, about)
	o.fetchTime.Record(ctx, took.Seconds(), about)
}
