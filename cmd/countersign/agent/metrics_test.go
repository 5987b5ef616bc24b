package agent

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
)

// lives answers a token request with a token that lives as many seconds as its scope says.
type lives struct{}

func (lives) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.ParseForm(); err != nil {
		return nil, err
	}
	body := fmt.Sprintf(`{"access_token":"t","token_type":"Bearer","expires_in":%s}`, req.PostForm.Get("scope"))
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

// TestTokenLeft: the least that is left, also when that is nothing, and without the tokens that nobody wants any more.
func TestTokenLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, err := New(Config{Clients: []Client{{Name: "reader", Scopes: []string{"600", "86000"}, Source: clientcredentials.Config{
			TokenEndpoint: "https://issuer.example.com/token", Credentials: clientcredentials.Static("id", "s"), HTTPClient: &http.Client{Transport: lives{}},
		}}}}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		c := a.clients["reader"]
		left := func() int { return int(c.totals().left) }
		for _, scope := range c.Scopes {
			s, err := c.source(0, []string{scope})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.token(t.Context(), false); err != nil {
				t.Fatal(err)
			}
			if scope == "600" {
				_ = s.Close() // so that it is not renewed
			}
		}
		time.Sleep(time.Minute)
		if got := left(); got != 540 {
			t.Errorf("%d s, want 540", got)
		}
		time.Sleep(time.Hour)
		// The sources are in a map, whose order is another each time.
		for range 20 {
			if got := left(); got != 0 {
				t.Fatalf("%d s when one token has ended, want 0", got)
			}
		}
		time.Sleep(time.Hour)
		long, _ := c.source(0, []string{"86000"})
		if _, err := long.token(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		if got := left(); got < 70_000 {
			t.Errorf("%d s: the token that nobody wants is counted", got)
		}
	})
}
