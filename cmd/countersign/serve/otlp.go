package serve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// exportTime bounds one attempt to send traces.
const exportTime = 10 * time.Second

// otlpClient sends traces in OTLP over HTTP, binary. OpenTelemetry's own client for that brings all of gRPC into the program.
type otlpClient struct {
	endpoint string
	http     *http.Client
	life     context.Context
	abandon  context.CancelFunc // ends what is under way
}

func newOTLP(endpoint string) *otlpClient {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	c := &otlpClient{endpoint: endpoint, http: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	c.life, c.abandon = context.WithCancel(context.Background())
	return c
}

// Start implements otlptrace.Client. A collector that is away at the start does not keep the issuer from starting.
func (c *otlpClient) Start(context.Context) error { return nil }

// Stop implements otlptrace.Client.
func (c *otlpClient) Stop(context.Context) error {
	c.http.CloseIdleConnections()
	return nil
}

// UploadTraces implements otlptrace.Client.
func (c *otlpClient) UploadTraces(ctx context.Context, spans []*otlp.ResourceSpans) error {
	// OTLP's ExportTraceServiceRequest and TracesData are the same on the wire: resource_spans, with the number 1.
	body, err := proto.Marshal(&otlp.TracesData{ResourceSpans: spans})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.life, cancel)()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	// OTLP, Section Binary Protobuf Encoding: the client MUST set "Content-Type: application/x-protobuf".
	request.Header.Set("Content-Type", "application/x-protobuf")
	request.Header.Set("User-Agent", "countersign-issuer")
	answer, err := c.http.Do(request)
	if err != nil {
		return withoutURL(err)
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, 64<<10) // for the connection to be used again
	// OTLP, Section OTLP/HTTP Response: all other response codes than 2xx are errors, redirects included.
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return fmt.Errorf("the collector answered with status %d", answer.StatusCode)
	}
	return nil
}

// withoutURL is the error without the endpoint, which may have a key in its path.
func withoutURL(err error) error {
	var about *url.Error
	if errors.As(err, &about) {
		return about.Err
	}
	return err
}

// logEvery is how often a collector that is away is in the log.
const logEvery = time.Minute

// A patientExporter counts what its exporter could not send, and says so once in a while. It does not try again: the traces of
// later requests are worth more than those of earlier ones.
type patientExporter struct {
	sdk.SpanExporter
	logger *slog.Logger

	mu   sync.Mutex
	lost int
	next time.Time // when the log may have the next line
}

// ExportSpans implements [sdk.SpanExporter].
func (e *patientExporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	if err == nil {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lost += len(spans)
	if now := time.Now(); !now.Before(e.next) {
		e.logger.Warn("traces could not be sent; requests are answered as ever", "lost", e.lost, "cause", err.Error())
		e.lost, e.next = 0, now.Add(logEvery)
	}
	return nil
}
