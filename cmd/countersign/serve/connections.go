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
// connection is closed for it that has kept the server waiting the longest for a request or for the rest of one, and only where
// there is none, the one that has been idle the longest between two. So whoever opens thousands and says nothing loses them first,
// and a caller that comes now is answered. The next one waits in the system's queue while every connection is being answered, or
// has been silent for a moment only.
//
// Whoever closes an idle connection may cut off a request that is on its way (RFC 9112, Section 9.5). So it is the last resort:
// near the bound each answer asks its caller to leave ([crowd.full]), and an idle connection stays that has sent something.
type crowd struct {
	net.Listener
	most   int
	logger *slog.Logger

	mu      sync.Mutex
	changed sync.Cond // a connection was closed, or has fallen silent
	open    int
	removed uint64 // closed to make room
	ended   bool
	slow    silence // for a request, or for the rest of one
	kept    silence // between two requests
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
	c.slow.begin()
	c.kept.begin()
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
		p, left := c.longest(time.Now())
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

// longest returns the connection that has to go for another, and how much longer it may stay; nil when there is none. The lock is held.
func (c *crowd) longest(now time.Time) (p *peer, left time.Duration) {
	p, left = c.slow.longest(now)
	for p == nil || left > 0 {
		quiet, longer := c.kept.longest(now)
		switch {
		case quiet == nil || p != nil && left <= longer:
			return p, left
		case longer > 0 || !unread(quiet.Conn):
			return quiet, longer
		}
		quiet.leave()
		c.slow.add(quiet) // its next request is here already, and is only not looked at yet
		p, left = c.slow.longest(now)
	}
	return p, left
}

// full says whether there is little room left: then each caller is asked to take its connection elsewhere with the answer, at the
// one moment at which that cuts nothing off.
func (c *crowd) full() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.open > c.most-c.most/8
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
	p.leave()
	c.changed.Signal()
}

// starved makes room when the process, or the machine, has no descriptor left, and says so once a minute.
func (c *crowd) starved(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if p, left := c.longest(now); p != nil && left <= 0 {
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

// state is told of each connection by net/http. Before a request is complete, and between two, the server waits for its peer.
func (c *crowd) state(conn net.Conn, s http.ConnState) {
	p := peerOf(conn)
	if p == nil {
		return
	}
	switch s {
	case http.StateNew:
		p.heading.Store(true)
		p.waits(slow)
	case http.StateIdle:
		p.heading.Store(true)
		p.between.Store(!multiplexed(conn))
		p.waits(idle)
	case http.StateActive:
		p.heading.Store(false)
		p.release()
		p.waits(no)
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
	between     atomic.Bool // nothing of it has come yet, after another request: what comes is its beginning
	read, ahead atomic.Int64
}

// Read implements [net.Conn]. A large header that finds no room ends its connection: whoever sent it in good faith comes again.
func (p *peer) Read(into []byte) (int, error) {
	n, err := p.Conn.Read(into)
	if !p.heading.Load() {
		return n, err
	}
	if n > 0 && p.between.Swap(false) {
		p.begins()
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

// A wait is what the server waits for at a connection.
type wait int

const (
	no   wait = iota
	slow      // a request, or the rest of one
	idle      // another request
)

// waits says what the server waits for now. Nil is no connection of a crowd.
func (p *peer) waits(what wait) {
	if p == nil {
		return
	}
	c := p.crowd
	c.mu.Lock()
	defer c.mu.Unlock()
	p.leave()
	if what == no || p.gone {
		return
	}
	ring := &c.slow
	if what == idle {
		ring = &c.kept
	}
	ring.add(p)
	c.changed.Signal()
}

// begins says that the next request has begun, for whose rest the server waits from now on, unless it is complete meanwhile.
func (p *peer) begins() {
	c := p.crowd
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.next != nil {
		p.leave()
		c.slow.add(p)
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

// multiplexed says whether the connection speaks HTTP/2, where not all that comes is a request.
func multiplexed(conn net.Conn) bool {
	secure, ok := conn.(*tls.Conn)
	return ok && secure.ConnectionState().NegotiatedProtocol == "h2"
}

type peerKey struct{}

// withPeer lets a request know its connection.
func withPeer(ctx context.Context, conn net.Conn) context.Context {
	if p := peerOf(conn); p != nil {
		return context.WithValue(ctx, peerKey{}, p)
	}
	return ctx
}
