package otelguard

import (
	"context"
	"errors"
	"strconv"

	"github.com/countersign-dev/countersign/clientcredentials"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// ClientObserver is a [clientcredentials.Observer] that measures. It is made by [NewClient], and safe for use by many
// goroutines and sources.
//
//	oauth.client.token.requests        counter: client, outcome ("granted" or "error"), error.type
//	oauth.client.token.duration        histogram, s: client, outcome
//	oauth.client.credential.fallbacks  counter: client; granted with another credential than the preferred one
//	oauth.client.over_budget           counter: client; windows in which more was granted than the budget has
//	oauth.client.retry_after_401       counter: http.request.method; API requests that were sent again
//
// The attribute http.request.resend_count is of the span of the request itself: whoever makes that reads
// [clientcredentials.ResendCount].
type ClientObserver struct {
	cfg Config

	requests   metric.Int64Counter
	duration   metric.Float64Histogram
	fallbacks  metric.Int64Counter
	overBudget metric.Int64Counter
	retries    metric.Int64Counter
}

var _ clientcredentials.Observer = (*ClientObserver)(nil)

// NewClient returns an observer of token clients whose instruments are made. The error says everything that is wrong with cfg.
func NewClient(cfg Config) (*ClientObserver, error) {
	cfg, err := cfg.validated()
	if err != nil {
		return nil, err
	}
	o := &ClientObserver{cfg: cfg}
	m := &maker{meter: cfg.MeterProvider.Meter(scopeName)}
	o.requests = m.counter("oauth.client.token.requests", "{request}", "Token requests; an issuer bills those that it grants.")
	o.duration = m.histogram("oauth.client.token.duration", "Time that a token request took.")
	o.fallbacks = m.counter("oauth.client.credential.fallbacks", "{request}", "Token requests that were granted with another credential than the preferred one.")
	o.overBudget = m.counter("oauth.client.over_budget", "{window}", "Windows in which more was granted than the budget has.")
	o.retries = m.counter("oauth.client.retry_after_401", "{request}", "API requests that were sent again because their token was refused.")
	return o, errors.Join(m.problems...)
}

// TokenRequest implements [clientcredentials.Observer].
func (o *ClientObserver) TokenRequest(e clientcredentials.TokenRequestEvent) {
	ctx := context.Background() // a token is everybody's, and no request's
	client, outcome := attribute.String("client", o.cfg.client(e.ClientID)), attribute.String("outcome", "granted")
	about := []attribute.KeyValue{client, outcome}
	if !e.Granted {
		outcome = attribute.String("outcome", "error")
		about = []attribute.KeyValue{client, outcome, attribute.String("error.type", tokenError(e))}
	}
	o.requests.Add(ctx, 1, metric.WithAttributes(about...))
	o.duration.Record(ctx, e.Duration.Seconds(), metric.WithAttributes(client, outcome))
	if e.Granted && e.Fallback {
		o.fallbacks.Add(ctx, 1, metric.WithAttributes(client))
	}
}

// tokenError is RFC 6749's code, else the status, else that there was no answer.
func tokenError(e clientcredentials.TokenRequestEvent) string {
	switch {
	case e.Code != "":
		return e.Code
	case e.Status >= 100 && e.Status <= 599:
		return strconv.Itoa(e.Status)
	}
	return "no_answer"
}

// OverBudget implements [clientcredentials.Observer].
func (o *ClientObserver) OverBudget(e clientcredentials.OverBudgetEvent) {
	o.overBudget.Add(context.Background(), 1, metric.WithAttributes(attribute.String("client", o.cfg.client(e.ClientID))))
}

// Resend implements [clientcredentials.Observer].
func (o *ClientObserver) Resend(ctx context.Context, e clientcredentials.ResendEvent) {
	o.retries.Add(ctx, 1, metric.WithAttributes(attribute.String("http.request.method", ownMethod(e.Method))))
}

// ownMethod is one of HTTP's own, so that no program makes a series for each word that it thinks of.
func ownMethod(name string) string {
	switch name {
	case "", "GET":
		return "GET"
	case "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT":
		return name
	}
	return "_OTHER"
}
