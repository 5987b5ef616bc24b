package collector

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/countersign-dev/countersign/e2e/program"
)

func TestMain(m *testing.M) { program.Main(m) }

const (
	theirTrace = "0af7651916cd43dd8448eb211c80319c"
	theirSpan  = "b7ad6b7169203331"
)

// collect starts the receiver and returns its endpoint. What comes goes to next.
func collect(t *testing.T, next consumer.Traces) (endpoint string) {
	t.Helper()
	address := fmt.Sprintf("127.0.0.1:%d", program.FreePort(t))
	factory := otlpreceiver.NewFactory()
	config := factory.CreateDefaultConfig().(*otlpreceiver.Config)
	config.HTTP.GetOrInsertDefault().ServerConfig.Endpoint = address
	receiver, err := factory.CreateTraces(t.Context(), receivertest.NewNopSettings(factory.Type()), config, next)
	if err != nil {
		t.Fatal(err)
	}
	if err := receiver.Start(t.Context(), componenttest.NewNopHost()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := receiver.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return "http://" + address + "/v1/traces"
}

// TestTheCollectorReadsTheTraces: twenty tokens and five refusals, and every span of theirs.
func TestTheCollectorReadsTheTraces(t *testing.T) {
	sink := new(consumertest.TracesSink)
	p := start(t, collect(t, sink))
	for range 20 {
		p.ask(t, secret, http.StatusOK)
	}
	for range 5 {
		p.ask(t, "a-wrong-secret-of-some-length", http.StatusBadRequest)
	}
	p.stop(t)
	names := map[string]int{}
	for _, traces := range sink.AllTraces() {
		for _, of := range traces.ResourceSpans().All() {
			if name, _ := of.Resource().Attributes().Get("service.name"); name.AsString() != "countersign-issuer" {
				t.Errorf("service.name is %s", name.AsString())
			}
			for _, scope := range of.ScopeSpans().All() {
				for _, span := range scope.Spans().All() {
					names[span.Name()]++
					check(t, span)
				}
			}
		}
	}
	if want := map[string]int{"POST /{pool}/oauth2/token": 25, "signature wait": 20, "signature": 20}; !maps.Equal(names, want) {
		t.Errorf("the spans are %v, want %v", names, want)
	}
}

// check holds a span of a request to its trace and to OpenTelemetry's semantic conventions.
func check(t *testing.T, span ptrace.Span) {
	t.Helper()
	if got := span.TraceID().String(); got != theirTrace {
		t.Errorf("%s: the trace is %s", span.Name(), got)
	}
	if span.EndTimestamp() < span.StartTimestamp() || span.StartTimestamp().AsTime().Before(time.Now().Add(-5*time.Minute)) {
		t.Errorf("%s: from %v to %v", span.Name(), span.StartTimestamp(), span.EndTimestamp())
	}
	if !strings.HasPrefix(span.Name(), "POST") {
		return
	}
	got := span.Attributes().AsRaw()
	status := got["http.response.status_code"]
	if span.Kind() != ptrace.SpanKindServer || span.ParentSpanID().String() != theirSpan || got["http.route"] != "/{pool}/oauth2/token" ||
		got["countersign.client.id"] != client || status != int64(200) && got["error.type"] != "invalid_client" {
		t.Errorf("%s: kind %v, parent %s, attributes %v", span.Name(), span.Kind(), span.ParentSpanID(), got)
	}
}

// busy is a pipeline that is overloaded at first.
type busy struct {
	consumertest.TracesSink
	refusals atomic.Int32
}

func (b *busy) ConsumeTraces(ctx context.Context, traces ptrace.Traces) error {
	if b.refusals.Add(-1) >= 0 {
		return errors.New("the queue of the exporter is full")
	}
	return b.TracesSink.ConsumeTraces(ctx, traces)
}

// TestACollectorThatIsOverloaded: what the receiver answers then is tried again, and nothing is lost or there twice.
func TestACollectorThatIsOverloaded(t *testing.T) {
	sink := new(busy)
	sink.refusals.Store(2)
	p := start(t, collect(t, sink))
	for range 10 {
		p.ask(t, secret, http.StatusOK)
	}
	for deadline := time.Now().Add(2 * time.Minute); sink.SpanCount() < 30 && time.Now().Before(deadline); {
		<-time.After(50 * time.Millisecond)
	}
	p.stop(t)
	if sink.SpanCount() != 30 || sink.refusals.Load() > 0 {
		t.Errorf("%d spans came after %d refusals, want 30 after 2", sink.SpanCount(), 2-max(0, sink.refusals.Load()))
	}
	var ids []string
	for _, traces := range sink.AllTraces() {
		for _, of := range traces.ResourceSpans().All() {
			for _, scope := range of.ScopeSpans().All() {
				for _, span := range scope.Spans().All() {
					ids = append(ids, fmt.Sprint(span.TraceID(), span.SpanID()))
				}
			}
		}
	}
	slices.Sort(ids)
	if n := len(slices.Compact(ids)); n != 30 {
		t.Errorf("%d of 30 spans are different", n)
	}
}
