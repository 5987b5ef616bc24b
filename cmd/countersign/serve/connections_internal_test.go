package serve

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// crowded is a server with a bound on its connections, over handler.
func crowded(t *testing.T, most int, handler http.Handler) (*crowd, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := newCrowd(l, most, slog.New(slog.DiscardHandler))
	server := newServer(new(bodies).wrap(handler), c.logger)
	server.ConnState, server.ConnContext = c.state, withPeer
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(c) }()
	t.Cleanup(func() { server.Close(); <-done })
	return c, l.Addr().String()
}

func dial(t *testing.T, address, text string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return conn
}

// until waits for what is bound to come.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for !holds() {
		select {
		case <-t.Context().Done():
			t.Fatal(what)
		case <-time.After(time.Millisecond):
		}
	}
}

// closed says whether the server has closed the connection.
func closed(conn net.Conn) bool {
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	_, err := io.Copy(io.Discard, conn)
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

// TestTheLongestSilenceMakesRoom: of slow headers, slow bodies and idle connections the one goes that has waited longest, and
// whoever comes is answered.
func TestTheLongestSilenceMakesRoom(t *testing.T) {
	c, address := crowded(t, 3, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusNoContent)
	}))
	silent := func(n int, heading bool) func() bool { // so many are slow, and the last of them in a header
		counted := c.silent(n, 0)
		return func() bool {
			c.mu.Lock()
			last := c.slow.ring.previous
			c.mu.Unlock()
			return counted() && last.heading.Load() == heading
		}
	}
	header := dial(t, address, "GET / HTTP/1.1\r\nHost: a\r\n")
	until(t, "a slow header is no silence", silent(1, true))
	body := dial(t, address, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf")
	until(t, "a slow body is no silence", silent(2, false))
	idle := dial(t, address, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	if _, err := http.ReadResponse(bufio.NewReader(idle), nil); err != nil {
		t.Fatal(err)
	}
	until(t, "an idle connection is no silence", c.silent(2, 1))
	for _, oldest := range []net.Conn{header, body, idle} {
		client := &http.Client{Transport: &http.Transport{}}
		answer, err := client.Get("http://" + address)
		if err != nil || answer.StatusCode != http.StatusNoContent {
			t.Fatalf("%v, %v", answer, err)
		}
		answer.Body.Close()
		if !closed(oldest) {
			t.Error("the connection that was silent the longest is open")
		}
	}
	if open, removed := c.counts(); open > 3 || removed != 3 {
		t.Errorf("%d open, %d removed", open, removed)
	}
}

// pipes is a network without sockets, in which the time of a bubble goes on.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { p.once.Do(func() { close(p.closed) }); return nil }

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// TestNobodyThatIsAnsweredIsCutOff: the next connection waits instead.
func TestNobodyThatIsAnsweredIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		c := newCrowd(l, 2, slog.New(slog.DiscardHandler))
		release := make(chan struct{})
		server := newServer(new(bodies).wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-release
			w.WriteHeader(http.StatusNoContent)
		})), c.logger)
		server.ConnState, server.ConnContext = c.state, withPeer
		done := make(chan struct{})
		go func() { defer close(done); _ = server.Serve(c) }()
		var callers sync.WaitGroup
		for range 5 {
			callers.Go(func() {
				client := &http.Client{Transport: &http.Transport{DialContext: l.dial, DisableKeepAlives: true}}
				answer, err := client.Post("http://localhost", "text/plain", strings.NewReader("all of it"))
				if err != nil {
					t.Error(err)
					return
				}
				answer.Body.Close()
			})
		}
		time.Sleep(10 * patience)
		if open, removed := c.counts(); open != 2 || removed != 0 {
			t.Errorf("%d open, %d removed while two are answered", open, removed)
		}
		close(release)
		callers.Wait()
		if _, removed := c.counts(); removed != 0 {
			t.Errorf("%d removed", removed)
		}
		server.Close()
		<-done
	})
}

// poor is a listener without descriptors for a while.
type poor struct {
	net.Listener
	mu    sync.Mutex
	fails int
}

func (p *poor) Accept() (net.Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fails > 0 {
		p.fails--
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return p.Listener.Accept()
}

// TestNoDescriptorLeft: the server goes on, makes room, and says so once.
func TestNoDescriptorLeft(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	c := newCrowd(&poor{Listener: l, fails: 4}, 10, slog.New(slog.NewTextHandler(&log, nil)))
	server := newServer(http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(c) }()
	answer, err := http.Get("http://" + l.Addr().String())
	if err != nil || answer.StatusCode != http.StatusNotFound {
		t.Fatalf("%v, %v", answer, err)
	}
	answer.Body.Close()
	server.Close()
	<-done
	if n := strings.Count(log.String(), "no connection can be taken: raise the limit of open files"); n != 1 {
		t.Errorf("%d lines in the log: %s", n, log.String())
	}
}

// TestLargeHeadersShareTheirRoom: while there is none, a small header is answered and a large one ends its connection; what a header
// took is given back when it is complete, and when its connection ends before.
func TestLargeHeadersShareTheirRoom(t *testing.T) {
	c, address := crowded(t, 100, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	send := func(size int) error {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address, nil)
		if err != nil {
			return err
		}
		r.Header.Set("X-Large", strings.Repeat("a", size))
		answer, err := http.DefaultClient.Do(r)
		if err == nil {
			answer.Body.Close()
		}
		return err
	}
	for range 3 {
		if err := errors.Join(send(100), send(12<<10)); err != nil {
			t.Errorf("with room: %v", err)
		}
	}
	until(t, "complete headers give nothing back", func() bool { return c.ahead.Load() == 0 })
	half := dial(t, address, "GET / HTTP/1.1\r\nX: "+strings.Repeat("a", 12<<10))
	until(t, "half a header takes nothing", func() bool { return c.ahead.Load() > 7<<10 })
	half.Close()
	until(t, "a connection that ends gives nothing back", func() bool { return c.ahead.Load() == 0 })
	c.ahead.Store(largeHeaders) // others have it all
	if err := send(12 << 10); err == nil {
		t.Error("a large header while there is no room: no error")
	}
	if err := send(100); err != nil {
		t.Errorf("a small header while there is no room: %v", err)
	}
	until(t, "what it took is not given back", func() bool { return c.ahead.Load() == largeHeaders })
	if _, removed := c.counts(); removed == 0 {
		t.Error("it is not counted")
	}
}

// TestLargeBodiesShareTheirRoom: what is beyond it is told to come again, and small ones never are.
func TestLargeBodiesShareTheirRoom(t *testing.T) {
	b := new(bodies)
	address := sharing(t, b)
	send := func(size int) int {
		answer, err := http.Post("http://"+address, "text/plain", io.MultiReader(strings.NewReader(strings.Repeat("a", size))))
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode == http.StatusServiceUnavailable && (answer.Header.Get("Retry-After") == "" || !answer.Close) {
			t.Errorf("%v", answer)
		}
		return answer.StatusCode
	}
	b.taken.Store(largeBodies) // others have it all
	for size, want := range map[int]int{100: 200, smallBody: 200, smallBody + 1: 503, 1 << 20: 503} {
		if got := send(size); got != want {
			t.Errorf("%d bytes while there is no room: status %d, want %d", size, got, want)
		}
	}
	if got := b.taken.Load(); got != largeBodies || b.refused.Load() != 2 {
		t.Errorf("%d bytes are taken afterwards, %d refused", got, b.refused.Load())
	}
	for range 60 { // a connection that is closed in the middle of a body now and then resets the sender before it has read the answer
		if got := send(4 << 20); got != 503 {
			t.Fatalf("a body of 4 MiB: status %d, want 503", got)
		}
	}
	b.taken.Store(0)
	if got := send(1 << 20); got != 200 || b.taken.Load() != 0 {
		t.Errorf("with room: status %d, %d bytes are taken afterwards", got, b.taken.Load())
	}
}

func sharing(t *testing.T, b *bodies) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := newServer(b.wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
	})), slog.New(slog.DiscardHandler))
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close(); <-done })
	return l.Addr().String()
}
