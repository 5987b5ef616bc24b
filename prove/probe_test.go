package prove_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/prove"
)

const probeScope = resource + "/prove.ask"

func probing(cfg *countersign.Config) { cfg.ProbeScope = "prove.ask" }

// probingConfig proves with an issuer whose clients may have all scopes, and that of the probe.
func probingConfig(p countersign.Policy, h http.Handler) prove.Config {
	cfg := config(p, h)
	issuer := newIssuer()
	issuer.grants = append(issuer.grants, []string{probeScope})
	cfg.Tokens, cfg.Probe = issuer, "prove.ask"
	return cfg
}

// writesAPI changes things on each of its routes, and counts that.
func writesAPI(guard *countersign.Guard) (api *countersign.Mux, called *atomic.Int32) {
	api, called = guard.Mux(), new(atomic.Int32)
	count := func(http.ResponseWriter, *http.Request) { called.Add(1) }
	api.HandleFunc("POST /orders", count, countersign.Scope("orders.write"))
	api.HandleFunc("PUT /orders/{id}", count, countersign.AnyScope("orders.read", "orders.write"))
	api.HandleFunc("DELETE /orders/{id}", count, countersign.AllScopes("orders.read", "orders.write"))
	return api, called
}

// Methods that change things are proved, and nothing is changed.
func TestProbeProvesWithoutCalling(t *testing.T) {
	api, called := writesAPI(newGuard(t, probing))
	var reads atomic.Int32
	api.HandleFunc("GET /orders", func(http.ResponseWriter, *http.Request) { reads.Add(1) }, countersign.Scope("orders.read"))
	server := httptest.NewServer(api)
	defer server.Close()
	target, err := prove.URL(server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg := probingConfig(api.Policy(), api)
	cfg.Target, cfg.Signer = target, nil // as from outside
	report := run(t, cfg)
	if err := report.Err(); err != nil {
		t.Fatal(err)
	}
	if called.Load() != 0 || reads.Load() != 1 {
		t.Errorf("%d changes and %d reads", called.Load(), reads.Load())
	}
	for route, cases := range map[string][]string{
		"POST /orders": {"orders.write"}, "PUT /orders/{id}": {"orders.read", "orders.write"}, "DELETE /orders/{id}": {"orders.read, orders.write"},
	} {
		for _, scopes := range cases {
			if row := find(t, report, route, "allowed with "+scopes); row.State != prove.Proved || row.Got != "probe: allow" {
				t.Errorf("%s", row)
			}
		}
	}
	// The distinct scope sets, and the probe's, which is the scope that is nobody's as well.
	asked := cfg.Tokens.(*fakeIssuer).asked
	want := []string{read, read + " " + write, write, probeScope}
	slices.Sort(want)
	if slices.Sort(asked); !slices.Equal(asked, want) {
		t.Errorf("asked for %q", asked)
	}
}

// What is on the way of a probe is no use to anybody: no token that may write, and no body. Probes come first, while their token is young.
func TestProbeRequests(t *testing.T) {
	api, _ := writesAPI(newGuard(t, probing))
	n, last := 0, 0
	cfg := probingConfig(api.Policy(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n++; r.Header.Get("Countersign-Probe") != "" {
			body, _ := io.ReadAll(r.Body)
			if last = n; len(body) > 0 || r.Header.Get("Authorization") != "Bearer "+signed(probeScope) {
				t.Errorf("%s %s: body %q", r.Method, r.URL, body)
			}
		}
		api.ServeHTTP(w, r)
	}))
	cfg.Concurrency = 1
	if run(t, cfg); last != 4 {
		t.Errorf("the last probe was request %d", last)
	}
}

// Where nobody decides there is neither a proof nor a difference, and where somebody decides wrongly there is one.
func TestProbeThatIsNotAnswered(t *testing.T) {
	answer := func(code int, verdicts ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Countersign-Probe"] = verdicts
			w.WriteHeader(code)
		}
	}
	off, changed := writesAPI(newGuard(t))
	old, changedToo := writesAPI(newGuard(t, probing, func(cfg *countersign.Config) {
		cfg.Now = func() time.Time { return start.Add(20 * time.Minute) }
	}))
	narrow := newGuard(t, probing).Mux()
	narrow.HandleFunc("POST /orders", ok, countersign.Scope("orders.admin"))
	policy := policyOf(countersign.Route{Pattern: "POST /orders", Rule: countersign.Scope("orders.write")})
	for _, tt := range []struct {
		name      string
		service   http.Handler
		state     prove.State
		got, note string
	}{
		{"off", off, prove.NotRun, "403 insufficient_scope", "nobody decided: the guard has no ProbeScope, or something in front of it answered"},
		{"token too old", old, prove.NotRun, "403 insufficient_scope", "the guard was asked and did not decide: too-old"},
		{"another rule", narrow, prove.Different, "probe: deny", "the guard would refuse it, though the policy admits it"},
		{"no guard", http.HandlerFunc(ok), prove.Different, "200", "let in a token that is good for nothing but probes"},
		{"no guard, and repeats what it is sent", answer(201, "allow"), prove.Different, "201", "let in a token that is good for nothing but probes"},
		{"not believed", answer(401), prove.NotRun, "401", "the probe's token is not believed"},
		{"two verdicts", answer(403, "allow", "deny"), prove.NotRun, "403", "the guard was asked and did not decide: allow, deny"},
		{"no route", answer(404), prove.Different, "404", "not found: the route is not served here, or its parameters need values that exist"},
		{"out of order", answer(500), prove.Different, "500", "the service failed"},
		{"another refusal", answer(400), prove.NotRun, "400", "nobody decided"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			row := find(t, run(t, probingConfig(policy, tt.service)), "POST /orders", "allowed with orders.write")
			if row.State != tt.state || row.Got != tt.got || row.Note != tt.note {
				t.Errorf("%s: got %s (%s)", row.State, row.Got, row.Note)
			}
		})
	}
	if changed.Load()+changedToo.Load() > 0 {
		t.Error("a handler was called")
	}
}

// A guard that does not know the probe sees a plain request. None is sent that such a guard would let in.
func TestProbeIsNotSentWhereItCouldCall(t *testing.T) {
	guard := newGuard(t) // without the probe
	api, called := writesAPI(guard)
	count := func(http.ResponseWriter, *http.Request) { called.Add(1) }
	api.HandleFunc("POST /any", count, countersign.Authenticated())
	api.HandleFunc("POST /public", count, countersign.Public("form"))
	api.HandleFunc("POST /reported", count, countersign.Report(countersign.Scope("orders.write")))
	api.HandleFunc("POST /shop", count, countersign.Client("shop"))
	api.HandleFunc("POST /prover", count, countersign.Client("client").Or(countersign.Scope("orders.write")))
	for _, tt := range []struct {
		name, route, row string
		tokens           prove.Tokens
		state            prove.State
		note             string
	}{
		{"any token", "POST /any", "allowed with any token", nil, prove.Unprovable, "the rule lets in the probe's own token"},
		{"public", "POST /public", "allowed without token", nil, prove.Unprovable, "the rule lets everyone in"},
		{"only reported", "POST /reported", "allowed without token", nil, prove.Unprovable, "the rule lets everyone in"},
		{"a client's", "POST /shop", "allowed with any token from client shop", nil, prove.Unprovable, "a probe is decided for its own client"},
		{"the prover's own", "POST /prover", "allowed with orders.write", nil, prove.Unprovable, "the probe's client is one that the rule names"},
		{"no client", "POST /orders", "allowed with orders.write", newIssuer(), prove.Unprovable, "no client may ask for " + probeScope},
		{"no JWT", "POST /orders", "allowed with orders.write", opaque{}, prove.Unprovable, "the probe's token is no JWT"},
		{"more than was asked for", "POST /orders", "allowed with orders.write", &fakeIssuer{
			grants: [][]string{{probeScope, write}}, give: func([]string) []string { return []string{probeScope, write} },
		}, prove.NotRun, "no token: the issuer was asked for the scopes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := probingConfig(api.Policy(), api)
			if cfg.Signer = nil; tt.tokens != nil {
				cfg.Tokens = tt.tokens
			}
			row := find(t, run(t, cfg), tt.route, tt.row)
			if row.State != tt.state || !strings.HasPrefix(row.Note, tt.note) {
				t.Errorf("%s: %s", row.State, row.Note)
			}
		})
	}
	if called.Load() > 0 {
		t.Errorf("%d changes", called.Load())
	}
}

func TestConfigRefusesAProbeThatGrants(t *testing.T) {
	p := policyOf(countersign.Route{Pattern: "GET /a", Rule: countersign.Scope("prove.ask")})
	_, err := prove.Run(t.Context(), prove.Config{Policy: p, Target: prove.Handler(http.NotFoundHandler()), Probe: "prove.ask"})
	if err == nil || err.Error() != `prove: Probe is "prove.ask", for which a rule of the policy asks` {
		t.Errorf("got %v", err)
	}
}

// opaque is an issuer whose tokens say nothing.
type opaque struct{}

func (opaque) Grants() [][]string { return [][]string{{probeScope, write, read}} }

func (opaque) Token(context.Context, []string) (string, error) { return "opaque", nil }

// Near misses of the right scope can be signed by the issuer only. Where the guard can be asked, they are proved without it.
func TestProbeOfNearMisses(t *testing.T) {
	api := newGuard(t, probing).Mux()
	api.HandleFunc("GET /orders", ok, countersign.Scope("orders.read"))
	misses := []string{
		"403 no scope claim", "403 empty scope", "403 scope cut short", "403 scope with more at its end", "403 scope with more in front", "403 scope in capitals",
		"403 scope of another resource", "403 scope of a longer resource", "403 scope without its resource", "403 scopes joined by a comma",
	}
	gullible := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Countersign-Probe") != "" {
			w.Header().Set("Countersign-Probe", "allow")
			w.WriteHeader(http.StatusForbidden)
			return
		}
		api.ServeHTTP(w, r)
	})
	for _, tt := range []struct {
		service http.Handler
		state   prove.State
		got     string
	}{{api, prove.Proved, "probe: deny"}, {gullible, prove.Different, "probe: allow"}} {
		cfg := probingConfig(api.Policy(), tt.service)
		cfg.Signer = nil
		report := run(t, cfg)
		for _, name := range misses {
			want, got := tt.state, tt.got
			if name == "403 no scope claim" || name == "403 empty scope" { // asked about with an empty field, which gullible does not see
				want, got = prove.Proved, "probe: deny"
			}
			if row := find(t, report, "GET /orders", name); row.State != want || row.Got != got {
				t.Errorf("%s: %s, %s (%s)", name, row.State, row.Got, row.Note)
			}
		}
	}
}
