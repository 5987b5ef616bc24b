package otelguard_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/countersigntest"
	"github.com/countersign-dev/countersign/otelguard"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

const resource = "https://api.example.com"

// system is an API behind a guard that is observed, with what was measured.
type system struct {
	t      *testing.T
	issuer *countersigntest.Issuer
	api    http.Handler
	reader *metric.ManualReader
	spans  *tracetest.SpanRecorder
	tracer *sdktrace.TracerProvider
}

func newSystem(t *testing.T, clients map[string]string, change ...func(*countersign.Config)) *system {
	t.Helper()
	s := &system{t: t, issuer: countersigntest.NewIssuer(t), reader: metric.NewManualReader(), spans: tracetest.NewSpanRecorder()}
	s.tracer = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(s.spans))
	observer, err := otelguard.New(otelguard.Config{
		MeterProvider: metric.NewMeterProvider(metric.WithReader(s.reader)),
		Clients:       clients,
	})
	if err != nil {
		t.Fatal(err)
	}
	cfg := countersign.Config{
		Issuer: s.issuer.URL(), Resource: resource, Profile: countersign.Cognito, HTTPClient: s.issuer.HTTPClient(),
		Logger: slog.New(slog.DiscardHandler), Observer: observer,
	}
	for _, f := range change {
		f(&cfg)
	}
	guard, err := countersign.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := guard.Close(); err != nil {
			t.Error(err)
		}
		if err := observer.Close(); err != nil {
			t.Error(err)
		}
	})
	mux := guard.Mux()
	ok := func(http.ResponseWriter, *http.Request) {}
	mux.HandleFunc("GET /orders/{id}", ok, countersign.Scope("orders.read"))
	mux.HandleFunc("/anything/{rest...}", ok, countersign.Report(countersign.Scope("orders.write")))
	mux.HandleFunc("GET /healthz", ok, countersign.Public("liveness probe"))
	s.api = mux
	return s
}

// do sends a request within a span, and returns its status.
func (s *system) do(r *http.Request) int {
	ctx, span := s.tracer.Tracer("test").Start(r.Context(), "request")
	defer span.End()
	w := httptest.NewRecorder()
	s.api.ServeHTTP(w, r.WithContext(ctx))
	return w.Code
}

func (s *system) get(path, token string) int {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return s.do(r)
}

// series is one data point: its instrument, its attributes, and its value as a number of events or as the gauge has it.
type series struct {
	name       string
	attributes attribute.Set
	value      float64
}

func (s *system) collect() []series {
	s.t.Helper()
	var all []series
	for _, scope := range s.metrics().ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					all = append(all, series{m.Name, p.Attributes, float64(p.Value)})
				}
			case metricdata.Gauge[int64]:
				for _, p := range data.DataPoints {
					all = append(all, series{m.Name, p.Attributes, float64(p.Value)})
				}
			case metricdata.Gauge[float64]:
				for _, p := range data.DataPoints {
					all = append(all, series{m.Name, p.Attributes, p.Value})
				}
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					all = append(all, series{m.Name, p.Attributes, float64(p.Count)})
				}
			default:
				s.t.Fatalf("%s is a %T", m.Name, m.Data)
			}
		}
	}
	return all
}

func (s *system) metrics() metricdata.ResourceMetrics {
	s.t.Helper()
	var all metricdata.ResourceMetrics
	if err := s.reader.Collect(context.Background(), &all); err != nil {
		s.t.Fatal(err)
	}
	return all
}

// value is that of the one series with exactly these attributes; it is 0 when there is none.
func (s *system) value(name string, attributes ...attribute.KeyValue) float64 {
	s.t.Helper()
	want := attribute.NewSet(attributes...)
	for _, one := range s.collect() {
		if one.name == name && one.attributes.Equals(&want) {
			return one.value
		}
	}
	return 0
}

// everything is all that was measured and traced, as text.
func (s *system) everything() string {
	s.t.Helper()
	text, err := json.Marshal(s.metrics())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, span := range s.spans.Ended() {
		for _, a := range span.Attributes() {
			text = append(text, string(a.Key)+"="+a.Value.String()+"\n"...)
		}
		for _, event := range span.Events() {
			text = append(text, event.Name...)
		}
		text = append(text, span.Name()+span.Status().Description...)
	}
	return string(text)
}
