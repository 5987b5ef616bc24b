package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/gateway"
)

// A service is an upstream that remembers the last request.
type service struct {
	*httptest.Server
	mu   sync.Mutex
	last *http.Request
	body []byte
}

func newService(t *testing.T) *service {
	t.Helper()
	s := &service{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.last, s.body = r, body
		w.Header().Set("Strict-Transport-Security", "max-age=1")
		io.WriteString(w, "served")
	}))
	t.Cleanup(s.Close)
	return s
}

// received returns the last request and forgets it; nil when the service saw none.
func (s *service) received() *http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.last
	s.last = nil
	return r
}

func newGateway(t *testing.T, cfg gateway.Config) *gateway.Gateway {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	g, err := gateway.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// raw parses a request as a server does, byte for byte, and puts it in front of the edge as a peer on loopback.
func raw(t *testing.T, text string) *http.Request {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
	if err != nil {
		t.Fatal(err)
	}
	r.RemoteAddr = "127.0.0.1:50000"
	return r
}

func get(t *testing.T, target string) *http.Request {
	t.Helper()
	return raw(t, "GET "+target+" HTTP/1.1\r\nHost: localhost:8443\r\n\r\n")
}

func answer(h http.Handler, r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestNewNamesEveryProblem(t *testing.T) {
	_, err := gateway.New(gateway.Config{
		Routes: []gateway.Route{
			{Prefix: "/api/demo/*", Upstream: "http://localhost:1"},
			{Prefix: "api", Upstream: "http://localhost:1"},
			{Prefix: "/api/", Upstream: "http://localhost:1"},
			{Prefix: "/a/../b", Upstream: "http://localhost:1"},
			{Prefix: "/a%2fb", Upstream: "http://localhost:1"},
			{Prefix: "/a", Upstream: "localhost:1"},
			{Prefix: "/a", Upstream: "http://user:hunter2@localhost:1"},
			{Prefix: "/b", Upstream: "http://localhost:1/base"},
			{Prefix: "/c", Upstream: "http://user:hunter2@local host/"},
		},
		Allow:   []netip.Prefix{{}, netip.MustParsePrefix("10.1.2.3/8"), netip.MustParsePrefix("::ffff:10.0.0.0/104")},
		Hosts:   []string{"localhost:8443", "https://localhost", ""},
		MaxBody: -1,
	})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		`route 1: prefix "/api/demo/*"`, `route 2: prefix "api"`, `route 3: prefix "/api/"`, `route 4: prefix "/a/../b"`,
		`route 5: prefix "/a%2fb"`, "route 6: upstream", `route 7: prefix "/a" is routed twice`, "route 7: upstream",
		"route 8: upstream", "route 9: upstream", "not valid", "write 10.0.0.0/8", "write the IPv4 network",
		`host "localhost:8443"`, `host "https://localhost"`, `host ""`, "negative",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not reported: %s", want)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error repeats a password: %v", err)
	}
	if _, err := gateway.New(gateway.Config{}); err == nil || !strings.Contains(err.Error(), "no routes") {
		t.Errorf("without routes: %v", err)
	}
}

func TestAllowListCountsOnlyTheTCPPeer(t *testing.T) {
	svc := newService(t)
	ten := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fe80::/10"), netip.MustParsePrefix("2001:db8::/32")}
	tests := []struct {
		name, peer string
		allow      []netip.Prefix
		want       int
	}{
		{"default: IPv4 loopback", "127.0.0.1:1", nil, 200},
		{"default: all of 127/8", "127.8.9.10:1", nil, 200},
		{"default: IPv6 loopback", "[::1]:1", nil, 200},
		{"default: a private address", "192.168.1.1:1", nil, 403},
		{"default: a public address", "[2001:db8::1]:1", nil, 403},
		{"listed", "10.2.3.4:1", ten, 200},
		{"listed, IPv4-mapped as a dual-stack listener reports it", "[::ffff:10.2.3.4]:1", ten, 200},
		{"unlisted, IPv4-mapped", "[::ffff:11.2.3.4]:1", ten, 403},
		{"loopback is not implied", "127.0.0.1:1", ten, 403},
		{"link-local with its zone", "[fe80::1%eth0]:1", ten, 200},
		{"listed IPv6", "[2001:db8:1::1]:1", ten, 200},
		{"next network", "[2001:db9::1]:1", ten, 403},
		{"no port", "10.2.3.4", ten, 403},
		{"a Unix socket has no address", "@", ten, 403},
		{"nothing", "", ten, 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := newGateway(t, gateway.Config{Routes: []gateway.Route{{"/", svc.URL}}, Allow: tt.allow})
			r := raw(t, "GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 127.0.0.1, 10.0.0.1\r\nForwarded: for=10.0.0.1\r\nX-Real-IP: 10.0.0.1\r\n\r\n")
			r.RemoteAddr = tt.peer
			if got := answer(g, r).StatusCode; got != tt.want {
				t.Errorf("status %d, want %d", got, tt.want)
			}
			if reached := svc.received() != nil; reached != (tt.want == 200) {
				t.Errorf("service reached: %v", reached)
			}
		})
	}
}

func TestRoutes(t *testing.T) {
	api, admin, demo := newService(t), newService(t), newService(t)
	g := newGateway(t, gateway.Config{Routes: []gateway.Route{{"/api", api.URL}, {"/api/admin", admin.URL}, {"/api/demo", demo.URL + "/"}}})
	tests := []struct {
		target string
		want   *service // nil: the edge answers 404
	}{
		{"/api/demo/protectedRole/sample-username", demo},
		{"/api/demo", demo},
		{"/api/demo/", demo},
		{"/api/demo?x=/api/admin", demo},
		{"/api/demonstration", api},
		{"/api/demo;v=1/x", api},
		{"/api/%61dmin/x", admin}, // RFC 3986, Section 6.2.2.2: an escaped unreserved character is the character
		{"/api/other", api},
		{"/apis", nil},
		{"/API/demo", nil},
		{"/healthz", nil},
		{"/", nil},
	}
	for _, tt := range tests {
		t.Run(tt.target, func(t *testing.T) {
			res := answer(g, get(t, tt.target))
			for _, svc := range []*service{api, admin, demo} {
				r := svc.received()
				if (r != nil) != (svc == tt.want) {
					t.Errorf("a service was reached: %v, and should have been: %v", r != nil, svc == tt.want)
				} else if r != nil && r.RequestURI != tt.target {
					t.Errorf("the service was asked for %s", r.RequestURI)
				}
			}
			want := 200
			if tt.want == nil {
				want = 404
			}
			if res.StatusCode != want {
				t.Errorf("status %d, want %d", res.StatusCode, want)
			}
		})
	}
}

func TestAmbiguousTargetsReachNoService(t *testing.T) {
	svc := newService(t)
	g := newGateway(t, gateway.Config{Routes: []gateway.Route{{"/", svc.URL}}})
	tests := []struct {
		target string
		want   int
	}{
		{"/a/../b", 400}, {"/a/..", 400}, {"/..", 400}, {"/./a", 400}, {"/a/.", 400},
		{"/a/%2e%2e/b", 400}, {"/a/%2E./b", 400}, {"/%2e/a", 400},
		{"/a/..;x/b", 400}, {"/a/;x/b", 400}, {"/;x", 400}, {"/a/.;/b", 400}, {"/a/%2e%2e;x/b", 400},
		{"//a", 400}, {"/a//b", 400}, {"/a//", 400}, {"//", 400},
		{"/a%2fb", 400}, {"/a%2Fb", 400}, {"/a%2f%2e%2e%2fb", 400},
		{`/a\b`, 400}, {`/a\..\b`, 400}, {"/a%5cb", 400}, {"/a%5C..%5Cb", 400},
		{"/a%252fb", 400}, {"/a/%252e%252e/b", 400}, {"/a%255cb", 400},
		{"/a%00b", 400}, {"/a%0d%0aX:1", 400}, {"/a%7fb", 400}, {"/a%09b", 400},
		{"/a|b", 400}, {`/a"b`, 400}, {"/a<b>", 400}, {"/ä", 400}, {"/a#b", 400}, {"/a{b}", 400},
		{"/a?x=%zz", 400}, {"/a?x=1;y=2", 400}, {"/a?x=%", 400},
		{"*", 400}, {"http://localhost", 400},

		{"/", 200}, {"/a/", 200}, {"/a.b/c..d/...", 200}, {"/.well-known/x", 200}, {"/a;v=1/b", 200},
		{"/a%20b", 200}, {"/%C3%A4", 200}, {"/100%25", 200}, {"/a%25zz", 200}, {"/a+b", 200}, {"/~a!$&'()*,=:@-_", 200},
		{"/a?", 200}, {"/a?x", 200}, {"/a?x=1&x=2&%2F=..", 200}, {"/a?q=a%3Bb", 200}, {"/a?next=/../b", 200},
	}
	for _, tt := range tests {
		t.Run(tt.target, func(t *testing.T) {
			res := answer(g, get(t, tt.target))
			if res.StatusCode != tt.want {
				t.Errorf("status %d, want %d", res.StatusCode, tt.want)
			}
			r := svc.received()
			if (r != nil) != (tt.want == 200) {
				t.Errorf("service reached: %v", r != nil)
			}
			if r != nil && r.RequestURI != strings.TrimSuffix(tt.target, "?") && r.RequestURI != tt.target {
				t.Errorf("the service was asked for %s", r.RequestURI)
			}
		})
	}
}

func TestHostsOtherThanItsOwnGetNoService(t *testing.T) {
	svc := newService(t)
	local := newGateway(t, gateway.Config{Routes: []gateway.Route{{"/", svc.URL}}})
	named := newGateway(t, gateway.Config{Routes: []gateway.Route{{"/", svc.URL}}, Hosts: []string{"API.example.com", "::1"}})
	tests := []struct {
		g    *gateway.Gateway
		host string
		want int
	}{
		{local, "localhost", 200}, {local, "localhost:8443", 200}, {local, "LOCALHOST:1", 200}, {local, "127.0.0.1:8443", 200},
		{local, "[::1]:8443", 200}, {local, "[::1]", 200},
		{local, "evil.example", 404}, {local, "localhost.evil.example", 404}, {local, "127.0.0.2", 404}, {local, "", 404},
		{named, "api.example.com", 200}, {named, "api.example.com:443", 200}, {named, "localhost", 404}, {named, "[::1]", 200},
	}
	for _, tt := range tests {
		r := get(t, "/")
		r.Host = tt.host
		if got := answer(tt.g, r).StatusCode; got != tt.want {
			t.Errorf("host %q: status %d, want %d", tt.host, got, tt.want)
		}
	}
	// RFC 9112, Section 3.2.2: with an absolute-form target its host counts, not the Host field.
	r := raw(t, "GET http://evil.example/a HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if got := answer(local, r).StatusCode; got != 404 {
		t.Errorf("absolute form: status %d, want 404", got)
	}
	svc.received()
	r = raw(t, "GET http://localhost/a?b HTTP/1.1\r\nHost: evil.example\r\n\r\n")
	if got := answer(local, r).StatusCode; got != 200 {
		t.Errorf("absolute form: status %d, want 200", got)
	}
	if got := svc.received().RequestURI; got != "/a?b" {
		t.Errorf("absolute form: the service was asked for %s", got)
	}
}

func TestBodyIsBounded(t *testing.T) {
	for _, n := range []int{0, 1000, 1001, 100_000} {
		body := strings.Repeat("x", n)
		length := fmt.Sprintf("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", n, body)
		chunked := fmt.Sprintf("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n%s", n, body, strings.Repeat("0\r\n\r\n", min(n, 1)))
		for name, text := range map[string]string{"length": length, "chunked": chunked} {
			svc := newService(t)
			g := newGateway(t, gateway.Config{Routes: []gateway.Route{{"/", svc.URL}}, MaxBody: 1000})
			want := 200
			if n > 1000 {
				want = 413
			}
			if got := answer(g, raw(t, text)).StatusCode; got != want {
				t.Errorf("%s %d: status %d, want %d", name, n, got, want)
			}
			svc.Close() // waits for the service's handler
			reached := svc.received() != nil
			if want == 200 && (!reached || len(svc.body) != n) {
				t.Errorf("%s %d: the service received %d bytes", name, n, len(svc.body))
			}
			if name == "length" && want == 413 && reached {
				t.Errorf("%s %d: the service was asked, though the length says enough", name, n)
			}
		}
	}
	svc := newService(t)
	g := newGateway(t, gateway.Config{Routes: []gateway.Route{{"/", svc.URL}}, MaxBody: 1000})
	cut := raw(t, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc")
	if got := answer(g, cut).StatusCode; got != 400 {
		t.Errorf("a body that ends early: status %d, want 400", got)
	}
}

// TestSenderInTheMiddleOfABodyGetsTheAnswer: a connection that is closed with unread bytes on it resets its peer, which may then see
// the reset and not the answer. One try would often miss it.
func TestSenderInTheMiddleOfABodyGetsTheAnswer(t *testing.T) {
	svc := newService(t)
	edge := httptest.NewServer(newGateway(t, gateway.Config{Routes: []gateway.Route{{"/", svc.URL}}, Hosts: []string{"127.0.0.1"}, MaxBody: 1000}))
	defer edge.Close()
	body := strings.Repeat("x", 4<<20)
	for i := range 60 {
		res, err := edge.Client().Post(edge.URL, "text/plain", io.MultiReader(strings.NewReader(body))) // of no known length
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusRequestEntityTooLarge {
			t.Fatalf("request %d: status %d, want 413", i, res.StatusCode)
		}
	}
}
