package tokenproxy

import (
	"net/http"
	"sync/atomic"

	"github.com/countersign-dev/countersign/clientcredentials"
	"github.com/countersign-dev/countersign/cmd/countersign/tokenendpoint"
)

// counts is what the proxy did.
type counts struct {
	requests, hits, shared, repeated, limited, forced, failures atomic.Int64
	upstream, granted, evicted                                  atomic.Int64
}

// Metrics answers with the counts. They have no client's name: those are the callers' to choose.
func (p *Proxy) Metrics() http.HandlerFunc { return tokenendpoint.Metrics(p.samples) }

func (p *Proxy) samples() []tokenendpoint.Sample {
	c := &p.counts
	tokens, refusals := p.cache.size()
	price := clientcredentials.CognitoPrice()
	counter := func(name, help string, n int64) tokenendpoint.Sample {
		return tokenendpoint.Sample{Name: "countersign_tokenproxy_" + name, Help: help, Value: float64(n)}
	}
	gauge := func(name, help string, n float64) tokenendpoint.Sample {
		return tokenendpoint.Sample{Name: "countersign_tokenproxy_" + name, Help: help, Gauge: true, Value: n}
	}
	return []tokenendpoint.Sample{
		counter("requests_total", "Token requests that came.", c.requests.Load()),
		counter("hits_total", "Requests that were answered with a token that was held.", c.hits.Load()),
		counter("shared_total", "Requests that waited for the answer to another one.", c.shared.Load()),
		counter("failures_total", "Requests that got no token.", c.failures.Load()),
		counter("repeated_refusals_total", "Refusals of the issuer that were repeated to the same secret.", c.repeated.Load()),
		counter("limited_total", "Requests of unknown credentials beyond what is set aside for them.", c.limited.Load()),
		counter("forced_renewals_total", "Renewals because an API refused the token.", c.forced.Load()),
		counter("evicted_total", "Tokens that were dropped for want of room.", c.evicted.Load()),
		counter("upstream_requests_total", "Token requests to the issuer.", c.upstream.Load()),
		counter("upstream_granted_total", "Token requests that the issuer granted; this is what it bills.", c.granted.Load()),
		gauge("upstream_cost_usd", "Price of the granted requests at Cognito's first tier as of "+price.AsOf+".", price.Cost(c.granted.Load())),
		gauge("tokens", "Tokens that are held.", float64(tokens)),
		gauge("refusals", "Refusals that are remembered.", float64(refusals)),
	}
}
