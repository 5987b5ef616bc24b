package countersign_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign"
)

// served is the answer of the handler behind the guard.
const served = http.StatusTeapot

func teapot(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Caller", countersign.CallerFrom(r.Context()).ClientID)
	w.WriteHeader(served)
}

// serve sends a request with these Authorization headers.
func serve(h http.Handler, method, target string, authorization ...string) *http.Response {
	r := httptest.NewRequest(method, target, nil)
	for _, value := range authorization {
		r.Header.Add("Authorization", value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func demoAPI(guard *countersign.Guard) *countersign.Mux {
	api := guard.Mux()
	api.HandleFunc("GET /demo", teapot, countersign.Scope("demo.read"))
	api.HandleFunc("POST /demo", teapot, countersign.Scope("demo.write"))
	api.HandleFunc("GET /all", teapot, countersign.AllScopes("demo.read", "demo.write"))
	api.HandleFunc("GET /any", teapot, countersign.AnyScope("demo.write", "demo.admin"))
	api.HandleFunc("GET /client", teapot, countersign.Client("another"))
	api.HandleFunc("GET /both", teapot, countersign.Client("another").And(countersign.Scope("demo.write")))
	api.HandleFunc("GET /whoami", teapot, countersign.Authenticated())
	api.HandleFunc("GET /healthz", teapot, countersign.Public("liveness probe"))
	return api
}

func TestAnswers(t *testing.T) {
	api := demoAPI(newIssuer(pool).guard(t, nil))
	good := "Bearer " + scoped("demo.read")
	for _, tt := range []struct {
		name, method, target string
		authorization        []string
		status               int
		challenge            string
	}{
		{"rfc6750 s3: no token, no error", "GET", "/demo", nil, 401, `Bearer realm="https://api.example.com"`},
		{"rfc6750 s3: another scheme is no token", "GET", "/demo", []string{"Basic YTpi"}, 401, `Bearer realm="https://api.example.com"`},
		{"rfc6750 s3: another scheme without credentials", "GET", "/demo", []string{"Negotiate"}, 401, `Bearer realm="https://api.example.com"`},
		{"rfc6750 s2.1: good token", "GET", "/demo", []string{good}, served, ``},
		{"rfc9110 s11.1: scheme in lower case", "GET", "/demo", []string{"bearer" + good[6:]}, served, ``},
		{"rfc6750 s2.1: more than one space", "GET", "/demo", []string{"Bearer  " + good[7:]}, served, ``},
		{"rfc6750 s2.1: HEAD is GET", "HEAD", "/demo", []string{good}, served, ``},
		{"rfc6750 s3.1: header repeated", "GET", "/demo", []string{good, good}, 400, `Bearer error="invalid_request"`},
		{"rfc6750 s3.1: header repeated with another scheme", "GET", "/demo", []string{good, "Basic YTpi"}, 400, `Bearer error="invalid_request"`},
		{"rfc6750 s3.1: scheme only", "GET", "/demo", []string{"Bearer"}, 400, `Bearer error="invalid_request"`},
		{"rfc6750 s3.1: scheme and a space", "GET", "/demo", []string{"Bearer "}, 400, `Bearer error="invalid_request"`},
		{"rfc6750 s3.1: empty header", "GET", "/demo", []string{""}, 400, `Bearer error="invalid_request"`},
		{"rfc6750 s3.1: tab for a space", "GET", "/demo", []string{"Bearer\t" + good[7:]}, 400, `Bearer error="invalid_request"`},
		{"rfc6750 s3.1: two tokens", "GET", "/demo", []string{good + " " + good[7:]}, 400, `Bearer error="invalid_request"`},
		{"rfc6750 s3.1: two credentials in one header", "GET", "/demo", []string{good + ", " + good}, 400, `Bearer error="invalid_request"`},
		{"rfc6750 s3.1: space after the token", "GET", "/demo", []string{good + " "}, 400, `Bearer error="invalid_request"`},
		{"rfc6750 s3.1: quotes", "GET", "/demo", []string{`Bearer "` + good[7:] + `"`}, 400, `Bearer error="invalid_request"`},
		{"rfc6750 s3.1: not ASCII", "GET", "/demo", []string{"Bearer é"}, 400, `Bearer error="invalid_request"`},
		{"limits: header over 16 KiB", "GET", "/demo", []string{"Bearer " + strings.Repeat("A", 16<<10)}, 400, `Bearer error="invalid_request"`},
		{"rfc6750 s2.3: token in the query", "GET", "/demo?access_token=" + good[7:], nil, 400, `Bearer error="invalid_request"`},
		{"rfc6750 s2: token in the query and in the header", "GET", "/demo?a=b&access_token=x", []string{good}, 400, `Bearer error="invalid_request"`},
		{"rfc6750 s2.3: empty token in the query", "GET", "/demo?access_token", []string{good}, 400, `Bearer error="invalid_request"`},
		{"rfc6750 s2.3: escaped name in the query", "GET", "/demo?access%5ftoken=x", []string{good}, 400, `Bearer error="invalid_request"`},
		{"rfc6750 s2.3: semicolon in the query", "GET", "/demo?a=b;access_token=x", []string{good}, 400, `Bearer error="invalid_request"`},
		{"another parameter in the query", "GET", "/demo?q=access_token&x_access_token=1", []string{good}, served, ``},
		{"rfc6750 s3.1: opaque token", "GET", "/demo", []string{"Bearer abc"}, 401, `Bearer error="invalid_token"`},
		{"rfc6750 s3.1: expired token", "GET", "/demo", []string{"Bearer " + sign(cognitoHeader, cognitoClaims.with("exp", seconds(-time.Hour)))}, 401, `Bearer error="invalid_token"`},
		{"rfc6750 s3.1: bad signature", "GET", "/demo", []string{"Bearer " + attacker(cognitoHeader, cognitoClaims)}, 401, `Bearer error="invalid_token"`},
		{"rfc6750 s3.1: insufficient scope", "POST", "/demo", []string{good}, 403, `Bearer error="insufficient_scope", scope="https://api.example.com/demo.write"`},
		{"rfc6750 s3: all scopes that are necessary", "GET", "/all", []string{good}, 403, `Bearer error="insufficient_scope", scope="https://api.example.com/demo.read https://api.example.com/demo.write"`},
		{"rfc6750 s3: the first of the alternatives", "GET", "/any", []string{good}, 403, `Bearer error="insufficient_scope", scope="https://api.example.com/demo.write"`},
		{"any scope", "GET", "/any", []string{"Bearer " + scoped("demo.admin")}, served, ``},
		{"rfc6750 s3.1: no scope would help another client", "GET", "/client", []string{good}, 403, `Bearer error="insufficient_scope"`},
		{"client and scope, another client", "GET", "/both", []string{"Bearer " + scoped("demo.write")}, 403, `Bearer error="insufficient_scope"`},
		{"client and scope", "GET", "/both", []string{"Bearer " + sign(cognitoHeader, cognitoClaims.with("client_id", `"another"`).with("scope", `"https://api.example.com/demo.write"`))}, served, ``},
		{"authenticated", "GET", "/whoami", []string{good}, served, ``},
		{"rfc8725 s3.9: a token for another resource", "GET", "/whoami", []string{"Bearer " + sign(cognitoHeader, cognitoClaims.with("scope", `"https://other.example/demo.read"`))}, 403, `Bearer error="insufficient_scope"`},
		{"rfc8725 s3.9: a token without scopes", "GET", "/whoami", []string{"Bearer " + sign(cognitoHeader, cognitoClaims.without("scope"))}, 403, `Bearer error="insufficient_scope"`},
		{"scope without the prefix", "GET", "/demo", []string{"Bearer " + sign(cognitoHeader, cognitoClaims.with("scope", `"demo.read"`))}, 403, `Bearer error="insufficient_scope", scope="https://api.example.com/demo.read"`},
		{"public, no token", "GET", "/healthz", nil, served, ``},
		{"public, bad token", "GET", "/healthz", []string{"Bearer abc"}, served, ``},
		{"not registered", "GET", "/nowhere", []string{good}, 404, ``},
		{"another method", "DELETE", "/demo", []string{good}, 405, ``},
		{"OPTIONS is not opened", "OPTIONS", "/demo", nil, 405, ``},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := serve(api, tt.method, tt.target, tt.authorization...)
			if res.StatusCode != tt.status {
				t.Errorf("status %d, want %d", res.StatusCode, tt.status)
			}
			if got := res.Header.Get("WWW-Authenticate"); got != tt.challenge {
				t.Errorf("challenge\n%s, want\n%s", got, tt.challenge)
			}
			if tt.challenge != "" {
				checkProblem(t, res)
			}
		})
	}
}

// checkProblem holds a refusal to RFC 9457 and RFC 9111, and its body to its challenge.
func checkProblem(t *testing.T, res *http.Response) {
	t.Helper()
	if got := res.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
	if got := res.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type %q", got)
	}
	if got := res.Header.Get("X-Content-Type-Options"); got != "nosniff" {
		t.Errorf("X-Content-Type-Options %q", got)
	}
	var body map[string]any
	if err := json.NewDecoder(res.Body).Decode(&body); err != nil {
		t.Fatal(err)
	}
	if body["status"] != float64(res.StatusCode) || body["title"] != http.StatusText(res.StatusCode) || len(body["decision"].(string)) != 16 {
		t.Errorf("body %v", body)
	}
	for name, value := range body {
		switch name {
		case "title", "status", "decision":
		case "error", "scope":
			if challenge := res.Header.Get("WWW-Authenticate"); challenge != "" && !strings.Contains(challenge, name+`="`+value.(string)+`"`) {
				t.Errorf("the body says %s %v and the challenge does not", name, value)
			}
		default:
			t.Errorf("the body says %s", name)
		}
	}
}

func TestChallengeOfRFC9068HasPlainScopes(t *testing.T) {
	api := demoAPI(newIssuer(tenant).guard(t, nil))
	res := serve(api, "POST", "/demo", "Bearer "+sign(rfc9068Header, rfc9068Claims))
	if got, want := res.Header.Get("WWW-Authenticate"), `Bearer error="insufficient_scope", scope="demo.write"`; got != want {
		t.Errorf("challenge %s, want %s", got, want)
	}
}

func TestNoKeysIsNotTheCallersFault(t *testing.T) { synctest.Test(t, noKeysIsNotTheCallersFault) }

func noKeysIsNotTheCallersFault(t *testing.T) {
	issuer := newIssuer(pool)
	issuer.down.Store(true)
	guard := issuer.guard(t, nil)
	api := demoAPI(guard)
	res := serve(api, "GET", "/demo", "Bearer "+scoped("demo.read"))
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("WWW-Authenticate") != "" {
		t.Errorf("status %d, challenge %q", res.StatusCode, res.Header.Get("WWW-Authenticate"))
	}
	if got := res.Header.Get("Retry-After"); got == "" || got == "0" {
		t.Errorf("Retry-After %q", got)
	}
	checkProblem(t, res)
	_, err := guard.Authorize(t.Context(), scoped("demo.read"), countersign.Authenticated())
	want := "countersign: token refused: keys_unavailable: the issuer's keys cannot be had: keys of " + pool + ": discovery: answered 503"
	if err == nil || err.Error() != want || !errors.Is(err, countersign.KeysUnavailable) {
		t.Errorf("error %q, want %q", err, want)
	}
	var refused *countersign.Error
	if !errors.As(err, &refused) || refused.RetryAfter() < time.Second {
		t.Errorf("to come back after %v", refused.RetryAfter())
	}
	if _, err = guard.Authorize(t.Context(), "x", countersign.Authenticated()); !errors.As(err, &refused) || refused.RetryAfter() != 0 {
		t.Errorf("a bad token: to come back after %v", refused.RetryAfter())
	}
	if res := serve(api, "GET", "/healthz", "Bearer "+scoped("demo.read")); res.StatusCode != served {
		t.Errorf("public route: status %d", res.StatusCode)
	}
}

func TestARequestWaitsNoLongerThanItsContext(t *testing.T) {
	issuer := newIssuer(pool)
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	transport := transportFunc(func(r *http.Request) (*http.Response, error) {
		select {
		case <-hang:
		case <-r.Context().Done():
		}
		return nil, context.Canceled
	})
	guard := issuer.guard(t, func(c *countersign.Config) { c.HTTPClient = &http.Client{Transport: transport} })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := request(scoped("demo.read")).WithContext(ctx)
	w := httptest.NewRecorder()
	demoAPI(guard).ServeHTTP(w, r)
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("status %d", w.Code)
	}
}

func TestAPublicRouteWaitsForNoIssuer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := transportFunc(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		guard := newIssuer(pool).guard(t, func(c *countersign.Config) { c.HTTPClient = &http.Client{Transport: hangs} })
		defer guard.Close()
		start := time.Now()
		if res := serve(demoAPI(guard), "GET", "/healthz", "Bearer "+scoped("demo.read")); res.StatusCode != served {
			t.Errorf("status %d", res.StatusCode)
		}
		if waited := time.Since(start); waited > 0 {
			t.Errorf("the probe waited %v", waited)
		}
	})
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestCallerOfARequest(t *testing.T) {
	guard := newIssuer(pool).guard(t, nil)
	var callers []countersign.Caller
	note := func(w http.ResponseWriter, r *http.Request) {
		callers = append(callers, countersign.CallerFrom(r.Context()))
	}
	api := guard.Mux()
	api.HandleFunc("GET /closed", note, countersign.Scope("demo.read"))
	api.HandleFunc("GET /open", note, countersign.Public("for the test"))
	token := sign(cognitoHeader, cognitoClaims.also("tier", `"gold\/1"`).also("limits", `{"orders":7}`))
	serve(api, "GET", "/closed", "Bearer "+token)
	serve(api, "GET", "/closed", "Bearer "+token)
	serve(api, "GET", "/open", "Bearer "+token)
	serve(api, "GET", "/open", "Bearer x")
	serve(api, "GET", "/open")
	if len(callers) != 5 {
		t.Fatalf("%d requests were served", len(callers))
	}
	for _, c := range callers[:3] {
		var limits struct{ Orders int }
		if c.ClientID != client || c.Subject != client || c.Issuer != pool || !c.HasScope("demo.list") || c.HasScope("demo.write") ||
			!c.Expiry.Equal(now.Add(time.Hour)) || c.StringClaim("tier") != "gold/1" || c.Claim("limits", &limits) != nil || limits.Orders != 7 {
			t.Errorf("caller %+v", c)
		}
		if c.Claim("TIER", new(string)) == nil || c.Claim("limits", new(string)) == nil || c.StringClaim("version") != "" {
			t.Error("a claim was read that is not there or of another type")
		}
	}
	for _, c := range callers[3:] {
		if !c.IsZero() || c.ClientID != "" {
			t.Errorf("caller %+v without a good token", c)
		}
	}
}

func TestAHandlerCannotChangeTheCachedCaller(t *testing.T) {
	guard := newIssuer(pool).guard(t, nil)
	api := guard.Mux()
	api.HandleFunc("GET /demo", func(w http.ResponseWriter, r *http.Request) {
		countersign.CallerFrom(r.Context()).Scopes[0] = "admin"
	}, countersign.Scope("demo.read"))
	api.HandleFunc("GET /admin", teapot, countersign.Scope("admin"))
	token := "Bearer " + scoped("demo.read")
	serve(api, "GET", "/demo", token)
	if res := serve(api, "GET", "/admin", token); res.StatusCode != http.StatusForbidden {
		t.Errorf("status %d", res.StatusCode)
	}
}

func TestInnerPublicRouteHasNoCallerOfTheOuter(t *testing.T) {
	guard := newIssuer(pool).guard(t, nil)
	other := newIssuer(tenant).guard(t, nil) // does not trust the pool
	inner := other.Require(countersign.Public("for the test"))(http.HandlerFunc(teapot))
	outer := guard.Require(countersign.Scope("demo.read"))(inner)
	res := serve(outer, "GET", "/", "Bearer "+scoped("demo.read"))
	if res.StatusCode != served || res.Header.Get("Caller") != "" {
		t.Errorf("status %d, caller %q", res.StatusCode, res.Header.Get("Caller"))
	}
}

// A rule that is only reported lets in whoever comes; the caller that an outer guard knows is not the inner one's.
func TestAReportedRouteHasNoCallerOfTheOuterGuard(t *testing.T) {
	var seen countersign.Caller
	inner := newIssuer(tenant).guard(t, nil).Require(countersign.Report(countersign.Scope("demo.read")))
	outer := newIssuer(pool).guard(t, nil).Require(countersign.Scope("demo.read"))
	api := outer(inner(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = countersign.CallerFrom(r.Context()) })))
	if res := serve(api, "GET", "/", "Bearer "+scoped("demo.read")); res.StatusCode != http.StatusOK || !seen.IsZero() {
		t.Errorf("status %d, caller %q", res.StatusCode, seen.ClientID)
	}
}
