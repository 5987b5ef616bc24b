package serve_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
)

// TestTraces: what a collector gets of tokens, refusals, documents, calls of the JSON API and requests for nothing that is there.
func TestTraces(t *testing.T) {
	c := collect(t, http.StatusOK)
	r := traced(t, c, "1", slog.New(slog.DiscardHandler))
	status, body := r.ask(t, *r.client.ClientSecret, "traceparent", "00-"+theirTrace+"-"+theirSpan+"-01", "tracestate", "v=in-the-state", "baggage", "b=in-the-baggage")
	var issued struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(body), &issued); err != nil || status != http.StatusOK || issued.AccessToken == "" {
		t.Fatalf("%d, %v", status, err)
	}
	r.ask(t, "hunter2hunter2hunter2hunter2")
	known := *r.client.ClientId
	invented := "in-the-client-id"
	r.client.ClientId = &invented
	r.ask(t, "hunter2hunter2hunter2hunter2")
	get(t, http.DefaultClient, r.Issuer()+"/"+r.pool+"/.well-known/jwks.json")
	get(t, http.DefaultClient, r.Issuer()+"/in-the-path/nothing")
	get(t, http.DefaultClient, r.Issuer()+"/healthz")
	end(t, r)

	issuer, err := url.Parse(r.Issuer())
	if err != nil {
		t.Fatal(err)
	}
	port, _ := strconv.ParseInt(issuer.Port(), 10, 64)
	with := func(more ...any) map[string]any {
		all := map[string]any{"url.scheme": "http", "server.address": "localhost", "server.port": port}
		for i := 0; i < len(more); i += 2 {
			all[more[i].(string)] = more[i+1]
		}
		return all
	}
	token := []any{"http.request.method", "POST", "http.route", "/{pool}/oauth2/token", "countersign.pool.id", r.pool}
	tokens := c.named("POST /{pool}/oauth2/token")
	if len(tokens) != 3 {
		t.Fatalf("%d spans of token requests", len(tokens))
	}
	hasAll(t, tokens[0], with(append(token, "http.response.status_code", int64(200), "countersign.client.id", known)...))
	hasAll(t, tokens[1], with(append(token, "http.response.status_code", int64(400), "countersign.client.id", known, "error.type", "invalid_client")...))
	hasAll(t, tokens[2], with(append(token, "http.response.status_code", int64(400), "error.type", "invalid_client")...))
	for _, span := range tokens {
		if span.GetKind() != otlp.Span_SPAN_KIND_SERVER || span.GetStatus().GetCode() != otlp.Status_STATUS_CODE_UNSET {
			t.Errorf("kind %v, status %v", span.GetKind(), span.GetStatus())
		}
	}
	if got := hex.EncodeToString(tokens[0].GetTraceId()) + hex.EncodeToString(tokens[0].GetParentSpanId()); got != theirTrace+theirSpan {
		t.Errorf("W3C Trace Context, Section 3.2: trace and parent are %s", got)
	}
	if len(tokens[1].GetParentSpanId()) != 0 {
		t.Error("a request without traceparent has a parent")
	}
	for _, part := range []string{"signature wait", "signature"} {
		if of := c.named(part); len(of) != 1 || !bytes.Equal(of[0].GetParentSpanId(), tokens[0].GetSpanId()) || hex.EncodeToString(of[0].GetTraceId()) != theirTrace {
			t.Errorf("%s: %v", part, of)
		}
	}
	hasAll(t, c.named("GET /{pool}/.well-known/jwks.json")[0], with("http.request.method", "GET", "http.route", "/{pool}/.well-known/jwks.json",
		"http.response.status_code", int64(200), "countersign.pool.id", r.pool))
	hasAll(t, c.named("GET")[0], with("http.request.method", "GET", "http.response.status_code", int64(404)))
	calls := map[any]*otlp.Span{}
	for _, span := range c.named("POST /") {
		calls[attributes(span.GetAttributes())["countersign.operation"]] = span
	}
	commits := c.named("store commit")
	if len(calls) != 3 || len(commits) != 3 || !bytes.Equal(commits[0].GetParentSpanId(), calls["CreateUserPool"].GetSpanId()) {
		t.Errorf("%d calls, %d commits: %v", len(calls), len(commits), commits)
	}
	if got := len(c.spans); got != 3+2+1+1+3+3 { // the probes have none
		t.Errorf("%d spans", got)
	}
	secret := []string{*r.client.ClientSecret, "hunter2", issued.AccessToken, strings.Split(issued.AccessToken, ".")[2], "in-the-"}
	for _, word := range secret {
		if bytes.Contains(c.bytes, []byte(word)) {
			t.Errorf("the traces have %.12s…", word)
		}
	}
}

// TestSampling: the ratio decides for requests without traceparent, and their caller for the others.
func TestSampling(t *testing.T) {
	for _, tt := range []struct {
		name, ratio, parent string
		want                int
	}{
		{"all", "1", "", 5},
		{"none", "0", "", 0},
		{"none but the caller's", "0", "00-" + theirTrace + "-" + theirSpan + "-01", 5},
		{"all but the caller's", "1.0", "00-" + theirTrace + "-" + theirSpan + "-00", 0},
		{"trace context s3.2.2.3: a trace id of zeros is none", "0", "00-00000000000000000000000000000000-" + theirSpan + "-01", 0},
		{"trace context s3.2: no traceparent", "0", "01", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := collect(t, http.StatusOK)
			r := traced(t, c, tt.ratio, slog.New(slog.DiscardHandler))
			for range 5 {
				if status, _ := r.ask(t, *r.client.ClientSecret, "traceparent", tt.parent); status != http.StatusOK {
					t.Errorf("status %d", status)
				}
			}
			end(t, r)
			if got := len(c.named("POST /{pool}/oauth2/token")); got != tt.want {
				t.Errorf("%d spans, want %d", got, tt.want)
			}
		})
	}
}
