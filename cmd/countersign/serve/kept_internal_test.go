package serve

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"runtime"
	"testing"
	"time"
)

// silent says whether so many connections are slow, and so many idle.
func (c *crowd) silent(slow, kept int) func() bool {
	count := func(s *silence) (n int) {
		for p := s.ring.next; p != &s.ring; p = p.next {
			n++
		}
		return n
	}
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return count(&c.slow) == slow && count(&c.kept) == kept
	}
}

// aged makes every silence an hour longer.
func (c *crowd) aged() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range []*silence{&c.slow, &c.kept} {
		for p := s.ring.next; p != &s.ring; p = p.next {
			p.since = p.since.Add(-time.Hour)
		}
	}
}

const asking = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

// readAnswer reads one answer, which has no body.
func readAnswer(t *testing.T, from *bufio.Reader) *http.Response {
	t.Helper()
	answer, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer
}

// TestIdleConnectionsGoLast: however long they have been idle, those that owe the rest of a request make room first.
func TestIdleConnectionsGoLast(t *testing.T) {
	c, address := crowded(t, 2, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	kept := dial(t, address, asking)
	answers := bufio.NewReader(kept)
	readAnswer(t, answers)
	until(t, "the connection is not idle", c.silent(0, 1))
	header := dial(t, address, "GET / HTTP/1.1\r\nHost: a\r\n")
	until(t, "the header is not slow", c.silent(1, 1))
	c.aged()
	newcomer := dial(t, address, asking)
	readAnswer(t, bufio.NewReader(newcomer))
	if !closed(header) {
		t.Error("the slow header has stayed")
	}
	if _, err := io.WriteString(kept, asking); err != nil {
		t.Fatal(err)
	}
	readAnswer(t, answers)
}

// TestARequestThatHasBegunIsNoIdleness: a connection on which the next request has begun has as much time for the rest as any other.
func TestARequestThatHasBegunIsNoIdleness(t *testing.T) {
	c, address := crowded(t, 2, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	kept := dial(t, address, asking)
	answers := bufio.NewReader(kept)
	readAnswer(t, answers)
	until(t, "the connection is not idle", c.silent(0, 1))
	c.aged()
	before := time.Now()
	if _, err := io.WriteString(kept, asking[:20]); err != nil {
		t.Fatal(err)
	}
	until(t, "the request that has begun is not waited for", c.silent(1, 0))
	c.mu.Lock()
	since := c.slow.ring.next.since
	c.mu.Unlock()
	if since.Before(before) {
		t.Error("the silence from before its request counts")
	}
	if _, err := io.WriteString(kept, asking[20:]); err != nil {
		t.Fatal(err)
	}
	readAnswer(t, answers)
}

// TestARequestThatNobodyHasReadYet: it is in the system's buffer, as when every processor is busy.
func TestARequestThatNobodyHasReadYet(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // where nobody can look
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := newCrowd(l, 2, nil)
	var peers []*peer
	var callers []net.Conn
	for range 2 {
		caller := dial(t, l.Addr().String(), "")
		conn, err := c.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		p := peerOf(conn)
		c.state(p, http.StateIdle) // and nobody reads it
		peers, callers = append(peers, p), append(callers, caller)
	}
	c.aged()
	if _, err := io.WriteString(callers[0], asking); err != nil {
		t.Fatal(err)
	}
	until(t, "what was sent has not come", func() bool { return unread(peers[0].Conn) })
	c.mu.Lock()
	p, left := c.longest(time.Now())
	c.mu.Unlock()
	if p != peers[1] || left > 0 {
		t.Errorf("the first goes: %v, in %v", p == peers[0], left)
	}
	if !c.silent(1, 1)() {
		t.Error("the one with the request is idle all the same")
	}
}

// TestLittleRoomAsksCallersToLeave: with the answer, when nothing is on its way.
func TestLittleRoomAsksCallersToLeave(t *testing.T) {
	s, complete := &Server{}, make(chan struct{})
	answers := s.leave(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	c, address := crowded(t, 16, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-complete
		answers.ServeHTTP(w, r)
	}))
	s.public = c
	close(complete)
	for n := range 16 {
		answer := readAnswer(t, bufio.NewReader(dial(t, address, asking)))
		if answer.Close != (n >= 14) { // the fifteenth, and the one after it, whose like has left
			t.Errorf("connection %d is asked to leave: %v", n+1, answer.Close)
		}
	}
}
