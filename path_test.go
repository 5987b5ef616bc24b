package countersign_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/countersign-dev/countersign"
)

// site has a public and a private directory behind one file server, which cleans the path that it is given, and a route whose
// parameter may have a slash.
func site(guard *countersign.Guard) *countersign.Mux {
	files := http.FileServerFS(fstest.MapFS{
		"public/a.txt":  {Data: []byte("for everybody")},
		"private/a.txt": {Data: []byte("SECRET")},
		"a.txt":         {Data: []byte("SECRET of no route")},
	})
	api := guard.Mux()
	api.Handle("/public/", files, countersign.Public("anybody may read it"))
	api.Handle("/private/", files, countersign.Scope("private.read"))
	api.HandleFunc("GET /orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "order "+r.PathValue("id"))
	}, countersign.Public("for the test"))
	api.HandleFunc("GET /orders/{id}/items", teapot, countersign.Scope("private.read"))
	api.HandleFunc("GET /orders/{id}/state", teapot, countersign.Public("for the test"))
	return api
}

// The rule that decides is the one of the path that the handler reads, however it is escaped.
func TestAPathCannotBeWrittenSoThatAnotherRuleDecides(t *testing.T) {
	guard := newIssuer(pool).guard(t, nil)
	api := site(guard)
	caught := guard.Mux()
	caught.Handle("/", http.FileServerFS(fstest.MapFS{"private/a.txt": {Data: []byte("SECRET")}}), countersign.Public("the site"))
	caught.Handle("/private/", http.NotFoundHandler(), countersign.Scope("private.read"))
	caught.HandleFunc("GET /users/{name}", teapot, countersign.Scope("private.read"))
	for _, tt := range []struct {
		name, method, target string
		api                  http.Handler
		want                 string // status and body, or what it begins with
	}{
		{"as it is", "GET", "/public/a.txt", api, "200 for everybody"},
		{"without a token", "GET", "/private/a.txt", api, "401 "},
		{"rfc3986 s6.2.2.3: dots", "GET", "/public/../private/a.txt", api, "30"},
		{"rfc3986 s6.2.2.2: %2e%2e", "GET", "/public/%2e%2e/private/a.txt", api, "400 "},
		{"rfc3986 s6.2.2.2: .%2E", "GET", "/public/.%2E/private/a.txt", api, "400 "},
		{"rfc3986 s6.2.2.2: %2e%2e to where no route is", "GET", "/public/%2e%2e/a.txt", api, "400 "},
		{"rfc3986 s6.2.2.2: %2e", "GET", "/public/%2e/a.txt", api, "400 "},
		{"rfc9110 s4.2.3: ..%2f", "GET", "/public/..%2fprivate%2fa.txt", api, "400 "},
		{"rfc9110 s4.2.3: %2f..%2f", "GET", "/public/x%2f..%2f..%2fprivate/a.txt", api, "400 "},
		{"HEAD", "HEAD", "/public/%2e%2e/private/a.txt", api, "400 "},
		{"rfc9110 s9.3.6: CONNECT with dots", "CONNECT", "/public/../private/a.txt", api, "400 "},
		{"rfc9110 s9.3.6: CONNECT with %2e%2e", "CONNECT", "/public/%2e%2e/private/a.txt", api, "400 "},
		{"rfc9110 s9.3.6: CONNECT, clean", "CONNECT", "/private/a.txt", api, "401 "},
		{"an escaped letter", "GET", "/priv%61te/a.txt", api, "401 "},
		{"an escaped letter, public", "GET", "/p%75blic/a.txt", api, "200 for everybody"},
		{"escaped twice is a name", "GET", "/public/%252e%252e/private/a.txt", api, "404 "},

		{"below /: as it is", "GET", "/private/a.txt", caught, "401 "},
		{"below /: %2f", "GET", "/private%2fa.txt", caught, "400 "},
		{"below /: %2f at the end", "GET", "/private%2f", caught, "400 "},
		{"below /: two slashes, CONNECT", "CONNECT", "//private/a.txt", caught, "400 "},
		{"below /: a slash in a parameter beside a public page", "GET", "/users/a%2Fb", caught, "401 "},
		{"below /: a backslash in a parameter beside a public page", "GET", "/users/corp%5Calice", caught, "401 "},
		{"below /: a slash in a parameter that makes a private route", "GET", "/users%2F..%2Fprivate", caught, "400 "},
		{"below /: nothing private", "GET", "/other%2fa.txt", caught, "404 "},

		{"rfc3986 s3.3: dots with a parameter", "GET", "/public/..;x/private/a.txt", api, "400 "},
		{"rfc3986 s3.3: dots with an escaped parameter", "GET", "/public/..%3bx/private/a.txt", api, "400 "},
		{"rfc3986 s3.3: a parameter", "GET", "/private;x/a.txt", caught, "400 "},
		{"rfc3986 s3.3: an escaped parameter", "GET", "/private%3Bx/a.txt", caught, "400 "},
		{"rfc3986 s3.3: a parameter of nothing", "GET", "/;x/private/a.txt", caught, "400 "},
		{"rfc3986 s3.3: a parameter at the end", "GET", "/private;x", caught, "400 "},
		{"rfc3986 s3.3: a parameter within a route", "GET", "/orders/7;v=2", api, "200 order 7;v=2"},
		{"rfc3986 s3.3: a parameter within a route with a rule", "GET", "/orders/7;v=2/items", api, "401 "},
		{"dots before a backslash", "GET", `/public/..\private/a.txt`, api, "400 "},
		{"dots before an escaped backslash", "GET", "/public/..%5Cprivate/a.txt", api, "400 "},
		{"below /: an escaped backslash", "GET", "/private%5Ca.txt", caught, "400 "},
		{"below /: backslash, nothing private", "GET", "/other%5Ca.txt", caught, "404 "},

		{"rfc3986 s2.2: a slash in a parameter", "GET", "/orders/7%2F8", api, "200 order 7/8"},
		{"a parameter in its own escape", "GET", "/orders/%37", api, "200 order 7"},
		{"a slash in a parameter that makes a route of the same rule", "GET", "/orders/7%2Fstate", api, "200 order 7/state"},
		{"a slash in a parameter that makes a route of another rule", "GET", "/orders/7%2Fitems", api, "400 "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := serve(tt.api, tt.method, tt.target)
			body, _ := io.ReadAll(res.Body)
			if got := fmt.Sprint(res.StatusCode, " ", string(body)); !strings.HasPrefix(got, tt.want) || strings.Contains(got, "SECRET") {
				t.Errorf("%s, want %s", got, tt.want)
			}
			if challenge := res.Header.Get("WWW-Authenticate"); res.StatusCode == http.StatusBadRequest && challenge != `Bearer error="invalid_request"` {
				t.Errorf("challenge %q", challenge)
			}
		})
	}
}

// A rule that is only reported is about its own route: it opens no other one. The log names the route that net/http found.
func TestAnAmbiguousPathIsRefusedAndToldWhateverTheRule(t *testing.T) {
	seen := &observer{}
	issuer := newIssuer(pool)
	log := logged(t, issuer, func(c *countersign.Config) { c.Observer = seen }, func(guard *countersign.Guard) {
		api := guard.Mux()
		api.HandleFunc("/reported/", teapot, countersign.Report(countersign.Scope("demo.read")))
		api.HandleFunc("/public/", teapot, countersign.Public("for the test"))
		api.HandleFunc("/private/", teapot, countersign.Scope("demo.write"))
		for _, target := range []string{"/reported/%2e%2e/private/", "/public/%2e%2e/private/", "/private/%2e%2e/private/"} {
			if res := serve(api, "GET", target, "Bearer "+scoped("demo.read")); res.StatusCode != http.StatusBadRequest {
				t.Errorf("%s: status %d", target, res.StatusCode)
			} else {
				checkProblem(t, res)
			}
		}
	})
	if n := strings.Count(log, `"decision":"deny"`); n != 3 || strings.Count(log, `"reason":"ambiguous_path"`) != 3 {
		t.Errorf("log %s", log)
	}
	got := seen.text(func(e countersign.DecisionEvent) string { return fmt.Sprint(e.Decision, e.Route, e.Status) })
	if want := "deny/reported/400 deny/public/400 deny/private/400"; got != want {
		t.Errorf("told %q, want %q", got, want)
	}
}

// A router of the user's own may leave dots in the path, and net/http's leaves escaped ones. Behind Require the router cannot be asked what else
// the path may be; that dots are no part of a name is so everywhere.
func TestRequireRefusesDotsThatTheRouterLeft(t *testing.T) {
	guard := newIssuer(pool).guard(t, nil)
	files := http.FileServerFS(fstest.MapFS{
		"public/a.txt": {Data: []byte("for everybody")}, "public/.well-known/b.txt": {Data: []byte("dotted")}, "private/a.txt": {Data: []byte("SECRET")},
	})
	public := guard.Require(countersign.Public("anybody may read it"))(files)
	std := http.NewServeMux()
	std.Handle("/public/", public)
	std.Handle("/private/", guard.Require(countersign.Scope("private.read"))(files))
	plain := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // cleans nothing, as most routers
		if strings.HasPrefix(r.URL.Path, "/public/") {
			public.ServeHTTP(w, r)
		}
	})
	for _, tt := range []struct {
		target string
		router http.Handler
		want   string
	}{
		{"/public/a.txt", std, "200 for everybody"},
		{"/public/.well-known/b.txt", std, "200 dotted"},
		{"/public/%2e%2e/private/a.txt", std, "400 "},
		{"/public/..%2fprivate/a.txt", std, "400 "},
		{"/public/a.txt", plain, "200 for everybody"},
		{"/public/../private/a.txt", plain, "400 "},
		{"/public/%2e%2e/private/a.txt", plain, "400 "},
		{"/public/./a.txt", plain, "400 "},
		{"/public/..;x/private/a.txt", plain, "400 "},
		{"/public/..%5Cprivate/a.txt", plain, "400 "},
		{"/public/a.txt", http.StripPrefix("/public/", public), "404 "},
		{"/public/../private/a.txt", http.StripPrefix("/public/", public), "400 "},
	} {
		res := serve(tt.router, "GET", tt.target)
		body, _ := io.ReadAll(res.Body)
		if got := fmt.Sprint(res.StatusCode, " ", string(body)); !strings.HasPrefix(got, tt.want) || strings.Contains(got, "SECRET") {
			t.Errorf("%s: %s, want %s", tt.target, got, tt.want)
		}
	}
}
