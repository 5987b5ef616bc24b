package countersign_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/internal/jose"
)

// edIssuer signs with Ed25519, which costs little: a fuzzer signs all day.
func edIssuer(url string) *fakeIssuer {
	issuer := newIssuer(url)
	issuer.keys = []published{{"ed", jose.EdDSA, testKeys.ed}}
	return issuer
}

func edSign(header, claims string) string {
	return must(jose.Sign(testKeys.ed, jose.EdDSA, []byte(header), []byte(claims)))
}

const edHeader = `{"kid":"ed","alg":"EdDSA"}`

// FuzzClaims signs whatever the fuzzer makes of the claims. What is accepted is exactly what an independent reading
// of the same octets allows, and is explained as accepted.
func FuzzClaims(f *testing.F) {
	for _, claims := range []members{
		cognitoClaims, cognitoClaims.with("exp", "1e10"), cognitoClaims.with("exp", `"x"`), cognitoClaims.with("token_use", `"id"`), cognitoClaims.without("scope"),
		cognitoClaims.with("scope", `["https://api.example.com/a"]`), cognitoClaims.with("nbf", seconds(time.Hour)), cognitoClaims.also("scope", `"x"`), cognitoClaims.with("aud", `["a","b"]`),
		cognitoClaims.also("SCOPE", `"https://api.example.com/admin"`), cognitoClaims.with("scope", `"https://api.example.com/a  b"`), {}, {{"iss", "1"}},
		cognitoClaims.with("auth_time", "1e400"),
	} {
		f.Add(claims.String())
	}
	guard := edIssuer(pool).guard(f, func(c *countersign.Config) { c.Algorithms = []string{"EdDSA"} })
	f.Fuzz(func(t *testing.T, document string) {
		token := edSign(edHeader, document)
		caller, err := guard.Authorize(t.Context(), token, countersign.Authenticated())
		refused := guard.Explain(t.Context(), token, countersign.Authenticated()).Refused()
		if err != nil {
			if refused == "" || !errors.Is(err, refused) {
				t.Errorf("refused because of %v, explained as %q", err, refused)
			}
			return
		}
		if refused != "" {
			t.Errorf("accepted, explained as %q", refused)
		}
		var claims map[string]any
		if !json.Valid([]byte(document)) {
			t.Fatalf("accepted claims that are not JSON: %s", document)
		}
		// A number that nobody reads may be beyond a float64, as JSON's numbers may (RFC 8259, Section 6).
		read := json.NewDecoder(strings.NewReader(document))
		read.UseNumber()
		if err := read.Decode(&claims); err != nil {
			t.Fatal(err)
		}
		number, _ := claims["exp"].(json.Number)
		exp, _ := number.Float64()
		if claims["token_use"] != "access" || claims["iss"] != caller.Issuer || claims["client_id"] != caller.ClientID || claims["sub"] != caller.Subject || exp <= float64(now.Unix()-60) {
			t.Errorf("accepted %s as %+v", document, caller)
		}
		for _, name := range caller.Scopes {
			text, _ := json.Marshal(claims["scope"])
			other, _ := json.Marshal(claims["scp"])
			var full string
			if encoded, _ := json.Marshal(resource + "/" + name); len(encoded) > 2 {
				full = string(encoded[1 : len(encoded)-1])
			}
			if !strings.Contains(string(text), full) && !strings.Contains(string(other), full) {
				t.Errorf("the scope %q is not in the token", name)
			}
		}
	})
}

// FuzzToken sends whatever the fuzzer makes of a token: only what was signed is accepted.
func FuzzToken(f *testing.F) {
	good := edSign(edHeader, cognitoClaims.String())
	for _, token := range []string{good, good[:len(good)-1], good + "=", strings.ToUpper(good), "..", "a.b.c", strings.Repeat(".", 100)} {
		f.Add(token)
	}
	guard := edIssuer(pool).guard(f, func(c *countersign.Config) { c.Algorithms = []string{"EdDSA"} })
	f.Fuzz(func(t *testing.T, token string) {
		_, err := guard.Authorize(t.Context(), token, countersign.Scope("demo.read"))
		if (err == nil) != (token == good) {
			t.Errorf("%q: %v", token, err)
		}
		var refused *countersign.Error
		if err != nil && (!errors.As(err, &refused) || refused.Status != 401) {
			t.Errorf("%q: %v", token, err)
		}
	})
}

// FuzzAuthorization sends whatever the fuzzer makes of a header and a query: the answer is one of RFC 6750's, its
// challenge can be read, and the request is served only with the good token in the header.
func FuzzAuthorization(f *testing.F) {
	good := edSign(edHeader, cognitoClaims.String())
	for _, seed := range [][2]string{
		{"Bearer " + good, ""}, {"bearer  " + good, "a=b"}, {"Bearer", ""}, {"Basic YTpi", ""}, {"Bearer " + good, "access_token=x"}, {"Bearer " + good, "access%5Ftoken=x"}, {"Bearer a b", ""}, {"", "?"},
	} {
		f.Add(seed[0], seed[1])
	}
	guard := edIssuer(pool).guard(f, func(c *countersign.Config) { c.Algorithms = []string{"EdDSA"} })
	h := guard.Require(countersign.Scope("demo.read"))(http.HandlerFunc(teapot))
	f.Fuzz(func(t *testing.T, header, query string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.RawQuery = query
		r.Header["Authorization"] = []string{header}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		challenge := w.Header().Get("WWW-Authenticate")
		want, known := map[int]string{
			served: "", 400: `Bearer error="invalid_request"`, 401: `Bearer error="invalid_token"`,
		}[w.Code]
		if !known || challenge != want && (w.Code != 401 || challenge != `Bearer realm="https://api.example.com"`) {
			t.Errorf("status %d, challenge %q", w.Code, challenge)
		}
		if w.Code != served {
			return
		}
		if scheme, token, _ := strings.Cut(header, " "); !strings.EqualFold(scheme, "Bearer") || strings.TrimLeft(token, " ") != good {
			t.Errorf("served with %q", header)
		}
		if r.URL.Query().Has("access_token") {
			t.Errorf("served with a token in the query %q", query)
		}
	})
}

// FuzzScopeString signs whatever the fuzzer makes of a scope: a route is served only when the name is one of the
// string's words, with the prefix.
func FuzzScopeString(f *testing.F) {
	for _, s := range []string{"", "https://api.example.com/demo.read", "https://api.example.com/demo.read https://api.example.com/x", "demo.read", "https://api.example.com/demo.read\tx", "https://api.example.com//demo.read"} {
		f.Add(s)
	}
	guard := edIssuer(pool).guard(f, func(c *countersign.Config) { c.Algorithms = []string{"EdDSA"} })
	f.Fuzz(func(t *testing.T, scope string) {
		encoded, err := json.Marshal(scope)
		if err != nil {
			t.Fatal(err)
		}
		_, err = guard.Authorize(t.Context(), edSign(edHeader, cognitoClaims.with("scope", string(encoded)).String()), countersign.Scope("demo.read"))
		has := false
		for word := range strings.SplitSeq(scope, " ") {
			has = has || word == "https://api.example.com/demo.read"
		}
		if err == nil && !has {
			t.Errorf("%q was enough", scope)
		}
	})
}

// readings are what a file server reads of a path, and what a servlet container or a server on Windows does behind a proxy.
func readings(p string) [2]string {
	segments := strings.Split(strings.ReplaceAll(p, `\`, "/"), "/")
	for i := range segments {
		segments[i], _, _ = strings.Cut(segments[i], ";")
	}
	return [2]string{path.Clean("/" + p), path.Clean("/" + strings.Join(segments, "/"))}
}

// FuzzPath sends whatever the fuzzer makes of a path. A handler that everybody may call is never given one that a file server or a proxy
// reads as one of a route with a rule.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{"/public/a", "/private/a", "/public/%2e%2e/private/a", "/x/..%2fprivate/a", "/private%2fa", "//private/a", "/public/%2e/%2E%2e/private", "/priv%61te/", "*", "/public/..;/private/a", "/private;x/a", `/public\..\private\a`, "/;/private%5Ca"} {
		f.Add("GET", seed)
		f.Add("CONNECT", seed)
	}
	guard := edIssuer(pool).guard(f, nil)
	var read [2]string
	open := func(_ http.ResponseWriter, r *http.Request) { read = readings(r.URL.Path) }
	api := guard.Mux()
	api.HandleFunc("/", open, countersign.Public("for the test"))
	api.HandleFunc("/public/", open, countersign.Public("for the test"))
	api.HandleFunc("/private/", teapot, countersign.Scope("demo.read"))
	f.Fuzz(func(t *testing.T, method, target string) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(method + " " + target + " HTTP/1.1\r\nHost: a\r\n\r\n")))
		if err != nil {
			return
		}
		w := httptest.NewRecorder()
		read = [2]string{}
		api.ServeHTTP(w, r)
		if w.Code == served || strings.HasPrefix(read[0]+"/", "/private/") || strings.HasPrefix(read[1]+"/", "/private/") {
			t.Errorf("%s %s: status %d, read as %q", method, target, w.Code, read)
		}
	})
}
