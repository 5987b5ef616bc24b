package gateway_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/gateway"
)

func ExampleNew() {
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "called by "+r.Header.Get("X-Forwarded-For"))
	}))
	defer service.Close()
	edge, err := gateway.New(gateway.Config{
		Routes: []gateway.Route{{Prefix: "/api/demo", Upstream: service.URL}},
		Allow:  []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")},
		Hosts:  []string{"api.example.com"},
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		panic(err)
	}
	for _, call := range []struct{ peer, path string }{
		{"203.0.113.7:50000", "/api/demo/protectedRole/sample-username"},
		{"203.0.113.7:50000", "/api/demo/../admin"},
		{"203.0.113.7:50000", "/healthz"},
		{"198.51.100.1:50000", "/api/demo/protectedRole/sample-username"},
	} {
		r := httptest.NewRequest("GET", "https://api.example.com"+call.path, nil)
		r.RemoteAddr = call.peer
		r.Header.Set("X-Forwarded-For", "203.0.113.99") // the caller's own word
		w := httptest.NewRecorder()
		edge.ServeHTTP(w, r)
		fmt.Println(w.Code, strings.TrimSpace(w.Body.String()))
	}
	// Output:
	// 200 called by 203.0.113.7
	// 400 the path or the query can be read in more than one way
	// 404 no service at this host and path
	// 403 this address is not in the edge's allow list
}
