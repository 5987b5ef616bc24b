package countersign_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// exchange sends octets that no client of net/http would, and returns the first answer to them, be it an interim one.
func exchange(t *testing.T, address, request string) *http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// What HTTP/1.1 lets a sender write in more ways than one is decided in one way.
func TestOnTheWire(t *testing.T) {
	server := httptest.NewServer(demoAPI(newIssuer(pool).guard(t, nil)))
	defer server.Close()
	good := "Authorization: Bearer " + scoped("demo.read") + "\r\n"
	const host, end = "Host: api\r\n", "\r\n"
	for _, tt := range []struct {
		name, request string
		status        int
		challenge     string
	}{
		{"as usual", "GET /demo HTTP/1.1\r\n" + host + good + end, served, ""},
		{"rfc9112 s3.2.2: absolute form", "GET http://other.example/demo HTTP/1.1\r\n" + host + good + end, served, ""},
		{"rfc9112 s3.2.2: absolute form, no token", "GET http://other.example/demo HTTP/1.1\r\n" + host + end, 401, `Bearer realm="https://api.example.com"`},
		{"rfc9112 s3.2.4: asterisk form", "GET * HTTP/1.1\r\n" + host + good + end, 400, ""},
		{"rfc9110 s9.1: a method in lower case", "get /demo HTTP/1.1\r\n" + host + good + end, 405, ""},
		{"rfc9110 s9.1: a method in a header is none", "GET /demo HTTP/1.1\r\nX-HTTP-Method-Override: POST\r\n" + host + good + end, served, ""},
		{"rfc9110 s9.3.2: HEAD", "HEAD /demo HTTP/1.1\r\n" + host + end, 401, `Bearer realm="https://api.example.com"`},
		{"rfc9110 s5.1: a field twice, in two cases", "GET /demo HTTP/1.1\r\n" + host + good + "AUTHORIZATION: Basic YTpi\r\n" + end, 400, `Bearer error="invalid_request"`},
		{"rfc9112 s5.2: a folded field", "GET /demo HTTP/1.1\r\n" + host + strings.TrimSuffix(good, "\r\n") + "\r\n x\r\n" + end, 400, `Bearer error="invalid_request"`},
		{"rfc9110 s5.6.2: a name that is nearly the field's", "GET /demo HTTP/1.1\r\n" + host + strings.Replace(good, "Authorization", "Authorization_", 1) + end, 401, `Bearer realm="https://api.example.com"`},
		{"rfc9110 s11.7.2: a token for a proxy", "GET /demo HTTP/1.1\r\n" + host + "Proxy-" + good + end, 401, `Bearer realm="https://api.example.com"`},
		{"rfc9110 s6.5.1: a token in the trailer", "POST /demo HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nTrailer: Authorization\r\n\r\n1\r\na\r\n0\r\n" + good + end, 401, `Bearer realm="https://api.example.com"`},
		{"rfc9110 s10.1.1: a body that is not asked for", "POST /demo HTTP/1.1\r\n" + host + "Expect: 100-continue\r\nContent-Length: 9\r\n" + good + end,
			403, `Bearer error="insufficient_scope", scope="https://api.example.com/demo.write"`},
		{"rfc9110 s7.8: an upgrade", "GET /demo HTTP/1.1\r\n" + host + "Connection: Upgrade\r\nUpgrade: websocket\r\n" + end, 401, `Bearer realm="https://api.example.com"`},
		{"rfc9110 s14.2: a range", "GET /demo HTTP/1.1\r\n" + host + "Range: bytes=0-0\r\n" + end, 401, `Bearer realm="https://api.example.com"`},
		{"rfc9110 s13.1.2: a condition", "GET /demo HTTP/1.1\r\n" + host + "If-None-Match: *\r\n" + end, 401, `Bearer realm="https://api.example.com"`},
		{"HTTP/1.0", "GET /demo HTTP/1.0\r\n" + end, 401, `Bearer realm="https://api.example.com"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := exchange(t, server.Listener.Addr().String(), tt.request)
			if got := res.Header.Get("WWW-Authenticate"); res.StatusCode != tt.status || got != tt.challenge {
				t.Errorf("status %d, challenge %s, want %d, %s", res.StatusCode, got, tt.status, tt.challenge)
			}
		})
	}
}

// Over HTTP/2 two fields of one name are two as well.
func TestOverHTTP2(t *testing.T) {
	server := httptest.NewUnstartedServer(demoAPI(newIssuer(pool).guard(t, nil)))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	good := "Bearer " + scoped("demo.read")
	for name, tt := range map[string]struct {
		authorization []string
		status        int
	}{
		"none": {nil, 401}, "one": {[]string{good}, served}, "two": {[]string{good, good}, 400}, "two schemes": {[]string{"Basic YTpi", good}, 400},
	} {
		r, err := http.NewRequest("GET", server.URL+"/demo", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header["Authorization"] = tt.authorization
		res, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != tt.status || res.ProtoMajor != 2 {
			t.Errorf("%s: status %d over %s, want %d", name, res.StatusCode, res.Proto, tt.status)
		}
	}
}
