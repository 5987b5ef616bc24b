package prove_test

import (
	"net/http"
	"testing"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/prove"
)

// What an answer shows of who gave it goes into the row, without what it repeats of the request.
func TestLook(t *testing.T) {
	for _, test := range []struct {
		name   string
		header http.Header
		want   prove.Look
	}{
		{"nothing", http.Header{}, prove.Look{}},
		{"a service", http.Header{"Content-Type": {"application/problem+json; charset=utf-8"}, "Www-Authenticate": {`Bearer scope="a", error="insufficient_scope"`}},
			prove.Look{Type: "application/problem+json", Challenge: "Bearer error scope"}},
		{"an edge", http.Header{"Server": {"awselb/2.0"}, "Content-Type": {"text/html"}}, prove.Look{Server: "awselb/2.0", Type: "text/html"}},
		{"a stranger", http.Header{"Server": {"a\x1b[2J eyJhbGciOiJub25lIn0.e30."}, "Content-Type": {"/;"}}, prove.Look{Server: "a?[2J <redacted>"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			target := prove.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for name, values := range test.header {
					w.Header()[name] = values
				}
				w.WriteHeader(http.StatusForbidden)
			}))
			p := policyOf(countersign.Route{Pattern: "GET /a", Rule: countersign.Scope("orders.read")})
			report := run(t, prove.Config{Policy: p, Target: target})
			if got := find(t, report, "GET /a", "401 no token").Look; got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}
