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
)

// TestSlowConnections: callers that say nothing, or a little at a time, keep nobody else waiting, and are cut off after the
// five seconds that a header may take.
func TestSlowConnections(t *testing.T) {
	s := start(t, config(t.TempDir()))
	address := strings.TrimPrefix(s.Running.AWSURL, "http://")
	const many = 400
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
	if took := time.Since(begin); res.StatusCode != 200 || took > 2*time.Second {
		t.Errorf("among %d slow connections: %d after %v", many, res.StatusCode, took)
	}
	for i, conn := range conns {
		if err := conn.SetReadDeadline(time.Now().Add(15 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("connection %d is still open", i)
		}
	}
}
