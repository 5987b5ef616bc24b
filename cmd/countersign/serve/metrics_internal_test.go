package serve

import (
	"fmt"
	"testing"

	dto "github.com/prometheus/client_model/go"

	"github.com/countersign-dev/countersign/cognito"
)

// TestDeletedClientsGiveTheirSeriesBack: an issuer of tests sees thousands of app clients, few of them at once.
func TestDeletedClientsGiveTheirSeriesBack(t *testing.T) {
	m := newMetrics()
	there := map[string]bool{}
	m.exists = func(_, client string) bool { return there[client] }
	ask := func(id string) {
		there[id] = true
		m.observe(cognito.Observation{Route: "token", PoolID: "pool", ClientID: id})
	}
	for i := range maxClients {
		ask(fmt.Sprint("client-", i))
	}
	ask("one-more")
	issued := func(client string) float64 {
		var out dto.Metric
		if err := m.tokens.WithLabelValues(client, "issued").Write(&out); err != nil {
			t.Fatal(err)
		}
		return out.GetCounter().GetValue()
	}
	if got := issued(otherClients); got != 1 {
		t.Errorf("beyond the bound: %v tokens of others", got)
	}
	for i := range maxClients - 1 {
		delete(there, fmt.Sprint("client-", i))
	}
	m.swept = m.swept.Add(-2 * sweepEvery)
	ask("the-next")
	if got := issued("the-next"); got != 1 {
		t.Errorf("a client after two thousand deleted ones: %v tokens", got)
	}
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		// The one that stayed, the next, the others.
		if f.GetName() == "countersign_issuer_tokens_total" && len(f.GetMetric()) != 3 {
			t.Errorf("%d series, want 3", len(f.GetMetric()))
		}
	}
}
