package countersign_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/internal/jose"
)

// observer keeps what it is told.
type observer struct {
	mu        sync.Mutex
	decisions []countersign.DecisionEvent
	keys      []countersign.KeyEvent
}

func (o *observer) Decision(_ context.Context, e countersign.DecisionEvent) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.decisions = append(o.decisions, e)
}

func (o *observer) Keys(e countersign.KeyEvent) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.keys = append(o.keys, e)
}

func (o *observer) reset() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.decisions = nil
}

func (o *observer) text(field func(countersign.DecisionEvent) string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var fields []string
	for _, e := range o.decisions {
		fields = append(fields, field(e))
	}
	return strings.Join(fields, " ")
}

func TestObserverIsToldOfEveryDecision(t *testing.T) {
	seen := &observer{}
	issuer := newIssuer(pool)
	api := demoAPI(issuer.guard(t, func(c *countersign.Config) { c.Observer = seen }))
	serve(api, "GET", "/demo")
	serve(api, "GET", "/demo", "Bearer "+sign(cognitoHeader, cognitoClaims.with("iat", seconds(time.Minute))))
	serve(api, "POST", "/demo", "Bearer "+scoped("demo.read"))
	serve(api, "GET", "/demo", "Bearer "+attacker(cognitoHeader, cognitoClaims.with("client_id", `"hostile"`)))
	serve(api, "GET", "/healthz")
	got := seen.text(func(e countersign.DecisionEvent) string {
		return strings.Join([]string{string(e.Decision), string(e.Reason), e.Route, e.Method, e.Issuer, e.ClientID, e.Ahead.String()}, "|")
	})
	want := "deny|missing_token|GET /demo|GET|||0s" +
		" allow||GET /demo|GET|" + pool + "|" + client + "|1m0s" +
		" deny|insufficient_scope|POST /demo|POST|" + pool + "|" + client + "|0s" +
		" deny|bad_signature|GET /demo|GET|||0s"
	if got != want {
		t.Errorf("events\n%s, want\n%s", got, want)
	}
}

func TestNamesInEventsAreBounded(t *testing.T) {
	seen := &observer{}
	api := newIssuer(pool).guard(t, func(c *countersign.Config) { c.Observer = seen }).Mux()
	api.HandleFunc("/tree/", teapot, countersign.Scope("demo.read"))
	for range 200 {
		odd := fmt.Sprint("X", rand.Uint64())
		serve(api, odd, "/tree/"+odd, "Bearer "+attacker(cognitoHeader.with("kid", `"`+odd+`"`), cognitoClaims.with("iss", `"https://`+odd+`"`).with("client_id", `"`+odd+`"`)))
		serve(api, "GET", "/tree/"+odd, "Bearer "+attacker(cognitoHeader.with("kid", `"`+odd+`"`), cognitoClaims))
	}
	names := map[string]bool{}
	for _, e := range seen.decisions {
		names[strings.Join([]string{e.Route, e.Method, e.Issuer, e.ClientID, string(e.Reason), string(e.Decision)}, "|")] = true
	}
	if len(names) > 3 {
		t.Errorf("%d sets of names: %v", len(names), names)
	}
}

// logged runs f with a guard that logs everything, and returns the log.
func logged(t *testing.T, issuer *fakeIssuer, edit func(*countersign.Config), f func(*countersign.Guard)) string {
	t.Helper()
	var log lockedBuffer
	f(issuer.guard(t, func(c *countersign.Config) {
		c.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		if edit != nil {
			edit(c)
		}
	}))
	return log.String()
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// auditLines are the lines of decisions in a log.
func auditLines(t *testing.T, log string) (lines []map[string]any) {
	t.Helper()
	for line := range strings.Lines(log) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatal(err)
		}
		if fields["msg"] == "countersign: decision" {
			lines = append(lines, fields)
		}
	}
	return lines
}

func TestAuditLineHasTheIdOfTheAnswer(t *testing.T) {
	var body map[string]any
	log := logged(t, newIssuer(pool), nil, func(guard *countersign.Guard) {
		res := serve(demoAPI(guard), "POST", "/demo", "Bearer "+scoped("demo.read"))
		if err := json.NewDecoder(res.Body).Decode(&body); err != nil {
			t.Fatal(err)
		}
		serve(demoAPI(guard), "GET", "/demo", "Bearer "+scoped("demo.read"))
	})
	lines := auditLines(t, log)
	if len(lines) != 2 {
		t.Fatalf("%d lines:\n%s", len(lines), log)
	}
	id := sha256.Sum256([]byte("7d0f3b1c-52a7-4c62-9f0c-1d7d0a3e2b11"))
	for name, want := range map[string]any{
		"level": "INFO", "decision": "deny", "reason": "insufficient_scope", "decision_id": body["decision"], "status": 403.0,
		"route": "POST /demo", "method": "POST", "rule": `Scope("demo.write")`, "issuer": pool, "client_id": client,
		"token_id": hex.EncodeToString(id[:8]),
	} {
		if lines[0][name] != want {
			t.Errorf("%s is %v, want %v", name, lines[0][name], want)
		}
	}
	if lines[1]["decision"] != "allow" || lines[1]["level"] != "DEBUG" {
		t.Errorf("line %v", lines[1])
	}
}

func TestReportLetsInAndSaysSo(t *testing.T) {
	var statuses []int
	var callers []string
	log := logged(t, newIssuer(pool), nil, func(guard *countersign.Guard) {
		api := guard.Mux()
		api.HandleFunc("GET /new", teapot, countersign.Report(countersign.Scope("demo.write")))
		for _, authorization := range [][]string{nil, {"Bearer x"}, {"Bearer " + scoped("demo.read")}, {"Bearer " + scoped("demo.write")}} {
			res := serve(api, "GET", "/new", authorization...)
			statuses, callers = append(statuses, res.StatusCode), append(callers, res.Header.Get("Caller"))
		}
	})
	for _, status := range statuses {
		if status != served {
			t.Errorf("statuses %v", statuses)
		}
	}
	if got := strings.Join(callers, "|"); got != "||"+client+"|"+client {
		t.Errorf("callers %s", got)
	}
	var got []string
	for _, line := range auditLines(t, log) {
		reason, _ := line["reason"].(string)
		got = append(got, line["level"].(string)+" "+line["decision"].(string)+" "+reason)
	}
	if got, want := strings.Join(got, "; "), "WARN would_deny missing_token; WARN would_deny malformed_token; WARN would_deny insufficient_scope; DEBUG allow "; got != want {
		t.Errorf("log\n%s, want\n%s", got, want)
	}
}

func TestUntilExpiryEndsTheRequest(t *testing.T) {
	issuer := newIssuer(pool)
	issuer.keys = []published{{"first", jose.RS256, testKeys.first}}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		guard, err := countersign.New(countersign.Config{
			Issuer: pool, Resource: resource, HTTPClient: &http.Client{Transport: issuer},
			Now: func() time.Time { return now.Add(time.Since(start)) },
		})
		if err != nil {
			t.Fatal(err)
		}
		defer guard.Close()
		var lasted time.Duration
		var cause error
		stream := func(w http.ResponseWriter, r *http.Request) {
			began := time.Now()
			select {
			case <-r.Context().Done():
				cause = context.Cause(r.Context())
			case <-time.After(2 * time.Hour):
			}
			lasted = time.Since(began)
		}
		api := guard.Mux()
		api.HandleFunc("GET /stream", stream, countersign.UntilExpiry(countersign.Scope("demo.read")))
		api.HandleFunc("GET /forever", stream, countersign.Scope("demo.read"))
		token := "Bearer " + scoped("demo.read")
		serve(api, "GET", "/stream", token)
		if lasted != time.Hour+time.Minute || cause != countersign.Expired {
			t.Errorf("the stream ended after %v because of %v, want an hour and the leeway", lasted, cause)
		}
	})
}

// No way out of the package has a token, a signature or a whole jti in it, whatever comes in.
func TestNothingThatGoesOutHasTheToken(t *testing.T) { synctest.Test(t, nothingThatGoesOutHasTheToken) }

func nothingThatGoesOutHasTheToken(t *testing.T) {
	const id = "7d0f3b1c-52a7-4c62-9f0c-1d7d0a3e2b11"
	good := sign(cognitoHeader, cognitoClaims)
	random := rand.New(rand.NewPCG(1, 2))
	var tokens []string
	for range 300 {
		token := []byte(good)
		for range random.IntN(4) {
			token[random.IntN(len(token))] = byte(random.IntN(256))
		}
		tokens = append(tokens, string(token[random.IntN(3):len(token)-random.IntN(3)]))
	}
	for _, claims := range []members{
		cognitoClaims.with("iss", `"`+id+`"`), cognitoClaims.with("exp", "0"), cognitoClaims.with("aud", `"x"`),
		cognitoClaims.with("token_use", `"`+id+`"`), cognitoClaims.with("scope", `"`+id+`"`), cognitoClaims.with("jti", "1"), cognitoClaims,
	} {
		tokens = append(tokens, sign(cognitoHeader, claims), sign(cognitoHeader.with("kid", `"`+id+`"`), claims), sign(cognitoHeader.with("alg", `"`+id+`"`), claims))
	}
	seen := &observer{}
	var out, explained bytes.Buffer // an explanation is for the holder of the token, and shows claims
	issuer := newIssuer(pool)
	log := logged(t, issuer, func(c *countersign.Config) { c.Observer = seen }, func(guard *countersign.Guard) {
		api := demoAPI(guard)
		for i, token := range tokens {
			issuer.down.Store(i%50 == 49)
			for _, target := range []string{"/demo", "/demo?access_token=" + encode([]byte(token)), "/any"} {
				res := serve(api, "GET", target, "Bearer "+token)
				res.Header.Write(&out)
				io.Copy(&out, res.Body)
			}
			caller, err := guard.Authorize(t.Context(), token, countersign.Authenticated())
			fmt.Fprintf(&out, "%v %+v %#v %v\n", caller, caller, caller, err)
			_, err = guard.Authorize(t.Context(), token, countersign.Scope("demo.write"))
			if err == nil {
				t.Fatal("a token without the scope was accepted")
			}
			out.WriteString(err.Error() + "\n")
			for _, check := range guard.Explain(t.Context(), token, countersign.Scope("demo.write")).Checks {
				explained.WriteString(check.String() + "\n")
			}
		}
	})
	for _, e := range seen.decisions {
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(text)
	}
	all := out.String() + log
	if strings.Contains(all, id) {
		t.Error("a jti went out whole")
	}
	all += explained.String()
	for _, token := range tokens {
		for part := range strings.SplitSeq(token, ".") {
			for start := 0; start+24 <= len(part); start += 24 {
				if strings.Contains(all, part[start:start+24]) {
					t.Fatalf("a part of a token went out: %q", part[start:start+24])
				}
			}
		}
	}
}

// A caller that goes away while the keys are fetched is no reason to wake anybody.
func TestCallerThatLeftIsNoWarning(t *testing.T) {
	for _, test := range []struct {
		name  string
		leave bool
		level string
	}{{"the caller left", true, "INFO"}, {"the keys cannot be had", false, "WARN"}} {
		synctest.Test(t, func(t *testing.T) {
			var log lockedBuffer
			broken := roundTripper(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF })
			api := demoAPI(newIssuer(pool).guard(t, func(c *countersign.Config) {
				c.Logger = slog.New(slog.NewJSONHandler(&log, nil))
				c.HTTPClient = &http.Client{Transport: broken}
			}))
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			if test.leave {
				leave()
			}
			r := httptest.NewRequestWithContext(ctx, "GET", "/demo", nil)
			r.Header.Set("Authorization", "Bearer "+scoped("demo.read"))
			api.ServeHTTP(httptest.NewRecorder(), r)
			var line struct{ Level, Msg, Reason string }
			for text := range strings.Lines(log.String()) {
				if err := json.Unmarshal([]byte(text), &line); err != nil {
					t.Fatal(err)
				}
				if line.Reason != "" {
					break
				}
			}
			if line.Reason != string(countersign.KeysUnavailable) || line.Level != test.level {
				t.Errorf("%s: logged %+v, want %s at %s", test.name, line, countersign.KeysUnavailable, test.level)
			}
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
