package gateway_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/gateway"
)

// A request whose end two readers see in two places is how a second one is smuggled past an edge (RFC 9112, Section 11.2). Whatever comes
// in, the service behind receives requests with one length, and never one that the edge did not see.
func TestFramingIsNeverTwoThingsAtOnce(t *testing.T) {
	const inner = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
	for name, tt := range map[string]struct {
		text   string
		status int // of the first answer; 0 is a connection that ends without one
	}{
		"rfc9112 s6.3: two lengths":                  {"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400},
		"rfc9112 s6.3: a list of lengths":            {"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3, 4\r\n\r\nabcd", 400},
		"rfc9110 s8.6: a signed length":              {"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: +3\r\n\r\nabc", 400},
		"rfc9112 s6.1: unknown coding":               {"POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501},
		"rfc9112 s6.1: chunked is not last":          {"POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 501},
		"rfc9112 s6.1: two codings":                  {"POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n", 501},
		"rfc9112 s5.1: space before the colon":       {"POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding : chunked\r\nContent-Length: 1\r\n\r\na", 400},
		"rfc9112 s7.1: a chunk size that is no hex":  {"POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n", 400},
		"rfc9112 s7.1: a chunk longer than its size": {"POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", 400},
		"rfc9110 s5.5: a NUL in a value":             {"GET /a HTTP/1.1\r\nHost: localhost\r\nX-A: a\x00b\r\n\r\n", 400},
		"rfc9112 s3.2: two hosts":                    {"GET /a HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", 400},
		"rfc9112 s3.2: no host":                      {"GET /a HTTP/1.1\r\n\r\n", 400},
		"rfc9112 s3.2.2: another host in the target": {"GET http://evil.example/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 404},
		"rfc9112 s6.1: a length and chunks":          {"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner, 200},
		"rfc9112 s6.1: chunks and a length":          {"POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + inner, 200},
		"a body on GET":                              {"GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: " + fmt.Sprint(len(inner)) + "\r\n\r\n" + inner, 200},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			var seen []string
			svc := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				mu.Lock()
				defer mu.Unlock()
				seen = append(seen, r.URL.Path)
				if len(r.Header["Content-Length"]) > 0 && len(r.TransferEncoding) > 0 {
					t.Error("two lengths were sent on")
				}
			}))
			defer svc.Close()
			addr, roots, _ := serve(t, gateway.Config{Routes: []gateway.Route{{"/", svc.URL}}})
			c, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: roots})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			c.SetDeadline(time.Now().Add(30 * time.Second))
			io.WriteString(c, tt.text)
			status := 0
			answers := bufio.NewReader(c)
			if res, err := http.ReadResponse(answers, nil); err == nil {
				status = res.StatusCode
				io.Copy(io.Discard, res.Body)
			}
			if status != tt.status {
				t.Errorf("status %d, want %d", status, tt.status)
			}
			if more, err := io.ReadAll(answers); errors.Is(err, os.ErrDeadlineExceeded) || len(more) > 0 {
				t.Errorf("the connection goes on: %q, %v", more, err)
			}
			mu.Lock()
			defer mu.Unlock()
			if strings.Contains(strings.Join(seen, " "), "smuggled") || tt.status != 200 && len(seen) > 1 {
				t.Errorf("the service received %q", seen)
			}
		})
	}
}
