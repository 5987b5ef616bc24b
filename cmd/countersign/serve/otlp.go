package serve

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// exportTime bounds how long a batch of traces is tried; after that it is lost.
const exportTime = 10 * time.Second

// The wait before another attempt, where the collector names none, doubles between these.
const (
	firstRetry = time.Second
	lastRetry  = 5 * time.Second
)

// longestPause bounds what a collector may ask to be left alone for.
const longestPause = 5 * time.Minute

// otlpClient sends traces in OTLP over HTTP, binary. OpenTelemetry's own client for that brings all of gRPC into the program.
type otlpClient struct {
	endpoint string
	http     *http.Client
	life     context.Context
	abandon  context.CancelFunc // ends what is under way
	ending   chan struct{}      // closed when nothing is worth a wait any more
	rejected atomic.Int64       // spans of batches that were taken otherwise, since somebody asked

	mu    sync.Mutex // one batch at a time
	zip   *gzip.Writer
	pause time.Time // until when the collector wants to be left alone
}

func newOTLP(endpoint string) *otlpClient {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	c := &otlpClient{endpoint: endpoint, ending: make(chan struct{}), http: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	c.zip, _ = gzip.NewWriterLevel(io.Discard, gzip.BestSpeed) // an error only for a level that is none
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

// UploadTraces implements otlptrace.Client. It tries again where the collector may be back in a moment.
func (c *otlpClient) UploadTraces(ctx context.Context, spans []*otlp.ResourceSpans) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	body, err := c.encode(spans)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.life, cancel)()
	for retry := firstRetry; ; retry = min(2*retry, lastRetry) {
		if err := c.wait(ctx, time.Until(c.pause)); err != nil {
			return fmt.Errorf("the collector asked for a pause that is not over: %w", err)
		}
		err := c.send(ctx, body)
		var later *laterError
		if !errors.As(err, &later) {
			return err
		}
		if later.after > 0 {
			c.pause = time.Now().Add(min(later.after, longestPause))
		}
		// OTLP, Section OTLP/HTTP Throttling: exponential backoff with jitter where there is no Retry-After.
		if c.wait(ctx, cmp.Or(later.after, retry/2+rand.N(retry/2))) != nil {
			return err
		}
	}
}

// encode marshals and compresses. All servers of OTLP MUST take gzip (Section OTLP/HTTP).
func (c *otlpClient) encode(spans []*otlp.ResourceSpans) ([]byte, error) {
	// OTLP's ExportTraceServiceRequest and TracesData are the same on the wire: resource_spans, with the number 1.
	plain, err := proto.Marshal(&otlp.TracesData{ResourceSpans: spans})
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	c.zip.Reset(&body)
	_, err = c.zip.Write(plain)
	err = errors.Join(err, c.zip.Close())
	return body.Bytes(), err
}

// wait ends with an error when ctx ends first, or when the issuer does.
func (c *otlpClient) wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-c.ending:
		return context.Canceled
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A laterError is an answer after which the same may be sent again.
type laterError struct {
	error
	after time.Duration // zero: the collector does not say
}

func (e *laterError) Unwrap() error { return e.error }

func (c *otlpClient) send(ctx context.Context, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	// OTLP, Section Binary Protobuf Encoding: the client MUST set "Content-Type: application/x-protobuf".
	request.Header.Set("Content-Type", "application/x-protobuf")
	request.Header.Set("Content-Encoding", "gzip")
	request.Header.Set("User-Agent", "countersign-issuer")
	answer, err := c.http.Do(request)
	if err != nil {
		return &laterError{error: withoutURL(err)}
	}
	defer answer.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(answer.Body, 64<<10)) // all of it, for the connection to be used again
	// OTLP, Section OTLP/HTTP Response: all other response codes than 2xx are errors, redirects included.
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return refusedWith(answer)
	}
	// OTLP, Section Partial Success: the client MUST NOT retry the request when it receives a partial success.
	if answer.Header.Get("Content-Type") == "application/x-protobuf" {
		c.rejected.Add(rejectedSpans(said))
	}
	return nil
}

func refusedWith(answer *http.Response) error {
	err := fmt.Errorf("the collector answered with status %d", answer.StatusCode)
	switch answer.StatusCode { // OTLP, Section Retryable Response Codes; others MUST NOT be retried
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return &laterError{err, retryAfter(answer.Header.Get("Retry-After"), time.Now())}
	}
	return err
}

// retryAfter: RFC 9110, Section 10.2.3: a number of seconds or a date; zero for neither.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// rejectedSpans reads an ExportTraceServiceResponse: partial_success has the number 1, and in it rejected_spans too.
func rejectedSpans(answer []byte) (rejected int64) {
	fields(answer, func(number protowire.Number, _ uint64, inner []byte) {
		if number == 1 {
			fields(inner, func(number protowire.Number, value uint64, _ []byte) {
				if number == 1 {
					rejected = max(0, int64(value))
				}
			})
		}
	})
	return rejected
}

// fields calls of for each field of a message that is a number or bytes, up to where it makes no sense.
func fields(message []byte, of func(protowire.Number, uint64, []byte)) {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return
		}
		message = message[n:]
		var value uint64
		var inner []byte
		switch kind {
		case protowire.VarintType:
			value, n = protowire.ConsumeVarint(message)
		case protowire.BytesType:
			inner, n = protowire.ConsumeBytes(message)
		default:
			n = protowire.ConsumeFieldValue(number, kind, message)
		}
		if n < 0 {
			return
		}
		of(number, value, inner)
		message = message[n:]
	}
}

// withoutURL is the error without the endpoint, which may have a key in its path.
func withoutURL(err error) error {
	var about *url.Error
	if errors.As(err, &about) {
		return about.Err
	}
	return err
}
