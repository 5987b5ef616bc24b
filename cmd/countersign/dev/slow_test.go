package dev_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/dev"
)

// TestSlowConnections: callers that say nothing, or a little at a time, keep nobody else waiting, and are cut off after the
// five seconds that a header may take. A machine that is busy may need two of them for an answer once, and hardly three times.
func TestSlowConnections(t *testing.T) {
	s := start(t, config(t.TempDir()))
	const many = 400
	var took [3]time.Duration
	for n := range took {
		if took[n] = askAmongSlow(t, s, many); took[n] < 2*time.Second {
			return
		}
	}
	t.Errorf("among %d slow connections: answers after %v", many, took)
}

// askAmongSlow opens slow connections, asks, and returns how long that took, when all of them were cut off.
func askAmongSlow(t *testing.T, s *dev.System, many int) (took time.Duration) {
	t.Helper()
	address := strings.TrimPrefix(s.Running.AWSURL, "http://")
	conns := make([]net.Conn, 0, many)
	for i := range many {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		if i%2 == 0 {
			fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
		}
		conns = append(conns, conn)
	}
	begin := time.Now()
	res, err := http.Get(s.Running.Issuer + "/.well-known/jwks.json")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	took = time.Since(begin)
	if res.StatusCode != 200 {
		t.Errorf("among %d slow connections: %d", many, res.StatusCode)
	}
	for i, conn := range conns {
		if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("connection %d is still open", i)
		}
	}
	return took
}
