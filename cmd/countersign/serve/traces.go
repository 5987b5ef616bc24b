package serve

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/countersign-dev/countersign/cognito"
	"github.com/countersign-dev/countersign/internal/status"
)

// TracesConfig says where traces go.
type TracesConfig struct {
	Endpoint string  `yaml:"endpoint" doc:"URL at which an OpenTelemetry collector takes traces, in OTLP over HTTP, such as http://localhost:4318/v1/traces; none are made where it is empty"`
	Ratio    float64 `yaml:"ratio" doc:"how many of the requests are traced, from 0 to 1; of one with the header traceparent its caller decides" default:"1"`
}

func (c *Config) checkTraces(fail failure) {
	t := &c.Traces
	if !c.given("traces.ratio") {
		t.Ratio = 1
	}
	if !(t.Ratio >= 0 && t.Ratio <= 1) {
		fail("traces.ratio", "is %v, want a number from 0 to 1", t.Ratio)
	}
	if t.Endpoint == "" {
		if c.given("traces.ratio") {
			fail("traces", "has a ratio and no endpoint; no traces would be made")
		}
		return
	}
	u, err := url.Parse(t.Endpoint)
	switch {
	// What the URL says is not repeated: some have a key in it.
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || strings.ContainsAny(t.Endpoint, "?#"):
		fail("traces.endpoint", "is not an absolute URL without user, query and fragment, such as http://localhost:4318/v1/traces")
	case strings.Trim(u.Path, "/") == "":
		// OTLP, Section OTLP/HTTP Request: the default URL path for traces is /v1/traces.
		fail("traces.endpoint", "has no path; collectors take traces at /v1/traces")
	}
}

// A tracer makes a span for each request. It knows the issuer's own words only: no header, path or body of a request is in one.
type tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	always   []attribute.KeyValue
	counts   *prometheus.CounterVec // of what became of spans
}

// flushTime is how long the end waits for the last traces at most.
const flushTime = 5 * time.Second

// startTraces begins to trace, where the configuration has it.
func (s *Server) startTraces(ctx context.Context) error {
	if s.config.Traces.Endpoint == "" {
		return nil
	}
	client := newOTLP(s.config.Traces.Endpoint)
	exporter, err := otlptrace.New(ctx, client)
	if err != nil {
		return s.config.errorAt("traces.endpoint", err)
	}
	s.tracer = newTracer(&patientExporter{SpanExporter: exporter, client: client, logger: s.logger, counts: newSpanCounts()}, s.config.Traces.Ratio, s.baseURL())
	s.teardown.Add(func() error {
		close(client.ending)
		ctx, cancel := context.WithTimeout(context.Background(), min(flushTime, s.config.Drain.Timeout))
		defer cancel()
		if s.tracer.provider.Shutdown(ctx) != nil {
			s.logger.Warn("the last traces could not be sent in time; they are lost")
		}
		client.abandon()
		return nil // a collector that is away is no failure of the issuer
	})
	return nil
}

func newTracer(exporter *patientExporter, ratio float64, baseURL string) *tracer {
	queue := sdk.NewBatchSpanProcessor(exporter, sdk.WithMaxQueueSize(spanQueue), sdk.WithMaxExportBatchSize(spanBatch), sdk.WithBatchTimeout(2*time.Second), sdk.WithExportTimeout(exportTime))
	provider := sdk.NewTracerProvider(
		sdk.WithSpanProcessor(&spanGate{SpanProcessor: queue, waiting: &exporter.waiting, counts: exporter.counts}),
		sdk.WithSampler(sdk.ParentBased(sdk.TraceIDRatioBased(ratio))),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "countersign-issuer"))),
	)
	t := &tracer{counts: exporter.counts, provider: provider, tracer: provider.Tracer("github.com/countersign-dev/countersign/cmd/countersign/serve")}
	// The address is the issuer's own, not that of the header Host, which is the caller's to choose.
	if u, err := url.Parse(baseURL); err == nil {
		t.always = append(t.always, attribute.String("url.scheme", u.Scheme), attribute.String("server.address", u.Hostname()))
		if port, err := strconv.Atoi(u.Port()); err == nil {
			t.always = append(t.always, attribute.Int("server.port", port))
		}
	}
	return t
}

// wrap makes the span of each request to next. Names are those of OpenTelemetry's semantic conventions for HTTP servers.
func (t *tracer) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		method := knownMethod(r.Method)
		ctx, span := t.tracer.Start(callersTrace(r), spanName(method, ""), trace.WithSpanKind(trace.SpanKindServer),
			trace.WithAttributes(attribute.String("http.request.method", method)), trace.WithAttributes(t.always...))
		defer span.End()
		r = r.WithContext(ctx)
		if !span.IsRecording() {
			next.ServeHTTP(w, r)
			return
		}
		out := &status.Writer{ResponseWriter: w}
		defer func() { finish(span, method, r.Pattern, out.Sent()) }()
		next.ServeHTTP(out, r)
	})
}

// callersTrace is the context of a request with the trace that its traceparent names, if it is one (W3C Trace Context, Section
// 3.2). The tracestate is left out: it may say anything.
func callersTrace(r *http.Request) context.Context {
	theirs := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), propagation.HeaderCarrier(r.Header)))
	return trace.ContextWithRemoteSpanContext(r.Context(), theirs.WithTraceState(trace.TraceState{}))
}

// finish adds what is known when the request is answered. The pattern is that of the route.
func finish(span trace.Span, method, pattern string, status int) {
	route := pattern[strings.IndexByte(pattern, ' ')+1:]
	route = strings.TrimSuffix(route, "{$}")
	if route != "" {
		span.SetName(spanName(method, route))
		span.SetAttributes(attribute.String("http.route", route))
	}
	if status == 0 { // the handler gave up
		span.SetStatus(codes.Error, "")
		return
	}
	span.SetAttributes(attribute.Int("http.response.status_code", status))
	if status >= http.StatusInternalServerError { // what a caller did wrong is no error of a server's span
		span.SetStatus(codes.Error, "")
	}
}

// observe adds to the span of a request what the issuer knows of it.
func (t *tracer) observe(o cognito.Observation) {
	span := trace.SpanFromContext(o.Context)
	if !span.IsRecording() {
		return
	}
	for _, known := range []attribute.KeyValue{
		attribute.String("error.type", o.Code), attribute.String("countersign.client.id", o.ClientID),
		attribute.String("countersign.pool.id", o.PoolID), attribute.String("countersign.operation", o.Operation),
	} {
		if known.Value.AsString() != "" {
			span.SetAttributes(known)
		}
	}
}

// part is the span of a part of a request that is traced.
func (t *tracer) part(ctx context.Context, name string) (end func(error)) {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return func(error) {}
	}
	_, span := t.tracer.Start(ctx, name)
	return func(err error) {
		if err != nil {
			span.SetStatus(codes.Error, "")
			span.SetAttributes(attribute.String("error.type", errorType(err)))
		}
		span.End()
	}
}

// errorType is a word for an error, whose text may quote anything.
func errorType(err error) string {
	switch {
	case errors.Is(err, cognito.ErrConflict):
		return "conflict"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	return "_OTHER"
}

func spanName(method, route string) string {
	if method == otherMethod {
		method = "HTTP"
	}
	return strings.TrimSpace(method + " " + route)
}

const otherMethod = "_OTHER"

// knownMethod is one of HTTP's own: another is the caller's word.
func knownMethod(name string) string {
	switch name {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT":
		return name
	}
	return otherMethod
}
