package agent

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
	"github.com/countersign-dev/countersign/cmd/countersign/tokenendpoint"
)

// Metrics answers with counts by client. The names are the configuration's.
func (a *Agent) Metrics() http.HandlerFunc { return tokenendpoint.Metrics(a.samples) }

// totals is what a client's sources did together.
type totals struct {
	requests, granted, failures, overBudget, generation int64
	fallback                                            bool
	left                                                float64
}

// add adds what a source has counted.
func (t *totals) add(stats clientcredentials.Stats) {
	t.requests += stats.Requests
	t.granted += stats.Granted
	t.failures += stats.Failures
	t.overBudget += stats.OverBudget
	t.generation = max(t.generation, stats.SecretGeneration)
}

func (c *client) totals() totals {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.past
	var ends []float64
	for _, s := range c.sources {
		stats := s.Stats()
		t.add(stats)
		t.fallback = t.fallback || stats.SecretFallback
		if !stats.Expiry.IsZero() && s.wanted() {
			ends = append(ends, max(time.Until(stats.Expiry).Seconds(), 0))
		}
	}
	if len(ends) > 0 {
		t.left = slices.Min(ends)
	}
	return t
}

func (a *Agent) samples() []tokenendpoint.Sample {
	names := slices.Sorted(maps.Keys(a.clients))
	all := make([]totals, len(names))
	for n, name := range names {
		all[n] = a.clients[name].totals()
	}
	var list []tokenendpoint.Sample
	add := func(name, help string, gauge bool, value func(*client, totals) float64) {
		for n, client := range names {
			list = append(list, tokenendpoint.Sample{Name: "countersign_agent_" + name, Help: help, Gauge: gauge,
				Label: map[string]string{"client": client}, Value: value(a.clients[client], all[n])})
		}
	}
	price := clientcredentials.CognitoPrice()
	add("requests_total", "Token requests of programs.", false, func(c *client, _ totals) float64 { return float64(c.requests.Load()) })
	add("refused_total", "Requests of users who may not, for scopes that the client has not, or for too many sets of them.", false, func(c *client, _ totals) float64 { return float64(c.refused.Load()) })
	add("failed_total", "Requests that got no token for another reason.", false, func(c *client, _ totals) float64 { return float64(c.failed.Load()) })
	add("upstream_requests_total", "Token requests to the issuer.", false, func(_ *client, t totals) float64 { return float64(t.requests) })
	add("upstream_granted_total", "Token requests that the issuer granted; this is what it bills.", false, func(_ *client, t totals) float64 { return float64(t.granted) })
	add("upstream_failures_total", "Attempts that brought no token.", false, func(_ *client, t totals) float64 { return float64(t.failures) })
	add("upstream_cost_usd", "Price of the granted requests at Cognito's first tier as of "+price.AsOf+".", true, func(_ *client, t totals) float64 { return price.Cost(t.granted) })
	add("over_budget_total", "Days in which more was granted than the budget has.", false, func(_ *client, t totals) float64 { return float64(t.overBudget) })
	add("secret_generation", "Grows each time another secret works than before.", true, func(_ *client, t totals) float64 { return float64(t.generation) })
	add("secret_fallback", "1 while the preferred secret is refused and another one works.", true, func(_ *client, t totals) float64 {
		if t.fallback {
			return 1
		}
		return 0
	})
	add("token_left_seconds", "Life that is left of the token that ends first, of those that somebody asked for in the last two hours.", true, func(_ *client, t totals) float64 { return t.left })
	return list
}
