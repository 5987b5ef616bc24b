package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A crowd is a listener with a bound on the connections that are open at once. One more than that is taken all the same: the
// connection is closed for it that has kept the server waiting for its peer the longest, be it for a request, for the rest of
// one, or between two. So whoever opens thousands and says nothing loses them first, and a caller that comes now is answered.
// The next one waits in the system's queue while every connection is being answered, or has been silent for a moment only.
type crowd struct {
	net.Listener
	most   int
	logger *slog.Logger

	mu      sync.Mutex
	changed sync.Cond // a connection was closed, or has fallen silent
	open    int
	removed uint64 // closed to make room
	ended   bool
	silent  silence
	warned  time.Time

	ahead atomic.Int64 // bytes of large headers that are not complete
}

const (
	// smallHeader is what every header may have before it is complete: a signed call of an AWS SDK has two thousand bytes.
	smallHeader = 4 << 10

	// largeHeaders is what those that are not complete may have beyond that, all together: of lines with one letter net/http makes
	// sixteen times as much in memory.
	largeHeaders = 8 << 20
)

// patience is how long a connection may be silent without being closed for another: in it a request arrives from anywhere.
const patience = 500 * time.Millisecond

func newCrowd(l net.Listener, most int, logger *slog.Logger) *crowd {
	c := &crowd{Listener: l, most: most, logger: logger}
	c.changed.L = &c.mu
	c.silent.begin()
	return c
}

// Accept implements [net.Listener].
func (c *crowd) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err != nil {
		if outOfFiles(err) {
			c.starved(err)
		}
		return nil, err // net/http tries again, after 5 ms and up to a second
	}
	p := &peer{Conn: conn, crowd: c}
	if !c.enter() {
		conn.Close()
		return nil, net.ErrClosed
	}
	return p, nil
}

// Close implements [net.Listener].
func (c *crowd) Close() error {
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
	c.changed.Broadcast()
	return c.Listener.Close()
}

// enter counts one connection more, once there is room for it; it fails when the listener is closed meanwhile.
func (c *crowd) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.open >= c.most && !c.ended {
		p, left := c.silent.longest(time.Now())
		switch {
		case p == nil:
			c.changed.Wait()
		case left > 0:
			timer := time.AfterFunc(left, c.wake)
			c.changed.Wait()
			timer.Stop()
		default:
			c.remove(p)
		}
	}
	c.open++
	return !c.ended
}

// wake holds the lock, so that it is not heard by nobody between a look and a wait.
func (c *crowd) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changed.Broadcast()
}

// remove closes a connection to make room. The lock is held.
func (c *crowd) remove(p *peer) {
	c.removed++
	c.left(p)
	p.Conn.Close() // the bare connection: nothing is sent, and nothing is waited for
}

// left forgets a connection, once. The lock is held.
func (c *crowd) left(p *peer) {
	if p.gone {
		return
	}
	p.gone = true
	c.open--
	c.silent.remove(p)
	c.changed.Signal()
}

// starved makes room when the process, or the machine, has no descriptor left, and says so once a minute.
func (c *crowd) starved(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if p, left := c.silent.longest(now); p != nil && left <= 0 {
		c.remove(p)
	}
	if now.Sub(c.warned) >= time.Minute {
		c.warned = now
		c.logger.Error("no connection can be taken: raise the limit of open files, or lower connections", "open", c.open, "cause", err.Error())
	}
}

func outOfFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// state is told of each connection by net/http. Before the first byte of a request, and between two requests, it waits for its peer.
func (c *crowd) state(conn net.Conn, s http.ConnState) {
	p := peerOf(conn)
	if p == nil {
		return
	}
	switch s {
	case http.StateNew, http.StateIdle:
		p.heading.Store(true)
		p.waits(true)
	case http.StateActive:
		p.heading.Store(false)
		p.release()
		p.waits(false)
	}
}

// counts are for the metrics.
func (c *crowd) counts() (open int, removed uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.open, c.removed
}

// A peer is a connection of a crowd.
type peer struct {
	net.Conn
	crowd *crowd

	next, previous *peer // in the order of the silence, where it is silent
	since          time.Time
	gone           bool

	heading     atomic.Bool // what is read belongs to a header
	read, ahead atomic.Int64
}

// Read implements [net.Conn]. A large header that finds no room ends its connection: whoever sent it in good faith comes again.
func (p *peer) Read(into []byte) (int, error) {
	n, err := p.Conn.Read(into)
	if !p.heading.Load() {
		return n, err
	}
	if more := p.read.Add(int64(n)) - smallHeader - p.ahead.Load(); more > 0 {
		p.ahead.Add(more)
		if p.crowd.ahead.Add(more) > largeHeaders {
			p.crowd.mu.Lock()
			p.crowd.removed++
			p.crowd.mu.Unlock()
			return 0, &net.OpError{Op: "read", Net: "tcp", Err: errNoRoom} // which net/http takes for a peer that is gone
		}
	}
	return n, err
}

// release gives back what the header took.
func (p *peer) release() {
	p.read.Store(0)
	p.crowd.ahead.Add(-p.ahead.Swap(0))
}

// Close implements [net.Conn].
func (p *peer) Close() error {
	p.crowd.mu.Lock()
	p.crowd.left(p)
	p.crowd.mu.Unlock()
	p.release() // here, and not where it is made to leave: now nothing is read any more
	return p.Conn.Close()
}

// waits says whether the server waits for the peer now. Nil is no connection of a crowd.
func (p *peer) waits(yes bool) {
	if p == nil {
		return
	}
	c := p.crowd
	c.mu.Lock()
	defer c.mu.Unlock()
	c.silent.remove(p)
	if yes && !p.gone {
		c.silent.add(p)
		c.changed.Signal()
	}
}

// peerOf finds the connection beneath TLS.
func peerOf(conn net.Conn) *peer {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	p, _ := conn.(*peer)
	return p
}

type peerKey struct{}

// withPeer lets a request know its connection.
func withPeer(ctx context.Context, conn net.Conn) context.Context {
	if p := peerOf(conn); p != nil {
		return context.WithValue(ctx, peerKey{}, p)
	}
	return ctx
}

// A silence is the connections that wait for their peers, those that have waited longest first: a ring through them, since it
// changes twice with each request.
type silence struct{ ring peer }

func (s *silence) begin() { s.ring.next, s.ring.previous = &s.ring, &s.ring }

// longest returns the one that has waited longest, and how much longer it may.
func (s *silence) longest(now time.Time) (p *peer, left time.Duration) {
	if p = s.ring.next; p == &s.ring {
		return nil, 0
	}
	return p, p.since.Add(patience).Sub(now)
}

func (s *silence) add(p *peer) {
	p.since = time.Now()
	p.next, p.previous = &s.ring, s.ring.previous
	p.previous.next, p.next.previous = p, p
}

func (s *silence) remove(p *peer) {
	if p.next == nil {
		return
	}
	p.previous.next, p.next.previous = p.next, p.previous
	p.next, p.previous = nil, nil
}
