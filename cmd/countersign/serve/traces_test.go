package serve_test

import (
	"compress/gzip"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/countersign-dev/countersign/cmd/countersign/serve"
)

// collector takes traces as an OpenTelemetry collector does.
type collector struct {
	*httptest.Server
	t      *testing.T
	status int
	answer func(request int, w http.ResponseWriter) (take bool) // in the place of status, where it says no

	mu       sync.Mutex
	requests int
	bytes    []byte // all that came
	spans    []*otlp.Span
}

func collect(t *testing.T, status int) *collector {
	t.Helper()
	c := &collector{t: t, status: status}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	plain, err := gzip.NewReader(r.Body)
	if err != nil {
		c.t.Error(err)
		return
	}
	body, err := io.ReadAll(plain)
	var sent otlp.TracesData
	if err != nil || proto.Unmarshal(body, &sent) != nil || len(sent.ProtoReflect().GetUnknown()) > 0 {
		c.t.Errorf("no traces: %v", err)
	}
	if r.Method != http.MethodPost || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" || r.Header.Get("Content-Encoding") != "gzip" {
		c.t.Errorf("OTLP: %s %s %s", r.Method, r.URL, r.Header)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests++
	if c.answer != nil && !c.answer(c.requests, w) {
		return
	}
	c.bytes = append(c.bytes, body...)
	for _, of := range sent.GetResourceSpans() {
		if got := attributes(of.GetResource().GetAttributes())["service.name"]; got != "countersign-issuer" {
			c.t.Errorf("service.name is %v", got)
		}
		for _, in := range of.GetScopeSpans() {
			c.spans = append(c.spans, in.GetSpans()...)
		}
	}
	w.WriteHeader(c.status)
}

// named are the spans with the name.
func (c *collector) named(name string) (all []*otlp.Span) {
	for _, span := range c.spans {
		if span.GetName() == name {
			all = append(all, span)
		}
	}
	return all
}

func attributes(of []*common.KeyValue) map[string]any {
	all := map[string]any{}
	for _, kv := range of {
		switch v := kv.GetValue().GetValue().(type) {
		case *common.AnyValue_StringValue:
			all[kv.GetKey()] = v.StringValue
		case *common.AnyValue_IntValue:
			all[kv.GetKey()] = v.IntValue
		default:
			all[kv.GetKey()] = kv.GetValue()
		}
	}
	return all
}

// traced is a server that sends its traces to the collector, with a pool and a client. Its end sends what is left.
func traced(t *testing.T, c *collector, ratio string, logger *slog.Logger) running {
	t.Helper()
	config := configure(t, "drain: {wait: 0s, timeout: 10s}\ntraces: {endpoint: '"+c.URL+"/v1/traces', ratio: "+ratio+"}\n")
	s, err := serve.Start(t.Context(), config, logger)
	if err != nil {
		t.Fatal(err)
	}
	pool, client := provision(t, admin(t, s, config, "deployer"))
	return running{s, config, pool, client}
}

const (
	theirTrace = "0af7651916cd43dd8448eb211c80319c"
	theirSpan  = "b7ad6b7169203331"
)

// ask sends a token request with headers beside, and returns status and body.
func (r running) ask(t *testing.T, secret string, headers ...string) (int, string) {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "aws_client_metadata": {`{"k":"in-the-body"}`}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.Issuer()+"/"+r.pool+"/oauth2/token?q=in-the-query", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Host = "in-the-host.example.com"
	request.SetBasicAuth(*r.client.ClientId, secret)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

func end(t *testing.T, r running) {
	t.Helper()
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func hasAll(t *testing.T, span *otlp.Span, want map[string]any) {
	t.Helper()
	got := attributes(span.GetAttributes())
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s: %s is %v, want %v", span.GetName(), key, got[key], value)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: the attributes are %v, want %v", span.GetName(), got, want)
	}
}
