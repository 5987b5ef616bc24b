package prove_test

import (
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign"
)

// twin is a service that people wrote by hand, without this library: correct, or with one fault.
type twin struct{ fault string }

func (s twin) has(fault string) bool { return s.fault == fault }

var twinPolicy = policyOf(
	countersign.Route{Pattern: "GET /api/orders/{id}", Rule: countersign.Scope("orders.read")},
	countersign.Route{Pattern: "POST /api/orders", Rule: countersign.Scope("orders.write")},
	countersign.Route{Pattern: "DELETE /api/orders/{id}", Rule: countersign.AllScopes("orders.read", "orders.write")},
	countersign.Route{Pattern: "GET /api/me", Rule: countersign.Authenticated()},
	countersign.Route{Pattern: "GET /healthz", Rule: countersign.Public("liveness probe")},
)

// twinRoute is what a path means: which scopes, and whether it is there at all.
func twinRoute(method, p string) (scopes []string, public, found bool) {
	under := strings.HasPrefix(p, "/api/orders/") && len(p) > len("/api/orders/") && !strings.Contains(p[len("/api/orders/"):], "/")
	switch {
	case (method == "GET" || method == "HEAD") && under:
		return []string{read}, false, true
	case method == "DELETE" && under:
		return []string{read, write}, false, true
	case method == "POST" && p == "/api/orders":
		return []string{write}, false, true
	case (method == "GET" || method == "HEAD") && p == "/api/me":
		return []string{}, false, true
	case (method == "GET" || method == "HEAD") && p == "/healthz":
		return nil, true, true
	}
	return nil, false, false
}

// ServeHTTP asks the filter and the router, which have each their own idea of what is requested when the fault says so.
func (s twin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	filterMethod, filterPath := r.Method, r.URL.EscapedPath()
	method, routed := filterMethod, filterPath
	switch s.fault {
	case "router cleans paths":
		routed = path.Clean(routed)
	case "router decodes slashes":
		routed = strings.ReplaceAll(routed, "%2F", "/")
	case "router decodes letters":
		routed = r.URL.Path
	case "router folds case":
		routed = strings.ToLower(routed)
	case "router drops path parameters":
		routed, _, _ = strings.Cut(routed, ";")
	case "router drops a slash at the end":
		routed = strings.TrimSuffix(routed, "/")
	case "router folds methods":
		method = strings.ToUpper(method)
	case "method override":
		if m := r.Header.Get("X-HTTP-Method-Override"); m != "" {
			method = m
		}
	case "path in a header":
		if p := r.Header.Get("X-Original-URL"); p != "" {
			routed = p
		}
	}
	if _, _, found := twinRoute(method, routed); !found {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	scopes, public, guarded := twinRoute(filterMethod, filterPath)
	skip := s.has("no guard") || s.has("HEAD is not guarded") && r.Method == "HEAD" ||
		s.has("trusts X-Forwarded-User") && r.Header.Get("X-Forwarded-User") != ""
	if guarded && !public && !skip && s.refuse(w, r, scopes) {
		return
	}
	w.WriteHeader(http.StatusOK)
}

// refuse answers as RFC 6750 says, and says whether it did.
func (s twin) refuse(w http.ResponseWriter, r *http.Request, needed []string) bool {
	answer := func(status int, challenge string) bool {
		if challenge != "" {
			w.Header().Set("WWW-Authenticate", challenge)
		}
		w.WriteHeader(status)
		return true
	}
	token, malformed := s.bearer(r)
	switch {
	case malformed:
		return answer(http.StatusBadRequest, `Bearer error="invalid_request"`)
	case token == "" && s.has("404 before 401"):
		return answer(http.StatusNotFound, "")
	case token == "" && s.has("403 without token"):
		return answer(http.StatusForbidden, "Bearer")
	case token == "" && s.has("401 without challenge"):
		return answer(http.StatusUnauthorized, "")
	case token == "" && s.has("an error code without token"):
		return answer(http.StatusUnauthorized, `Bearer error="invalid_token"`)
	case token == "":
		return answer(http.StatusUnauthorized, `Bearer realm="orders"`)
	}
	have, err := verifier(s).verify(token)
	switch {
	case err == errNotB64Token:
		return answer(http.StatusBadRequest, `Bearer error="invalid_request"`)
	case err != nil && s.has("no error code for a bad token"):
		return answer(http.StatusUnauthorized, "Bearer")
	case err != nil:
		return answer(http.StatusUnauthorized, `Bearer error="invalid_token"`)
	case s.satisfied(have, needed):
		return false
	case s.has("401 for a wrong scope"):
		return answer(http.StatusUnauthorized, `Bearer error="invalid_token"`)
	case s.has("403 without challenge"):
		return answer(http.StatusForbidden, "")
	case s.has("403 without scope"):
		return answer(http.StatusForbidden, `Bearer error="insufficient_scope"`)
	case s.has("403 names another scope"):
		return answer(http.StatusForbidden, `Bearer error="insufficient_scope", scope="openid"`)
	}
	return answer(http.StatusForbidden, `Bearer error="insufficient_scope", scope="`+strings.Join(needed, " ")+`"`)
}

func (s twin) bearer(r *http.Request) (token string, malformed bool) {
	query := r.URL.Query().Get("access_token")
	if query != "" && s.has("token in the query") {
		return query, false
	}
	if c, err := r.Cookie("access_token"); err == nil && s.has("token in a cookie") {
		return c.Value, false
	}
	fields := r.Header.Values("Authorization")
	switch {
	case query != "" && !(s.has("header beside the query") && len(fields) > 0), len(fields) > 1 && !s.has("first of two headers"):
		return "", true
	case len(fields) == 0:
		return "", false
	}
	scheme, token, _ := strings.Cut(fields[0], " ")
	switch {
	case s.has("any scheme") && token != "":
		return token, false
	case s.has("no scheme") && token == "" && strings.Count(scheme, ".") == 2:
		return scheme, false
	case !strings.EqualFold(scheme, "Bearer"):
		return "", false
	case token == "" || len(token) > 16<<10:
		return "", true
	}
	return token, false
}

// satisfied is the comparison of scopes.
func (s twin) satisfied(claim string, needed []string) bool {
	have := strings.Split(claim, " ")
	match := func(f func(have, need string) bool) bool {
		return !slices.ContainsFunc(needed, func(need string) bool {
			return !slices.ContainsFunc(have, func(h string) bool { return f(h, need) })
		})
	}
	meant := slices.ContainsFunc(have, func(h string) bool {
		name, ours := strings.CutPrefix(h, resource+"/")
		return ours && name != "" && !strings.Contains(name, "/")
	})
	last := func(scope string) string { return scope[strings.LastIndexByte(scope, '/')+1:] }
	switch s.fault {
	case "no scope check":
		return true
	case "any token of the issuer for Authenticated":
		return len(needed) == 0 || meant && match(func(h, need string) bool { return h == need })
	case "scope as substring":
		return match(func(_, need string) bool { return strings.Contains(claim, need) })
	case "scope as prefix of the needed":
		return match(func(h, need string) bool { return strings.HasPrefix(need, h) })
	case "scopes folded":
		return match(strings.EqualFold)
	case "scope without resource":
		return match(func(h, need string) bool { return last(h) == last(need) })
	case "scopes split at commas":
		have = strings.FieldsFunc(claim, func(c rune) bool { return c == ' ' || c == ',' })
		return match(func(h, need string) bool { return h == need })
	case "no scope is every scope":
		return claim == "" || meant && match(func(h, need string) bool { return h == need })
	case "any for all":
		return meant && (len(needed) == 0 || slices.ContainsFunc(needed, func(need string) bool { return slices.Contains(have, need) }))
	}
	return meant && match(func(h, need string) bool { return h == need })
}

func TestCorrectTwinRaisesNoAlarm(t *testing.T) {
	report := run(t, config(twinPolicy, twin{}))
	if err := report.Err(); err != nil {
		t.Fatal(err)
	}
}

// Each planted fault is found by the case that is about it.
func TestTwinsAreFound(t *testing.T) {
	const get, post, del = "GET /api/orders/{id} / ", "POST /api/orders / ", "DELETE /api/orders/{id} / "
	for fault, want := range map[string]string{
		"no guard":                                  get + "401 no token",
		"HEAD is not guarded":                       get + "401 no token, HEAD",
		"trusts X-Forwarded-User":                   get + "401 token in a header of a proxy",
		"router cleans paths":                       get + "no token, double slash",
		"router decodes slashes":                    get + "no token, encoded slash",
		"router decodes letters":                    get + "no token, encoded letter",
		"router folds case":                         get + "no token, path in capitals",
		"router drops path parameters":              post + "no token, path parameter",
		"router drops a slash at the end":           get + "no token, slash at the end",
		"router folds methods":                      get + "no token, method in lower case",
		"method override":                           get + "no token, method override",
		"path in a header":                          get + "no token, path in a header",
		"404 before 401":                            get + "401 no token",
		"403 without token":                         get + "401 no token",
		"401 without challenge":                     get + "401 no token",
		"an error code without token":               get + "401 no token",
		"no error code for a bad token":             get + "bad token signature spoilt",
		"401 for a wrong scope":                     get + "403 with only orders.write",
		"403 without challenge":                     get + "403 with only orders.write",
		"403 without scope":                         get + "403 with only orders.write",
		"403 names another scope":                   get + "403 with only orders.write",
		"token in the query":                        get + "400 token in the query",
		"header beside the query":                   get + "400 token in header and query",
		"token in a cookie":                         get + "401 token in a cookie",
		"first of two headers":                      get + "400 header sent twice",
		"any scheme":                                get + "401 token under Basic",
		"no scheme":                                 get + "401 token without a scheme",
		"no scope check":                            get + "403 with only orders.write",
		"any for all":                               del + "403 with only orders.read",
		"scope as substring":                        get + "403 scope with more at its end",
		"scope as prefix of the needed":             get + "403 scope cut short",
		"scopes folded":                             get + "403 scope in capitals",
		"scope without resource":                    get + "403 scope of another resource",
		"scopes split at commas":                    get + "403 scopes joined by a comma",
		"no scope is every scope":                   get + "403 no scope claim",
		"any token of the issuer for Authenticated": "GET /api/me / 403 scope of another resource",
	} {
		t.Run(fault, func(t *testing.T) {
			report := run(t, config(twinPolicy, twin{fault}))
			got := differences(report)
			if !slices.Contains(got, want) {
				t.Errorf("want %s among %q", want, got)
			}
			if report.ExitCode() != 1 || report.Err() == nil || !strings.Contains(report.Err().Error(), want) {
				t.Errorf("exit code %d, error %v", report.ExitCode(), report.Err())
			}
		})
	}
}

// Whatever answer is turned round, alone, its row says so and no other does: every case can fail.
func TestEveryCaseCanFail(t *testing.T) {
	p := policyOf(countersign.Route{Pattern: "GET /api/orders/{id}", Rule: countersign.Scope("orders.read")})
	for n := 0; ; n++ {
		served := -1
		cfg := config(p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if served++; served != n {
				twin{}.ServeHTTP(w, r)
				return
			}
			right := httptest.NewRecorder()
			if (twin{}).ServeHTTP(right, r); right.Code == http.StatusOK {
				w.WriteHeader(http.StatusForbidden)
			}
		}))
		cfg.Concurrency = 1
		cfg.Signer = nil // most of these tokens are judged alike, and making them takes the time
		got := differences(run(t, cfg))
		if served < n {
			if n < 50 || len(got) > 0 {
				t.Errorf("%d requests, %q", served, got)
			}
			return
		}
		if len(got) != 1 {
			t.Errorf("request %d: %q", n, got)
		}
	}
}
