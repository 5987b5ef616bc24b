package gateway_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/gateway"
)

// A service that is known to be away is not asked, and its callers are told to come again.
func TestServiceThatIsAway(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer upstream.Close()
	why := ""
	edge, err := gateway.New(gateway.Config{
		Routes:      []gateway.Route{{Prefix: "/api", Upstream: upstream.URL}},
		Unavailable: func() string { return why },
		Logger:      slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(path string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "http://localhost"+path, nil)
		r.RemoteAddr = "127.0.0.1:1"
		w := httptest.NewRecorder()
		edge.ServeHTTP(w, r)
		return w
	}
	if w := ask("/api/x"); w.Code != http.StatusOK {
		t.Errorf("while it is up: %d", w.Code)
	}
	why = "the service is being started"
	if w := ask("/api/x"); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "1" || strings.TrimSpace(w.Body.String()) != why {
		t.Errorf("while it is away: %d %v %s", w.Code, w.Header(), w.Body)
	}
	if w := ask("/other"); w.Code != http.StatusNotFound {
		t.Errorf("a path that has no service: %d", w.Code)
	}
}
