package agent

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
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

// TestAnAgentWithoutASecret: an assertion that somebody keeps fresh is what proves the client (RFC 7523, Section 2.2).
func TestAnAgentWithoutASecret(t *testing.T) {
	shown := make(chan url.Values, 1)
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		shown <- r.PostForm
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"t","token_type":"Bearer","expires_in":600}`)
	}))
	defer issuer.Close()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"token":      "YQ.Yg.Yw\n",
		"agent.yaml": "socket: /a\nclients:\n  reader: {token_endpoint: \"" + issuer.URL + "\", assertion_file: token, client_id: orders, uids: [1]}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := ReadFile(filepath.Join(dir, "agent.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	s, err := a.clients["reader"].source(1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.token(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if form := <-shown; form.Get("client_assertion") != "YQ.Yg.Yw" || form.Get("client_id") != "orders" || form.Has("client_secret") {
		t.Errorf("the issuer is shown %v", form)
	}
}

// TestTheClockIsSetBack: by the wall clock a token then has hours more, and its program would send it when it has ended.
func TestTheClockIsSetBack(t *testing.T) {
	token := &clientcredentials.Token{Expiry: time.Now().Add(time.Hour).Round(0)}
	var s source
	if left := s.left(token); left <= 59*time.Minute || left > time.Hour {
		t.Errorf("%v are left of an hour", left)
	}
	token.Expiry = token.Expiry.Add(2 * time.Hour) // what a clock says that was set back
	if left := s.left(token); left <= 59*time.Minute || left > time.Hour {
		t.Errorf("%v are left of an hour, after the clock was set back", left)
	}
	token.Expiry = token.Expiry.Add(-150 * time.Minute) // and set ahead, as after the sleep of a machine
	if left := s.left(token); left <= 29*time.Minute || left > 30*time.Minute {
		t.Errorf("%v are left of half an hour", left)
	}
}
