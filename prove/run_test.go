package prove_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/prove"
)

func TestRunProvesACorrectService(t *testing.T) {
	api := ordersAPI(t)
	report := run(t, config(api.Policy(), api))
	if err := report.Err(); err != nil {
		t.Fatal(err)
	}
	for _, row := range report.Rows {
		if row.State == prove.Unprovable && row.Case != "403 wrong scope" {
			t.Errorf("not proved: %s", row)
		}
	}
	if row := find(t, report, "/whoami", "403 wrong scope"); row.State != prove.Unprovable || row.Note == "" {
		t.Errorf("a rule without scopes has a 403 that was %s: %q", row.State, row.Note)
	}
}

// Issuers count tokens and bill them: one for each scope set that a case asks for.
func TestRunMintsEachScopeSetOnce(t *testing.T) {
	api := newGuard(t).Mux()
	for i := range 100 {
		rules := []countersign.Rule{countersign.Scope("orders.read"), countersign.Scope("orders.write"), countersign.AllScopes("orders.read", "orders.write")}
		api.HandleFunc(fmt.Sprintf("GET /r%d", i), ok, rules[i%3])
	}
	issuer := newIssuer()
	// Of what the clients may have beyond the policy, one is enough.
	issuer.grants[0] = append(issuer.grants[0], "https://a.example.com/x", resource+"/p", resource+"/q", resource+"/r")
	cfg := config(api.Policy(), api)
	cfg.Tokens = issuer
	report := run(t, cfg)
	if err := report.Err(); err != nil {
		t.Fatal(err)
	}
	want := []string{other, read, read + " " + write, write}
	if got := slices.Sorted(slices.Values(issuer.asked)); !slices.Equal(got, want) || report.Tokens != len(want) {
		t.Errorf("asked for %q, reported %d", got, report.Tokens)
	}
}

// What cannot be minted here is said, and neither passed over nor failed.
func TestRunWithFewClients(t *testing.T) {
	api := ordersAPI(t)
	issuer := newIssuer()
	issuer.grants = [][]string{{read}, {write}}
	cfg := config(api.Policy(), api)
	cfg.Tokens, cfg.Signer = issuer, nil
	report := run(t, cfg)
	if err := report.Err(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		route, name string
		state       prove.State
		note        string
	}{
		{"GET /orders/{id}", "allowed with orders.read", prove.Proved, ""},
		{"GET /orders/{id}", "403 with only orders.write", prove.Proved, ""},
		{"GET /orders/{id}", "bad token alg none", prove.Proved, ""},
		{"GET /orders/{id}", "bad token expired", prove.Unprovable, "only who holds the issuer's private key can make it"},
		{"GET /orders/{id}", "bad token HS256 with the public PEM", prove.Unprovable, "the issuer's public key is not known"},
		{"DELETE /orders/{id}", "allowed with orders.read, orders.write", prove.Unprovable, "no client may ask for all of " + read + " " + write},
		{"DELETE /orders/{id}", "bad token alg none", prove.Proved, ""},
	} {
		if row := find(t, report, tt.route, tt.name); row.State != tt.state || row.Note != tt.note {
			t.Errorf("%s / %s: %s, %q", tt.route, tt.name, row.State, row.Note)
		}
	}
}

func TestRunWithoutTokens(t *testing.T) {
	api := ordersAPI(t)
	report := run(t, prove.Config{Policy: api.Policy(), Target: prove.Handler(api)})
	if err := report.Err(); err != nil {
		t.Fatal(err)
	}
	if row := find(t, report, "GET /orders/{id}", "401 no token"); row.State != prove.Proved {
		t.Errorf("%s", row)
	}
	if row := find(t, report, "GET /orders/{id}", "allowed with orders.read"); row.State != prove.Unprovable {
		t.Errorf("%s", row)
	}
}

// A failure on the way is neither a proof nor a difference.
func TestRunCouldNot(t *testing.T) {
	api := ordersAPI(t)
	for _, tt := range []struct {
		name   string
		change func(*prove.Config, *fakeIssuer)
		row    string
		note   string
	}{
		{"issuer down", func(_ *prove.Config, f *fakeIssuer) { f.err = errIssuerDown }, "allowed with orders.read", "no token: the issuer is down"},
		{"issuer gives less", func(_ *prove.Config, f *fakeIssuer) { f.give = func([]string) []string { return []string{other} } }, "allowed with orders.read",
			`no token: the issuer was asked for the scopes "` + read + `" and gave "` + other + `"`},
		{"target down", func(c *prove.Config, _ *fakeIssuer) { c.Target = brokenTarget{} }, "401 no token", "connection refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			issuer := newIssuer()
			cfg := config(api.Policy(), api)
			cfg.Tokens = issuer
			tt.change(&cfg, issuer)
			report := run(t, cfg)
			if row := find(t, report, "GET /orders/{id}", tt.row); row.State != prove.NotRun || row.Note != tt.note {
				t.Errorf("%s: %q", row.State, row.Note)
			}
			if code := report.ExitCode(); code != 2 || report.OK() || report.Err() == nil {
				t.Errorf("exit code %d, OK %t, Err %v", code, report.OK(), report.Err())
			}
		})
	}
}

type brokenTarget struct{}

func (brokenTarget) Do(*http.Request) (*http.Response, error) {
	return nil, errors.New("connection refused")
}
func (brokenTarget) String() string { return "nowhere" }

func TestRunRefusalsOnly(t *testing.T) {
	api := newGuard(t).Mux()
	var called atomic.Int32
	count := func(http.ResponseWriter, *http.Request) { called.Add(1) }
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
		api.HandleFunc(method+" /orders", count, countersign.Scope("orders.write"))
	}
	cfg := config(api.Policy(), api)
	cfg.RefusalsOnly = true
	report := run(t, cfg)
	if called.Load() != 0 || report.Err() != nil {
		t.Errorf("the handler was called %d times, %v", called.Load(), report.Err())
	}
	if row := find(t, report, "POST /orders", "allowed with orders.write"); row.State != prove.Unprovable || !strings.HasPrefix(row.Note, "a POST that is admitted changes things") {
		t.Errorf("%s: %s", row.State, row.Note)
	}
}

// The end of ctx keeps what is known.
func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	api := ordersAPI(t)
	var served atomic.Int32
	target := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if served.Add(1) == 5 {
			cancel()
		}
		api.ServeHTTP(w, r)
	})
	cfg := config(api.Policy(), target)
	cfg.Concurrency = 1
	report, err := prove.Run(ctx, cfg)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if report.Count(prove.Proved) == 0 || report.Count(prove.NotRun) == 0 || served.Load() > 6 {
		t.Errorf("%s; %d requests", report.Summary(), served.Load())
	}
}

func TestRunBoundsRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		starts := map[time.Time]int{}
		p := policyOf(countersign.Route{Pattern: "GET /slow", Rule: countersign.Scope("orders.read")})
		cfg := prove.Config{Policy: p, Concurrency: 3, Timeout: time.Minute, Target: prove.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			starts[time.Now()]++
			mu.Unlock()
			<-r.Context().Done()
		}))}
		report := run(t, cfg)
		if row := find(t, report, "GET /slow", "401 no token"); row.State != prove.NotRun || row.Note != "no answer in time" {
			t.Errorf("%s: %s", row.State, row.Note)
		}
		synctest.Wait() // for the handlers whose requests were given up
		mu.Lock()
		defer mu.Unlock()
		for at, n := range starts {
			if n > 3 {
				t.Errorf("%d requests at once, at %v", n, at)
			}
		}
		if len(starts) < 2 {
			t.Errorf("all requests at once: %v", starts)
		}
	})
}

// A stream has an answer before it has an end.
func TestRunOfAStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := policyOf(countersign.Route{Pattern: "GET /events", Rule: countersign.Public("feed")})
		report := run(t, prove.Config{Policy: p, Target: prove.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}))})
		if err := report.Err(); err != nil {
			t.Error(err)
		}
	})
}

func TestRunOfAHandlerThatPanics(t *testing.T) {
	api := newGuard(t).Mux()
	api.HandleFunc("GET /orders", func(http.ResponseWriter, *http.Request) { panic("no database") }, countersign.Scope("orders.read"))
	report := run(t, config(api.Policy(), api))
	row := find(t, report, "GET /orders", "allowed with orders.read")
	if row.State != prove.Different || row.Got != "panic" || row.Note != "no database" {
		t.Errorf("%s: got %s, %s", row.State, row.Got, row.Note)
	}
}

func TestRunTakesValues(t *testing.T) {
	api := newGuard(t).Mux()
	paths := make(chan string, 1000)
	api.HandleFunc("GET /o/{id}/f/{path...}", func(w http.ResponseWriter, r *http.Request) { paths <- r.URL.EscapedPath() }, countersign.Scope("orders.read"))
	cfg := config(api.Policy(), api)
	cfg.Values = map[string]string{"id": "a/b c", "path": "x"}
	if err := run(t, cfg).Err(); err != nil {
		t.Fatal(err)
	}
	if got := <-paths; got != "/o/a%2Fb%20c/f/x" {
		t.Errorf("got %s", got)
	}
}

// A request for a route must not be one that another route serves.
func TestRunAvoidsShadows(t *testing.T) {
	api := newGuard(t).Mux()
	var wildcard, subtree, anyMethod atomic.Int32
	count := func(n *atomic.Int32) http.HandlerFunc {
		return func(http.ResponseWriter, *http.Request) { n.Add(1) }
	}
	api.HandleFunc("GET /o/1", ok, countersign.Public("example"))
	api.HandleFunc("GET /o/{id}", count(&wildcard), countersign.Scope("orders.read"))
	api.HandleFunc("GET /s/{$}", ok, countersign.Public("root"))
	api.HandleFunc("GET /s/", count(&subtree), countersign.Scope("orders.read"))
	api.HandleFunc("GET /m", ok, countersign.Public("get"))
	api.HandleFunc("/m", count(&anyMethod), countersign.Scope("orders.read"))
	if err := run(t, config(api.Policy(), api)).Err(); err != nil {
		t.Fatal(err)
	}
	if wildcard.Load() != 1 || subtree.Load() != 1 || anyMethod.Load() != 1 {
		t.Errorf("%d, %d, %d admitted", wildcard.Load(), subtree.Load(), anyMethod.Load())
	}
}

func TestRunOfARouteThatIsHidden(t *testing.T) {
	api := newGuard(t).Mux()
	for _, path := range []string{"1", "example", "countersign-example"} {
		api.HandleFunc("GET /o/"+path, ok, countersign.Public("example"))
	}
	api.HandleFunc("GET /o/{id}", ok, countersign.Scope("orders.read"))
	row := find(t, run(t, config(api.Policy(), api)), "GET /o/{id}", "allowed with orders.read")
	if row.State != prove.Unprovable || !strings.Contains(row.Note, "give its parameters values") {
		t.Errorf("%s: %s", row.State, row.Note)
	}
}

func TestRunOfARuleForAClient(t *testing.T) {
	api := newGuard(t).Mux()
	api.HandleFunc("GET /mine", ok, countersign.Client("shop"))
	api.HandleFunc("GET /ours", ok, countersign.Client("client")) // the client of all tokens here
	report := run(t, config(api.Policy(), api))
	if err := report.Err(); err != nil {
		t.Fatal(err)
	}
	if row := find(t, report, "GET /mine", "allowed with any token from client shop"); row.State != prove.Proved {
		t.Errorf("%s: %s", row.State, row.Note)
	}
}

func TestConfigReportsEveryProblem(t *testing.T) {
	_, err := prove.Run(t.Context(), prove.Config{Concurrency: -1, Timeout: -1})
	for _, want := range []string{"the policy has no routes", "Target is required", "Concurrency is -1", "Timeout is negative"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in %v", want, err)
		}
	}
}

// A service that repeats what it was sent must not bring tokens into reports.
func TestReportHasNoToken(t *testing.T) {
	api := ordersAPI(t)
	var sent []string
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		said := r.Header.Get("Authorization") + r.URL.RawQuery
		for _, part := range strings.FieldsFunc(said, func(c rune) bool { return c == ' ' || c == '=' || c == ',' }) {
			if len(part) > 40 {
				sent = append(sent, part)
			}
		}
		if strings.Contains(r.URL.Path, "panic") {
			panic(said)
		}
		w.Header().Set("WWW-Authenticate", `Bearer error="`+strings.ReplaceAll(said, `"`, "")+`", scope="`+strings.ReplaceAll(said, `"`, "")+`"`)
		w.WriteHeader(http.StatusForbidden)
	})
	p := api.Policy()
	p.Routes = append(p.Routes, countersign.Route{Pattern: "GET /panic", Method: "GET", Path: "/panic", Rule: countersign.Scope("orders.read")})
	cfg := config(p, echo)
	cfg.Concurrency = 1
	report := run(t, cfg)
	var table strings.Builder
	if err := (prove.Table{All: true}).Write(&table, report); err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	text := table.String() + string(asJSON) + report.Err().Error()
	for _, token := range sent {
		if strings.Contains(text, token) {
			t.Errorf("the report has %.20s...", token)
		}
	}
	if strings.Contains(text, "eyJ") || len(sent) < 100 {
		t.Errorf("the report has the beginning of a token, or only %d were sent", len(sent))
	}
}
