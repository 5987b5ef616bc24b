package agent

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
)

// newClient is an agent's client with n scopes, of which "600" and the like are lives of tokens.
func newClient(t *testing.T, n int) *client {
	t.Helper()
	cfg := Client{Name: "reader", UIDs: []int{1, 2}, Source: clientcredentials.Config{
		TokenEndpoint: "https://issuer.example.com/token", Credentials: clientcredentials.Static("id", "s"), HTTPClient: &http.Client{Transport: lives{}},
	}}
	for i := range n {
		cfg.Scopes = append(cfg.Scopes, fmt.Sprint(3600+i))
	}
	a, err := New(Config{Clients: []Client{cfg}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a.clients["reader"]
}

// TestSetsOfScopesAreBounded: a user who asks for one set of scopes after another neither fills the agent's memory, nor keeps
// other users from theirs, nor has tokens asked for without end.
func TestSetsOfScopesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, 10*maxSources)
		ask := func(uid, scope int) error {
			s, err := c.source(uid, []string{c.Scopes[scope]})
			if err == nil {
				_, err = s.token(t.Context(), false)
			}
			return err
		}
		for n := range maxSources {
			if err := ask(1, n); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if err := ask(1, maxSources); !errors.Is(err, errManySets) {
			t.Errorf("one set more, at once: %v", err)
		}
		if err := ask(2, maxSources+1); err != nil {
			t.Errorf("another user: %v", err)
		}
		time.Sleep(restFor)
		if err := ask(1, 0); err != nil {
			t.Fatal(err)
		}
		granted := c.totals().granted
		if err := ask(1, maxSources); err != nil {
			t.Errorf("after a while: %v", err)
		}
		if c.sources[c.Scopes[0]] == nil || c.sources[c.Scopes[1]] != nil || len(c.sources) != maxSources+1 {
			t.Errorf("%d sets; the one that was asked for least recently has to go", len(c.sources))
		}
		if got := c.totals().granted; got != granted+1 {
			t.Errorf("%d granted after %d: a counter went back", got, granted)
		}
		for n := range 10 * maxSources {
			_ = ask(1, n)
		}
		if len(c.sources) > 2*maxSources || c.totals().granted > granted+maxSources {
			t.Errorf("%d sets, %d tokens", len(c.sources), c.totals().granted)
		}
	})
}
