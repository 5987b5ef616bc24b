package prove_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/prove"
)

// A service that checks no scope passes a proof whose only client has the right one: the report says what was not tried, and a strict one is no proof.
func TestGapsOfAProofWithOneClient(t *testing.T) {
	p := policyOf(
		countersign.Route{Pattern: "GET /api/orders/{id}", Rule: countersign.Scope("orders.read")},
		countersign.Route{Pattern: "GET /api/me", Rule: countersign.Authenticated()},
		countersign.Route{Pattern: "GET /healthz", Rule: countersign.Public("liveness probe")},
	)
	issuer := newIssuer()
	issuer.grants = [][]string{{read}}
	cfg := config(p, twin{"no scope check"})
	cfg.Tokens, cfg.Signer = issuer, nil
	report := run(t, cfg)
	want := []string{"that a wrong scope is refused, for 1 route: nobody can get a token that has another scope"}
	if got := report.Gaps(); report.ExitCode() != 0 || !slices.Equal(got, want) {
		t.Errorf("exit code %d, %q", report.ExitCode(), got)
	}
	var table strings.Builder
	if err := (prove.Table{}).Write(&table, report); err != nil || !strings.Contains(table.String(), "\nnot tried: "+want[0]+"\n") {
		t.Errorf("%v\n%s", err, &table)
	}
	cfg.Strict = true
	report = run(t, cfg)
	if report.ExitCode() != 2 || report.Err() == nil || !strings.Contains(report.Err().Error(), "not tried: "+want[0]) {
		t.Errorf("strict: exit code %d, %v", report.ExitCode(), report.Err())
	}
	// Another client finds the fault.
	issuer.grants = [][]string{{read}, {write}}
	if report = run(t, cfg); report.ExitCode() != 1 || len(report.Gaps()) != 0 {
		t.Errorf("with another client: exit code %d, %q", report.ExitCode(), report.Gaps())
	}
}

func TestGaps(t *testing.T) {
	api := ordersAPI(t)
	for _, tt := range []struct {
		name   string
		change func(*prove.Config)
		want   []string
	}{
		{"all of it", func(*prove.Config) {}, nil},
		{"a near miss is a wrong scope", func(c *prove.Config) {
			f := newIssuer()
			f.grants = [][]string{{read, write}}
			c.Tokens = f
		}, nil},
		{"no tokens", func(c *prove.Config) { c.Tokens, c.Signer = nil, nil }, []string{
			"that a wrong scope is refused, for 3 routes: there is no client to ask for a token",
			"that the right caller is let in, for 5 routes: there is no client to ask for a token",
		}},
		{"refusals only", func(c *prove.Config) { c.RefusalsOnly = true }, []string{
			"that the right caller is let in, for 1 route: a POST that is admitted changes things, and only refusals are asked for",
			"that the right caller is let in, for 1 route: a DELETE that is admitted changes things, and only refusals are asked for",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := config(api.Policy(), api)
			tt.change(&cfg)
			got := run(t, cfg).Gaps()
			for _, want := range tt.want {
				if !slices.Contains(got, want) {
					t.Errorf("want %q among %q", want, got)
				}
			}
			if tt.want == nil && len(got) > 0 {
				t.Errorf("got %q", got)
			}
		})
	}
}

// A service that decides before it looks for the route says 401 to what is not there, and 404 to callers that it admits: that is no proof that
// the route is served.
func TestMadeUpValuesWhereEverythingIsRefused(t *testing.T) {
	p := policyOf(countersign.Route{Pattern: "GET /api/gone/{id}", Rule: countersign.Scope("orders.read")})
	filter := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			w.Header().Set("WWW-Authenticate", "Bearer")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.WriteHeader(http.StatusNotFound)
	})
	cfg := config(p, filter)
	cfg.Examples = map[string]prove.Example{"GET /api/gone/{id}": {Made: true}}
	row := find(t, run(t, cfg), "GET /api/gone/{id}", "allowed with orders.read")
	if row.State != prove.Unprovable || !strings.Contains(row.Note, "what is not served at all is refused without a token as well") {
		t.Errorf("%s: %s", row.State, row)
	}
}
