package countersign_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/countersign-dev/countersign"
)

// probing is a guard's configuration with the probe on.
func probing(cfg *countersign.Config) { cfg.ProbeScope = "prove.ask" }

// ask sends a probe: the scopes of each field are asked about.
func ask(h http.Handler, method, target, token string, asked ...string) *http.Response {
	r := httptest.NewRequest(method, target, strings.NewReader("{}"))
	r.Header.Set("Authorization", "Bearer "+token)
	for _, scopes := range asked {
		r.Header.Add("Countersign-Probe", scopes)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestProbeVerdicts(t *testing.T) {
	api := demoAPI(newIssuer(pool).guard(t, probing))
	api.HandleFunc("PUT /reported", teapot, countersign.Report(countersign.Scope("demo.write")))
	api.HandleFunc("PUT /mine", teapot, countersign.Client(client))
	const prefix = resource + "/"
	for _, tt := range []struct{ method, target, asked, want string }{
		{"POST", "/demo", prefix + "demo.write", "allow"},
		{"POST", "/demo", prefix + "demo.read " + prefix + "demo.write", "allow"},
		{"POST", "/demo", prefix + "demo.read", "deny"},
		{"POST", "/demo", "", "deny"},
		{"POST", "/demo", "demo.write", "deny"},
		{"POST", "/demo", prefix + "demo.writ", "deny"},
		{"POST", "/demo", prefix + "DEMO.WRITE", "deny"},
		{"POST", "/demo", prefix + "v2/demo.write", "deny"},
		{"POST", "/demo", "https://other.example.com/demo.write", "deny"},
		{"POST", "/demo", prefix + "prove.ask", "deny"},
		{"GET", "/all", prefix + "demo.read", "deny"},
		{"GET", "/all", prefix + "demo.write " + prefix + "demo.read", "allow"},
		{"GET", "/any", prefix + "demo.admin", "allow"},
		{"GET", "/any", prefix + "demo.read", "deny"},
		{"GET", "/client", prefix + "demo.read", "deny"},
		{"PUT", "/mine", prefix + "demo.read", "allow"},
		{"GET", "/whoami", prefix + "demo.read", "allow"},
		{"GET", "/whoami", "https://other.example.com/demo.read", "deny"},
		{"GET", "/whoami", "", "deny"},
		{"GET", "/healthz", "", "allow"},
		{"PUT", "/reported", "", "allow"},
	} {
		res := ask(api, tt.method, tt.target, scoped("prove.ask"), tt.asked)
		if got := res.Header.Get("Countersign-Probe"); got != tt.want || res.StatusCode != http.StatusForbidden {
			t.Errorf("%s %s with %q: status %d, %q, want %q", tt.method, tt.target, tt.asked, res.StatusCode, got, tt.want)
		}
	}
}

// RFC 9068, Section 2.2.3: scopes have no prefix there, and aud says whom a token is for.
func TestProbeVerdictsOfRFC9068(t *testing.T) {
	api := demoAPI(newIssuer(tenant).guard(t, probing))
	token := sign(rfc9068Header, rfc9068Claims.with("scope", `"prove.ask"`))
	for asked, want := range map[string]string{"demo.write": "allow", "demo.read": "deny", resource + "/demo.write": "deny", "": "deny"} {
		if got := ask(api, "POST", "/demo", token, asked).Header.Get("Countersign-Probe"); got != want {
			t.Errorf("%q: %q, want %q", asked, got, want)
		}
	}
	if got := ask(api, "GET", "/whoami", token, "").Header.Get("Countersign-Probe"); got != "allow" {
		t.Errorf("a token that is meant by its aud: %q", got)
	}
}

// Cognito: a token that was asked for with the resource has an aud, and is meant for it without a scope.
func TestProbeVerdictsByAudience(t *testing.T) {
	api := demoAPI(newIssuer(pool).guard(t, probing))
	for aud, want := range map[string]string{`"` + resource + `"`: "allow", `["https://b.example.com","` + resource + `"]`: "allow", `"` + client + `"`: "deny"} {
		token := sign(cognitoHeader, cognitoClaims.with("scope", `"`+resource+`/prove.ask"`).with("aud", aud))
		if got := ask(api, "GET", "/whoami", token, "").Header.Get("Countersign-Probe"); got != want {
			t.Errorf("aud %s: %q, want %q", aud, got, want)
		}
	}
}

// A probe's token that is worth more than questions, or old, decides nothing. Its request does not reach the handler either.
func TestProbeNotDecided(t *testing.T) {
	var called atomic.Int32
	api := newIssuer(pool).guard(t, probing).Mux()
	api.HandleFunc("POST /demo", func(http.ResponseWriter, *http.Request) { called.Add(1) }, countersign.Scope("demo.write"))
	probe := cognitoClaims.with("scope", `"`+resource+`/prove.ask"`)
	old := func(age time.Duration) string { return sign(cognitoHeader, probe.with("iat", seconds(-age))) }
	const write = resource + "/demo.write"
	for _, tt := range []struct {
		name, token string
		asked       []string
		want        string
	}{
		{"good", sign(cognitoHeader, probe), []string{write}, "allow"},
		{"15 minutes and the leeway", old(16 * time.Minute), []string{write}, "allow"},
		{"a second more", old(16*time.Minute + time.Second), []string{write}, "too-old"},
		{"iat missing", sign(cognitoHeader, probe.without("iat")), []string{write}, "too-old"},
		{"a second scope", scoped("prove.ask", "demo.read"), []string{write}, "mixed"},
		{"a second scope that would be enough", scoped("demo.write", "prove.ask"), []string{write}, "mixed"},
		{"a scope elsewhere", sign(cognitoHeader, probe.with("scope", `"https://b.example.com/x `+resource+`/prove.ask"`)), []string{write}, "mixed"},
		{"field twice", sign(cognitoHeader, probe), []string{write, write}, "malformed"},
		{"rfc6749 s3.3: two spaces", sign(cognitoHeader, probe), []string{write + "  " + write}, "malformed"},
		{"rfc6749 s3.3: quote", sign(cognitoHeader, probe), []string{`"` + write + `"`}, "malformed"},
		{"5 kB", sign(cognitoHeader, probe), []string{strings.Repeat("a", 5<<10)}, "malformed"},
	} {
		res := ask(api, "POST", "/demo", tt.token, tt.asked...)
		if got := res.Header.Get("Countersign-Probe"); got != tt.want || res.StatusCode != http.StatusForbidden {
			t.Errorf("%s: status %d, %q, want %q", tt.name, res.StatusCode, got, tt.want)
		}
	}
	if called.Load() > 0 {
		t.Error("the handler was called")
	}
}

// There is no way from a probe to a handler, whatever the method, the rule and the handler are.
func TestProbeCallsNoHandler(t *testing.T) {
	guard := newIssuer(pool).guard(t, probing)
	// A public route waits for no keys, and a probe that cannot be verified at once is none there: the keys come first.
	if _, err := guard.Authorize(t.Context(), scoped("prove.ask"), countersign.Authenticated()); err != nil {
		t.Fatal(err)
	}
	var called atomic.Int32
	handlers := map[string]http.HandlerFunc{
		"plain":  func(http.ResponseWriter, *http.Request) { called.Add(1) },
		"panics": func(http.ResponseWriter, *http.Request) { called.Add(1); panic(http.ErrAbortHandler) },
		"streams": func(w http.ResponseWriter, r *http.Request) {
			called.Add(1)
			http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
		"reads": func(_ http.ResponseWriter, r *http.Request) { called.Add(1); io.Copy(io.Discard, r.Body) },
	}
	rules := map[string]countersign.Rule{
		"scope": countersign.Scope("demo.write"), "any": countersign.Authenticated(), "public": countersign.Public("page"),
		"expiry": countersign.UntilExpiry(countersign.Scope("demo.write")), "report": countersign.Report(countersign.Scope("demo.write")),
	}
	methods := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"}
	for kind, handler := range handlers {
		for name, rule := range rules {
			mux := guard.Mux()
			mux.Handle("/", handler, rule)
			for via, api := range map[string]http.Handler{"mux": mux, "require": guard.Require(rule)(handler)} {
				for _, method := range methods {
					for range 2 { // a token that is verified, and one that is known
						res := ask(api, method, "/x", scoped("prove.ask"), resource+"/demo.write")
						body, _ := io.ReadAll(res.Body)
						if called.Load() > 0 || res.StatusCode != http.StatusForbidden || res.Header.Get("Countersign-Probe") != "allow" {
							t.Fatalf("%s %s %s %s: status %d, %q, the handler was called %d times", via, kind, name, method, res.StatusCode, res.Header.Get("Countersign-Probe"), called.Load())
						}
						if (len(body) == 0) != (method == "HEAD") || res.Header.Get("Cache-Control") != "no-store" {
							t.Errorf("%s %s %s %s: %q, body %q", via, kind, name, method, res.Header.Get("Cache-Control"), body)
						}
					}
				}
			}
		}
	}
}

// The probe's token alone is a token without the scope. The same probe again is the same answer: nothing is kept of the first.
func TestProbeIsWorthNothingElse(t *testing.T) {
	api := demoAPI(newIssuer(pool).guard(t, probing))
	token := scoped("prove.ask")
	var answers []string
	for range 3 {
		answers = append(answers, dump(t, ask(api, "POST", "/demo", token, resource+"/demo.write")))
		if res := serve(api, "POST", "/demo", "Bearer "+token); res.StatusCode != http.StatusForbidden || res.Header.Get("Countersign-Probe") != "" {
			t.Errorf("without the field: status %d, %q", res.StatusCode, res.Header.Get("Countersign-Probe"))
		}
	}
	if slices.Sort(answers); len(slices.Compact(answers)) != 1 {
		t.Errorf("answers differ: %q", answers)
	}
	other := newIssuer(pool).guard(t, func(cfg *countersign.Config) { cfg.Resource, cfg.ProbeScope = "https://b.example.com", "prove.ask" })
	if res := ask(demoAPI(other), "POST", "/demo", token, "https://b.example.com/demo.write"); res.Header.Get("Countersign-Probe") != "" {
		t.Error("another service answered it")
	}
}

// Where the probe is off the field means nothing: the probe's token is refused as ever, a caller's is served as ever.
func TestProbeThatIsOff(t *testing.T) {
	api := demoAPI(newIssuer(pool).guard(t, nil))
	res := ask(api, "POST", "/demo", scoped("prove.ask"), resource+"/demo.write")
	if res.StatusCode != http.StatusForbidden || res.Header.Get("Countersign-Probe") != "" {
		t.Errorf("status %d, %q", res.StatusCode, res.Header.Get("Countersign-Probe"))
	}
	if res := ask(api, "POST", "/demo", scoped("demo.write"), resource+"/demo.write"); res.StatusCode != served {
		t.Errorf("a caller who sends the field: status %d", res.StatusCode)
	}
}

// A probe is one line of its own, and counts neither as allowed nor as denied.
func TestProbeIsAudited(t *testing.T) {
	var log bytes.Buffer
	seen := &observer{}
	api := demoAPI(newIssuer(pool).guard(t, func(cfg *countersign.Config) {
		probing(cfg)
		cfg.Logger, cfg.Observer = slog.New(slog.NewJSONHandler(&log, nil)), seen
	}))
	token := scoped("prove.ask")
	ask(api, "POST", "/demo", token, resource+"/demo.write "+resource+"/demo.read")
	for _, want := range []string{
		`"msg":"countersign: probe"`, `"decision":"probe"`, `"verdict":"allow"`, `"asked":["demo.write","demo.read"]`, `"route":"POST /demo"`, `"method":"POST"`,
		`"client_id":"` + client + `"`, `"scopes":["prove.ask"]`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %s in %s", want, log.String())
		}
	}
	if strings.Contains(log.String(), token[:20]) || strings.Count(log.String(), "\n") != 1 {
		t.Errorf("the log has the token, or more than one line: %s", log.String())
	}
	if got := seen.text(func(e countersign.DecisionEvent) string {
		return fmt.Sprintf("%s %d %s %s %q", e.Decision, e.Status, e.Route, e.ClientID, string(e.Reason))
	}); got != "probe 403 POST /demo "+client+` ""` {
		t.Errorf("observed %q", got)
	}
}

// Where one guard stands in another the outer one answers, and what is behind it does not see the probe.
func TestProbeOfGuardsInEachOther(t *testing.T) {
	guard := newIssuer(pool).guard(t, probing)
	api := guard.Require(countersign.Scope("demo.read"))(demoAPI(guard))
	if got := ask(api, "POST", "/demo", scoped("prove.ask"), resource+"/demo.read").Header.Get("Countersign-Probe"); got != "allow" {
		t.Errorf("got %q", got)
	}
}

func TestProbeScopeGrantsNothing(t *testing.T) {
	guard := newIssuer(pool).guard(t, probing)
	defer func() {
		if said := fmt.Sprint(recover()); !strings.Contains(said, "probe_test.go:") || !strings.Contains(said, `"prove.ask" is Config.ProbeScope and grants nothing`) {
			t.Errorf("got %s", said)
		}
	}()
	guard.Mux().HandleFunc("GET /demo", teapot, countersign.AnyScope("demo.read", "prove.ask"))
}

func TestConfigRefusesAProbeScope(t *testing.T) {
	_, err := countersign.New(countersign.Config{Issuer: pool, Resource: resource, ProbeScope: "two words"})
	if err == nil || !strings.Contains(err.Error(), `countersign: ProbeScope "two words" is not a scope name`) {
		t.Errorf("got %v", err)
	}
}

// either asks the issuer that the address belongs to.
type either struct{ first, second *fakeIssuer }

func (e either) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.String(), e.second.url) {
		return e.second.RoundTrip(r)
	}
	return e.first.RoundTrip(r)
}

type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}
