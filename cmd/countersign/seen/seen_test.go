package seen_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/seen"
)

const accessLog = `192.0.2.1 - - [10/Oct/2025:13:55:36 +0000] "GET /v1/orders/4711?access_token=eyJhbGciOi HTTP/1.1" 200 2326
192.0.2.1 - alice [10/Oct/2025:13:55:36 +0000] "POST /v1/orders HTTP/1.1" 403 12 "-" "curl/8.5.0"
api.example.com 192.0.2.1 - - [10/Oct/2025:13:55:37 +0000] "GET /v1/admin/users/77 HTTP/2.0" 200 12 "https://evil.example/\"x" "a \"quoted\" agent"
192.0.2.1 - - [10/Oct/2025:13:55:37 +0000] "GET /v1/admin/users/78 HTTP/2.0" 500 12
192.0.2.1 - - [10/Oct/2025:13:55:37 +0000] "GET /v1/internal HTTP/2.0" 401 12
192.0.2.1 - - [10/Oct/2025:13:55:37 +0000] "GET /wp-login.php HTTP/1.1" 404 12
192.0.2.1 - - [10/Oct/2025:13:55:37 +0000] "OPTIONS /v1/anything HTTP/1.1" 204 0
192.0.2.1 - - [10/Oct/2025:13:55:37 +0000] "HEAD /v1/healthz HTTP/1.1" 200 0

192.0.2.1 - - [10/Oct/2025:13:55:37 +0000] "\x16\x03\x01" 400 150
192.0.2.1 - - [10/Oct/2025:13:55:37 +0000] "GET http://api.example.com/v1/a\x1b[31m HTTP/1.1" 200 1
#Fields: a comment
`

var routes = []seen.Route{
	{"GET /v1/orders/{id}", "GET /orders/{id}"},
	{"POST /v1/orders", "POST /orders"},
	{"GET /v1/healthz", "GET /healthz"},
	{"DELETE /v1/orders/{id}", "DELETE /orders/{id}"},
}

func everywhere(string) bool { return true }

func read(t *testing.T, text string, ours func(string) bool) *seen.Log {
	t.Helper()
	l, err := seen.Read(strings.NewReader(text), ours)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestAccessLog(t *testing.T) {
	var out bytes.Buffer
	if err := read(t, accessLog, everywhere).Compare(routes).Write(&out, "access.log"); err != nil {
		t.Fatal(err)
	}
	const want = `
Seen in access.log (9 requests)
  served, and not in the document:
    GET /v1/admin/users/{}  200 500 (2 requests)
    GET /v1/{}  200 (1 request)
  refused, and not in the document:
    GET /v1/internal  401 (1 request)
  in the document, and never served:
    POST /orders
    DELETE /orders/{id}
  1 not read: no request of the common or combined format
`
	if out.String() != want {
		t.Errorf("got %s\nwant %s", &out, want)
	}
	if strings.Contains(out.String(), "eyJ") {
		t.Error("the report has a token")
	}
}

const har = `{"log": {"version": "1.2", "creator": {"name": "x", "deep": [[{}]]}, "pages": [], "entries": [
 {"startedDateTime": "2025", "request": {"method": "GET", "url": "https://api.example.com/v1/orders/4711?x=1", "headers": [{"name": "Authorization", "value": "Bearer eyJ"}]},
  "response": {"status": 200, "content": {"text": "{}"}}},
 {"request": {"method": "GET", "url": "https://api.example.com/v1/debug"}, "response": {"status": 302}},
 {"request": {"method": "GET", "url": "https://api.example.com/v1/blocked"}, "response": {"status": 0}},
 {"request": {"method": "GET", "url": "https://tracker.example.net/pixel"}, "response": {"status": 200}},
 {"request": {"method": "GET", "url": "data:text/plain,x"}, "response": {"status": 200}}
]}, "extra": true}`

func TestHAR(t *testing.T) {
	c := read(t, har, func(host string) bool { return host == "api.example.com" }).Compare(routes)
	if got := fmt.Sprint(c.Undocumented, c.Refused, c.Unserved); got != "[{GET /v1/debug 1 [302]}] [] [POST /orders GET /healthz DELETE /orders/{id}]" {
		t.Error(got)
	}
	var out bytes.Buffer
	if err := c.Write(&out, "x.har"); err != nil || !strings.Contains(out.String(), "  1 to other hosts left out\n  1 not read") {
		t.Errorf("%v\n%s", err, &out)
	}
}

func TestReadRefuses(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", "the log is empty"},
		{"only comments", "# a\n\n", "the log has no request"},
		{"another format", "time=1 level=info\n", "line 1 is no request; write an access log in the common or combined format"},
		{"JSON lines", "{\"a\": 1}\n{\"b\": 2}\n", "the log has no request"},
		{"half a HAR", har[:300], "begins as a HAR and is none"},
		{"a HAR of others", har, "all 4 requests of the HAR are to other hosts"},
		{"entries that are none", `{"log": {"entries": [7]}}`, "begins as a HAR and is none"},
		{"entries in no list", `{"log": {"entries": {}}}`, "begins as a HAR and is none"},
	} {
		if _, err := seen.Read(strings.NewReader(tt.text), func(string) bool { return false }); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
}

// A log of a scanner has a path for every request. What is kept of it is bounded, and the known routes are found all the same.
func TestManyPaths(t *testing.T) {
	var log strings.Builder
	for i := range 60_000 {
		fmt.Fprintf(&log, "- - - [t] \"GET /scan/x%dy/%s HTTP/1.1\" 200 1\n", i, string(rune('a'+i%26)))
	}
	log.WriteString("- - - [t] \"GET /v1/healthz HTTP/1.1\" 200 1\n")
	log.WriteString("- - - [t] \"GET /long/" + strings.Repeat("z", 200_000) + " HTTP/1.1\" 200 1\n")
	l := read(t, log.String(), everywhere)
	if l.Requests != 60_001 || l.Unreadable != 1 {
		t.Errorf("%d requests, %d unreadable", l.Requests, l.Unreadable)
	}
	c := l.Compare(routes)
	if len(c.Undocumented) > 100 || len(c.Unserved) != 3 {
		t.Errorf("%d undocumented, unserved %q", len(c.Undocumented), c.Unserved)
	}
}

func TestNothingToSay(t *testing.T) {
	var out bytes.Buffer
	c := read(t, "- - - [t] \"GET /a HTTP/1.1\" 200 1\n", everywhere).Compare([]seen.Route{{"GET /a", "GET /a"}, {"bad pattern {", "x"}}[:1])
	if err := c.Write(&out, "a"); err != nil || !strings.Contains(out.String(), "every route of the document was served, and no other") {
		t.Errorf("%v\n%s", err, &out)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(accessLog)
	f.Add(har)
	f.Fuzz(func(t *testing.T, text string) {
		l, err := seen.Read(strings.NewReader(text), everywhere)
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := l.Compare(routes).Write(&out, "log"); err != nil {
			t.Fatal(err)
		}
		for _, c := range out.String() {
			if c < ' ' && c != '\n' || c == 0x7f {
				t.Fatalf("a control character in %q", &out)
			}
		}
	})
}
