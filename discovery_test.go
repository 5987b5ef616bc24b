package countersign

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestDiscoveryAddresses(t *testing.T) {
	for _, tt := range []struct {
		issuer string
		want   []string
	}{
		{"https://issuer.test", []string{
			"https://issuer.test/.well-known/openid-configuration", "https://issuer.test/.well-known/oauth-authorization-server"}},
		{"https://issuer.test/", []string{
			"https://issuer.test/.well-known/openid-configuration", "https://issuer.test/.well-known/oauth-authorization-server"}},
		{"https://issuer.test:8443/a/b", []string{
			"https://issuer.test:8443/a/b/.well-known/openid-configuration", "https://issuer.test:8443/.well-known/oauth-authorization-server/a/b"}},
		{"https://issuer.test/a%2Fb/", []string{
			"https://issuer.test/a%2Fb/.well-known/openid-configuration", "https://issuer.test/.well-known/oauth-authorization-server/a%2Fb"}},
	} {
		if got := discoveryURLs(tt.issuer); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.issuer, got, tt.want)
		}
	}
}

func TestDiscoveryDocument(t *testing.T) {
	const local, remote = "http://localhost:8081/pool", "https://issuer.test"
	for _, tt := range []struct {
		name, issuer, document string
		want                   string // in the error; "" for an accepted document
	}{
		{"good", remote, `{"issuer":"https://issuer.test","jwks_uri":"https://keys.test/jwks","x":[{"y":null}]}`, ""},
		{"escaped names", remote, `{"\u0069ssuer":"https:\/\/issuer.test","jwks_uri":"https://keys.test/jwks"}`, ""},
		{"oidc-discovery s4.3: another issuer", remote, `{"issuer":"https://evil.test","jwks_uri":"https://issuer.test/jwks"}`, "another issuer"},
		{"oidc-discovery s4.3: issuer with a slash", remote, `{"issuer":"https://issuer.test/","jwks_uri":"https://issuer.test/jwks"}`, "terminating slash"},
		{"oidc-discovery s4.3: issuer in capitals", remote, `{"issuer":"https://ISSUER.test","jwks_uri":"https://issuer.test/jwks"}`, "upper and lower case"},
		{"oidc-discovery s3: missing issuer", remote, `{"jwks_uri":"https://issuer.test/jwks"}`, "names no issuer"},
		{"oidc-discovery s3: missing jwks_uri", remote, `{"issuer":"https://issuer.test"}`, "names no jwks_uri"},
		{"issuer is an array", remote, `{"issuer":["https://issuer.test"],"jwks_uri":"https://issuer.test/jwks"}`, "issuer of the document is not a string"},
		{"jwks_uri is null", remote, `{"issuer":"https://issuer.test","jwks_uri":null}`, "jwks_uri of the document is not a string"},
		{"jwks_uri is empty", remote, `{"issuer":"https://issuer.test","jwks_uri":""}`, "jwks_uri of the document is not a string"},
		{"issuer in other case", remote, `{"ISSUER":"https://issuer.test","jwks_uri":"https://issuer.test/jwks"}`, "names no issuer"},
		{"rfc8259 s4: issuer twice", remote, `{"issuer":"https://evil.test","issuer":"https://issuer.test","jwks_uri":"https://issuer.test/jwks"}`, "twice"},
		{"rfc8259 s4: jwks_uri twice", remote, `{"issuer":"https://issuer.test","jwks_uri":"https://issuer.test/a","jwks_uri":"https://evil.test/jwks"}`, "twice"},
		{"jwks_uri folded after it", remote, `{"issuer":"https://issuer.test","jwks_uri":"https://issuer.test/jwks","JWKS_URI":"https://evil.test"}`, ""},
		{"bytes after the object", remote, `{"issuer":"https://issuer.test","jwks_uri":"https://issuer.test/jwks"}{}`, "after the JSON object"},
		{"html", remote, `<html>`, "not a JSON object"},
		{"empty", remote, ``, "not a JSON object"},
		{"array", remote, `[]`, "not a JSON object"},
		{"nested deep", remote, `{"x":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`, "deep"},
		{"jwks_uri plain http", remote, `{"issuer":"https://issuer.test","jwks_uri":"http://issuer.test/jwks"}`, "jwks_uri: URL is plain http"},
		{"jwks_uri to the reader's own machine", remote, `{"issuer":"https://issuer.test","jwks_uri":"http://127.0.0.1:9000/jwks"}`, "jwks_uri: URL is plain http"},
		{"jwks_uri of a local issuer", local, `{"issuer":"http://localhost:8081/pool","jwks_uri":"http://localhost:8081/pool/jwks"}`, ""},
		{"jwks_uri of a local issuer, away and plain", local, `{"issuer":"http://localhost:8081/pool","jwks_uri":"http://issuer.test/jwks"}`, "plain http"},
		{"jwks_uri file", remote, `{"issuer":"https://issuer.test","jwks_uri":"file:///etc/passwd"}`, "jwks_uri: not an absolute URL"},
		{"jwks_uri ftp", remote, `{"issuer":"https://issuer.test","jwks_uri":"ftp://issuer.test/jwks"}`, "jwks_uri: URL is not https"},
		{"jwks_uri relative", remote, `{"issuer":"https://issuer.test","jwks_uri":"/jwks"}`, "jwks_uri: not an absolute URL"},
		{"jwks_uri with a password", remote, `{"issuer":"https://issuer.test","jwks_uri":"https://a:b@issuer.test/jwks"}`, "user name or password"},
		{"jwks_uri with a fragment", remote, `{"issuer":"https://issuer.test","jwks_uri":"https://issuer.test/jwks#evil"}`, "jwks_uri: URL has a fragment"},
		{"jwks_uri without a host", remote, `{"issuer":"https://issuer.test","jwks_uri":"https:///jwks"}`, "jwks_uri: not an absolute URL"},
		{"jwks_uri with a line end", remote, `{"issuer":"https://issuer.test","jwks_uri":"https://issuer.test/\n"}`, "jwks_uri: not a URL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseDiscovery([]byte(tt.document), tt.issuer, false)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("%v, want %q", err, tt.want)
			}
			if err != nil && (strings.Contains(err.Error(), "evil") || strings.Contains(err.Error(), "passwd")) {
				t.Errorf("the error repeats the document: %v", err)
			}
		})
	}
}

func TestInsecureAllowHTTPIsWhatPlainHTTPAwayFromLoopbackTakes(t *testing.T) {
	for _, tt := range []struct {
		url                string
		plain, allowedHTTP bool
	}{
		{"https://issuer.test/p", true, true},
		{"http://issuer.test/p", false, true},
		{"http://localhost:8081/p", true, true},
		{"http://LOCALHOST/p", true, true},
		{"http://127.0.0.1:80/p", true, true},
		{"http://127.9.9.9/p", true, true},
		{"http://[::1]:8081/p", true, true},
		{"http://localhost.evil.test/p", false, true},
		{"http://127.0.0.1.evil.test/p", false, true},
		{"http://10.0.0.1/p", false, true},
		{"http://[::ffff:10.0.0.1]/p", false, true},
		{"ftp://localhost/p", false, false},
		{"https:///p", false, false},
		{"https://:443/p", false, false},
		{"https:issuer.test", false, false},
		{"https://user@issuer.test", false, false},
		{"https://issuer.test/#x", false, false},
		{"", false, false},
	} {
		if err := checkURL(tt.url, true, false); (err == nil) != tt.plain {
			t.Errorf("%s: %v", tt.url, err)
		}
		if err := checkURL(tt.url, true, true); (err == nil) != tt.allowedHTTP {
			t.Errorf("%s with InsecureAllowHTTP: %v", tt.url, err)
		}
	}
}

func TestRFC8414DiscoveryIsAskedWhereOpenIDDiscoveryIsNotFound(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("a")
		const metadata = "/.well-known/oauth-authorization-server/pool"
		client := &http.Client{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == metadata {
				return answerText(200, `{"issuer":"`+keysIssuer+`","jwks_uri":"`+keysURI+`"}`)(r)
			}
			return issuer.RoundTrip(r)
		})}
		issuer.answerDiscovery(answerText(404, ""))
		k := startKeys(t, issuer, func(cfg *keySourceConfig) { cfg.client = client })
		k.want(t, "a", nil)
	})
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestDiscoveryThatFailsMakesNoKeys(t *testing.T) {
	for name, answer := range map[string]func(*http.Request) (*http.Response, error){
		"wrong issuer":          answerText(200, `{"issuer":"https://evil.test","jwks_uri":"`+keysURI+`"}`),
		"jwks_uri plain http":   answerText(200, `{"issuer":"`+keysIssuer+`","jwks_uri":"http://issuer.test/pool/.well-known/jwks.json"}`),
		"500":                   answerText(500, ""),
		"404":                   answerText(404, ""),
		"redirect to evil host": answerText(302, "", "Location", "https://evil.test/.well-known/openid-configuration"),
		"hangs":                 hang,
		"drips":                 drip,
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				issuer := newFakeKeysIssuer("a")
				issuer.answerDiscovery(answer)
				k := startKeys(t, issuer)
				err := k.get(t.Context(), "a")
				if !errors.Is(err, errKeysUnavailable) || strings.Contains(err.Error(), "evil") {
					t.Errorf("error %v", err)
				}
				time.Sleep(10 * time.Second)
				if f := issuer.fetches(); f != 0 {
					t.Errorf("%d fetches of keys", f)
				}
				issuer.answerDiscovery(nil)
				time.Sleep(maxBackoff + fetchTimeout)
				synctest.Wait()
				k.want(t, "a", nil)
			})
		})
	}
}

func TestDiscoveryThatFailsLaterLeavesTheKeysWhereTheyWere(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("a")
		k := startKeys(t, issuer)
		k.want(t, "a", nil)
		issuer.answerDiscovery(answerText(200, `{"issuer":"https://evil.test","jwks_uri":"https://evil.test/jwks.json"}`))
		time.Sleep(3 * time.Hour)
		k.want(t, "a", nil)
		s := k.state()
		if s.failures != 0 || s.age > defaultKeyAge/2 || s.lastError == nil || !strings.Contains(s.lastError.Error(), "another issuer") {
			t.Errorf("state %+v", s)
		}
		if n := strings.Count(k.log.String(), "discovery failed"); n != 1 {
			t.Errorf("logged %d times: %s", n, k.log)
		}
	})
}

func TestDiscoveryIsReadAgainEachHourAndAfterKeysWereNotWhereItSaid(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("a")
		k := startKeys(t, issuer)
		k.want(t, "a", nil)
		const document = "/pool/.well-known/openid-configuration"
		time.Sleep(10*discoveryAge + time.Minute)
		if n := issuer.requests(document); n < 9 || n > 11 {
			t.Errorf("%d discoveries in 10 hours", n)
		}
		// The issuer moves its keys: the next attempt finds them.
		issuer.answerKeys(answerText(404, ""))
		issuer.answerDiscovery(answerText(200, `{"issuer":"`+keysIssuer+`","jwks_uri":"https://issuer.test/moved/jwks"}`))
		issuer.mu.Lock()
		issuer.moved = "/moved/jwks"
		issuer.mu.Unlock()
		time.Sleep(defaultKeyAge + maxBackoff)
		synctest.Wait()
		k.want(t, "a", nil)
		if s := k.state(); s.failures != 0 || issuer.requests("/moved/jwks") == 0 {
			t.Errorf("state %+v", s)
		}
	})
}

// FuzzDiscoveryDocument holds an accepted document to a second reader: encoding/json into a map, which matches names
// to the letter as well.
func FuzzDiscoveryDocument(f *testing.F) {
	f.Add([]byte(`{"issuer":"https://issuer.test","jwks_uri":"https://keys.test/jwks"}`))
	f.Add([]byte(`{"jwks_uri":"http://127.0.0.1/jwks","issuer":"https://issuer.test","a":{"issuer":"x"}}`))
	f.Add([]byte(`{"issuer":"https:\/\/issuer.test","jwks_uri":"https://keys.test/\u00e4","issuer ":1}`))
	f.Add([]byte(`{"issuer":"https://issuer.test","jwks_uri":"https://keys.test/jwks","n":1e400}`))
	f.Add([]byte("{\"issuer\":\"https://issuer.test\",\"jwks_uri\":\"https://\xff\"}"))
	f.Fuzz(func(t *testing.T, body []byte) {
		const issuer = "https://issuer.test"
		uri, err := parseDiscovery(body, issuer, false)
		if err != nil {
			return
		}
		var second map[string]json.RawMessage // and no values: JSON has numbers that a float64 does not
		if err := json.Unmarshal(body, &second); err != nil {
			t.Fatalf("accepted what encoding/json does not: %v", err)
		}
		text := func(name string) (s string) {
			if err := json.Unmarshal(second[name], &s); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			return s
		}
		if text("issuer") != issuer || text("jwks_uri") != uri {
			t.Fatalf("read %q, encoding/json reads %s", uri, body)
		}
		if !strings.HasPrefix(strings.ToLower(uri), "https://") {
			t.Fatalf("accepted the address %q", uri)
		}
		again, err := json.Marshal(map[string]string{"issuer": issuer, "jwks_uri": uri})
		if err != nil {
			t.Fatal(err)
		}
		if second, err := parseDiscovery(again, issuer, false); err != nil || second != uri {
			t.Fatalf("encoded again, it is %v, %v", second, err)
		}
	})
}
