package countersign_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/internal/jose"
)

func TestPatternsAreThoseOfNetHTTP(t *testing.T) {
	api := newIssuer(pool).guard(t, nil).Mux()
	answer := func(name string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Handler", name+" "+r.PathValue("id")+r.Pattern)
		}
	}
	read := countersign.Scope("demo.read")
	api.HandleFunc("GET /orders/{id}", answer("order"), read)
	api.HandleFunc("/tree/", answer("tree"), read)
	api.HandleFunc("GET /exact/{$}", answer("exact"), read)
	api.HandleFunc("GET admin.example.com/orders/{id}", answer("admin"), countersign.Scope("admin"))
	token := "Bearer " + scoped("demo.read")
	for _, tt := range []struct{ method, target, want string }{
		{"GET", "/orders/7", "200 order 7GET /orders/{id}"},
		{"HEAD", "/orders/7", "200 order 7GET /orders/{id}"},
		{"POST", "/orders/7", "405 "},
		{"GET", "/orders/7/x", "404 "},
		{"PATCH", "/tree/a/b", "200 tree /tree/"},
		{"GET", "/tree", "307 "},
		{"GET", "/exact/", "200 exact GET /exact/{$}"},
		{"GET", "/exact/a", "404 "},
		{"GET", "//orders//7", "307 "},
		{"GET", "/tree/../orders/7", "307 "},
		{"GET", "http://admin.example.com/orders/7", "403 "},
		{"GET", "http://admin.example.com:8080/orders/7", "403 "},
		{"GET", "/", "404 "},
	} {
		res := serve(api, tt.method, tt.target, token)
		status := strings.Fields(res.Status)[0]
		if tt.want[:3] == "307" && status == "301" {
			status = "307" // net/http's choice, which changed between releases
		}
		if got := status + " " + res.Header.Get("Handler"); got != tt.want {
			t.Errorf("%s %s: %s, want %s", tt.method, tt.target, got, tt.want)
		}
	}
}

// Without a token, a path that is there for another method tells no more than its own refusal does.
func TestUnlistedRoutesRevealNothing(t *testing.T) {
	api := demoAPI(newIssuer(pool).guard(t, nil))
	for _, target := range []string{"/nowhere", "/demo/x", "/de"} {
		res := serve(api, "GET", target)
		if res.StatusCode != http.StatusNotFound || res.Header.Get("WWW-Authenticate") != "" {
			t.Errorf("%s: status %d", target, res.StatusCode)
		}
	}
	if res := serve(api, "PUT", "/demo"); res.StatusCode != http.StatusMethodNotAllowed || res.Header.Get("Allow") != "GET, HEAD, POST" {
		t.Errorf("PUT: status %d, Allow %q", res.StatusCode, res.Header.Get("Allow"))
	}
}

func TestResourceMetadata(t *testing.T) {
	guard := newIssuer(pool).guard(t, func(c *countersign.Config) {
		c.Resource, c.ResourceMetadata = "https://api.example.com/v2", true
		c.AlsoTrust = []countersign.Issuer{{Issuer: tenant}}
	})
	api := demoAPI(guard)
	const address = "https://api.example.com/.well-known/oauth-protected-resource/v2"
	res := serve(api, "GET", "/demo")
	if got, want := res.Header.Get("WWW-Authenticate"), `Bearer resource_metadata="`+address+`"`; got != want {
		t.Errorf("rfc9728 s5.1: challenge %s, want %s", got, want)
	}
	res = serve(api, "GET", "/demo", "Bearer x")
	if got, want := res.Header.Get("WWW-Authenticate"), `Bearer error="invalid_token", resource_metadata="`+address+`"`; got != want {
		t.Errorf("rfc9728 s5.1: challenge %s, want %s", got, want)
	}
	res = serve(api, "GET", address)
	var document struct {
		Resource string   `json:"resource"`
		Servers  []string `json:"authorization_servers"`
		Scopes   []string `json:"scopes_supported"`
		Methods  []string `json:"bearer_methods_supported"`
	}
	if err := json.NewDecoder(res.Body).Decode(&document); err != nil || res.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("status %d, %v", res.StatusCode, err)
	}
	if document.Resource != "https://api.example.com/v2" || strings.Join(document.Servers, " ") != pool+" "+tenant ||
		strings.Join(document.Methods, " ") != "header" || document.Scopes[0] != "https://api.example.com/v2/demo.admin" || len(document.Scopes) != 3 {
		t.Errorf("rfc9728 s2: document %+v", document)
	}
}

// Each issuer has its own keys, audience and algorithms, and none of another's.
func TestIssuersAreBoundToTheirOwn(t *testing.T) {
	first, second := newIssuer(pool), newIssuer(tenant)
	second.keys = []published{{"ed", jose.EdDSA, testKeys.ed}}
	both := transportFunc(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host == "login.example.com" {
			return second.RoundTrip(r)
		}
		return first.RoundTrip(r)
	})
	guard := first.guard(t, func(c *countersign.Config) {
		c.HTTPClient = &http.Client{Transport: both}
		c.AlsoTrust = []countersign.Issuer{{Issuer: tenant, Audience: "urn:orders", Algorithms: []string{"EdDSA"}, ClientIDs: []string{client}}}
	})
	mine := rfc9068Claims.with("aud", `"urn:orders"`)
	ed := members{{"typ", `"at+jwt"`}, {"kid", `"ed"`}, {"alg", `"EdDSA"`}}
	edToken := func(header, claims members) string { return edSign(header.String(), claims.String()) }
	run(t, guard, []probe{
		{"first issuer", sign(cognitoHeader, cognitoClaims), ""},
		{"second issuer", edToken(ed, mine), ""},
		{"rfc8725 s3.8: iss of the first, key of the second", edToken(ed, cognitoClaims), countersign.BadAlgorithm},
		{"rfc8725 s3.8: iss of the second, key of the first", sign(rfc9068Header, mine), countersign.BadAlgorithm},
		{"rfc8725 s3.8: iss and alg of the second, kid of the first", edToken(ed.with("kid", `"first"`), mine), countersign.UnknownKey},
		{"rfc8725 s3.9: audience of the first at the second", edToken(ed, rfc9068Claims), countersign.BadAudience},
		{"rfc8725 s3.12: profile of the first at the second", edToken(ed.without("typ"), mine), countersign.BadHeader},
		{"client of the first at the second", edToken(ed, mine.with("client_id", `"other"`)), countersign.BadClient},
	})
	before := first.fetches.Load() + second.fetches.Load()
	for range 100 {
		_, err := guard.Authorize(t.Context(), sign(cognitoHeader.with("kid", `"new"`), cognitoClaims.with("iss", `"https://evil.example"`)), countersign.Authenticated())
		if !errors.Is(err, countersign.BadIssuer) {
			t.Fatal(err)
		}
	}
	if after := first.fetches.Load() + second.fetches.Load(); after != before || first.foreign.Load()+second.foreign.Load() > 0 {
		t.Errorf("an unlisted issuer caused %d requests", after-before)
	}
}

func TestRequireGuardsAnyHandler(t *testing.T) {
	guard := newIssuer(pool).guard(t, nil)
	h := guard.Require(countersign.Scope("demo.read"))(http.HandlerFunc(teapot))
	if res := serve(h, "OPTIONS", "/any/path"); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("status %d", res.StatusCode)
	}
	if res := serve(h, "GET", "/", "Bearer "+scoped("demo.read")); res.StatusCode != served || res.Header.Get("Caller") != client {
		t.Errorf("status %d, caller %q", res.StatusCode, res.Header.Get("Caller"))
	}
}

func TestAuthorize(t *testing.T) {
	guard := newIssuer(pool).guard(t, nil)
	for _, tt := range []struct {
		name, token string
		rule        countersign.Rule
		status      int
		code        string
		caller      string
	}{
		{"good", scoped("demo.read"), countersign.Scope("demo.read"), 0, "", client},
		{"no token", "", countersign.Scope("demo.read"), 401, "", ""},
		{"bad token", "x", countersign.Scope("demo.read"), 401, "invalid_token", ""},
		{"no scope", scoped("demo.read"), countersign.Scope("demo.write"), 403, "insufficient_scope", ""},
		{"public, no token", "", countersign.Public("probe"), 0, "", ""},
		{"public, bad token", "x", countersign.Public("probe"), 0, "", ""},
		{"public, good token", scoped("demo.read"), countersign.Public("probe"), 0, "", client},
	} {
		caller, err := guard.Authorize(t.Context(), tt.token, tt.rule)
		var refused *countersign.Error
		if errors.As(err, &refused); refused == nil {
			refused = &countersign.Error{}
		}
		if refused.Status != tt.status || refused.Code != tt.code || caller.ClientID != tt.caller {
			t.Errorf("%s: %+v, caller %q", tt.name, refused, caller.ClientID)
		}
	}
	if _, err := guard.Authorize(t.Context(), scoped("demo.read"), countersign.Rule{}); err == nil {
		t.Error("no rule let a token in")
	}
}

func TestCloseLeavesTheKeysAtHand(t *testing.T) {
	guard := newIssuer(pool).guard(t, nil)
	if _, err := guard.Authorize(t.Context(), scoped("demo.read"), countersign.Authenticated()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(guard.Close(), guard.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := guard.Authorize(t.Context(), scoped("demo.list"), countersign.Authenticated()); err != nil {
		t.Error(err)
	}
}
