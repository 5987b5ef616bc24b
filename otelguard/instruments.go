package otelguard

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/countersign-dev/countersign"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// maker makes instruments and keeps what went wrong, so that New can report all of it.
type maker struct {
	meter    metric.Meter
	problems []error
}

func (m *maker) note(name string, err error) {
	if err != nil {
		m.problems = append(m.problems, fmt.Errorf("otelguard: instrument %s: %w", name, err))
	}
}

func (m *maker) counter(name, unit, description string) metric.Int64Counter {
	c, err := m.meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(description))
	m.note(name, err)
	return c
}

func (m *maker) histogram(name, description string, bounds ...float64) metric.Float64Histogram {
	options := []metric.Float64HistogramOption{metric.WithUnit("s"), metric.WithDescription(description)}
	if len(bounds) > 0 {
		options = append(options, metric.WithExplicitBucketBoundaries(bounds...))
	}
	h, err := m.meter.Float64Histogram(name, options...)
	m.note(name, err)
	return h
}

func (m *maker) gauge(name, description string) metric.Float64Gauge {
	g, err := m.meter.Float64Gauge(name, metric.WithUnit("s"), metric.WithDescription(description))
	m.note(name, err)
	return g
}

// observe registers the gauges of keys.
func (m *maker) observe(keys *keyGauges) metric.Registration {
	age, err := m.meter.Float64ObservableGauge("jwks.age", metric.WithUnit("s"), metric.WithDescription("Time since the issuer last confirmed its keys."))
	m.note("jwks.age", err)
	count, err := m.meter.Int64ObservableGauge("jwks.keys", metric.WithUnit("{key}"), metric.WithDescription("Usable keys of the issuer."))
	m.note("jwks.keys", err)
	if age == nil || count == nil {
		return nil
	}
	registration, err := m.meter.RegisterCallback(func(_ context.Context, out metric.Observer) error {
		keys.report(func(issuer string, seconds float64, held bool, n int64) {
			about := metric.WithAttributes(attribute.String("issuer", issuer))
			if held {
				out.ObserveFloat64(age, seconds, about)
			}
			out.ObserveInt64(count, n, about)
		})
		return nil
	}, age, count)
	m.note("jwks.age", err)
	return registration
}

// keyGauges is the newest state of each issuer's keys. An age grows between two events, so that it is worked out when it is read.
type keyGauges struct {
	now func() time.Time

	mu      sync.Mutex
	issuers map[string]keyGauge
}

type keyGauge struct {
	keys      int
	confirmed time.Time // zero when no key is held
}

// set takes in what an event says. Its issuer is one of the configuration's, so that the map stays as small as that.
func (g *keyGauges) set(event countersign.KeyEvent) {
	state := keyGauge{keys: event.Keys}
	if event.Age > 0 || event.Keys > 0 {
		state.confirmed = g.now().Add(-event.Age)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.issuers == nil {
		g.issuers = map[string]keyGauge{}
	}
	g.issuers[event.Issuer] = state
}

func (g *keyGauges) report(tell func(issuer string, age float64, held bool, keys int64)) {
	now := g.now()
	g.mu.Lock()
	defer g.mu.Unlock()
	for issuer, state := range g.issuers {
		tell(issuer, max(now.Sub(state.confirmed).Seconds(), 0), !state.confirmed.IsZero(), int64(state.keys))
	}
}
