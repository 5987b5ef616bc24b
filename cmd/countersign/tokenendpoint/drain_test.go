package tokenendpoint_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/tokenendpoint"
)

// TestDrain: a request under way is answered after the end was asked for, and readiness says no meanwhile.
func TestDrain(t *testing.T) {
	entered, let := make(chan struct{}), make(chan struct{})
	server := &tokenendpoint.Server{Logger: slog.New(slog.DiscardHandler)}
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-let
		server.Ready(w, nil)
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended, status := make(chan error, 1), make(chan int, 1)
	go func() { ended <- server.Serve(ctx, l) }()
	go func() {
		res, err := http.Get("http://" + l.Addr().String())
		if err != nil {
			t.Error(err)
			status <- 0
			return
		}
		res.Body.Close()
		status <- res.StatusCode
	}()
	<-entered
	stop()
	for { // until it takes no more connections, it has not begun to drain
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			break
		}
		conn.Close()
	}
	close(let)
	if code := <-status; code != http.StatusServiceUnavailable {
		t.Errorf("while it drains, readiness is %d", code)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// pipes is a network without sockets.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { close(p.closed); return nil }

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// TestWait: after the end was asked for, load balancers are told, and whoever has not heard of it is answered for a while.
func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		server := &tokenendpoint.Server{Logger: slog.New(slog.DiscardHandler), Wait: 5 * time.Second}
		mux := http.NewServeMux()
		mux.HandleFunc("GET /token", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
		mux.HandleFunc("GET /readyz", server.Ready)
		server.Handler = mux
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- server.Serve(ctx, l) }()
		transport := &http.Transport{DialContext: l.dial}
		defer transport.CloseIdleConnections()
		get := func(path string) (status int, close bool) {
			res, err := (&http.Client{Transport: transport}).Get("http://localhost" + path)
			if err != nil {
				return 0, false
			}
			defer res.Body.Close()
			_, _ = io.Copy(io.Discard, res.Body)
			return res.StatusCode, res.Close
		}
		if status, close := get("/token"); status != 200 || close {
			t.Errorf("before: %d, connection closed: %t", status, close)
		}
		if status, _ := get("/readyz"); status != 200 {
			t.Errorf("before: readiness is %d", status)
		}
		stop()
		for range 4 {
			time.Sleep(time.Second)
			if status, close := get("/token"); status != 200 || !close {
				t.Errorf("meanwhile: %d, connection closed: %t", status, close)
			}
			if status, _ := get("/readyz"); status != 503 {
				t.Errorf("meanwhile: readiness is %d", status)
			}
		}
		time.Sleep(2 * time.Second)
		if status, _ := get("/token"); status != 0 {
			t.Errorf("afterwards: %d", status)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
