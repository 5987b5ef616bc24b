package gateway

import (
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// An allowList is the set of networks whose peers may connect.
type allowList []netip.Prefix

func (l allowList) contains(a netip.Addr) bool {
	// A dual-stack listener reports an IPv4 peer as ::ffff:a.b.c.d, and a link-local one with its zone; neither form is in a prefix.
	a = a.Unmap().WithZone("")
	for _, p := range l {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// containsPeer reports whether remote, an address as in [http.Request.RemoteAddr], is in the list. What does not parse is not.
func (l allowList) containsPeer(remote string) bool {
	ap, err := netip.ParseAddrPort(remote)
	return err == nil && l.contains(ap.Addr())
}

// Listener returns ln without the peers that the allow list does not name: their connections are closed as they are accepted.
//
// This is where an ALB keeps its inbound CIDRs, in a security group, before any byte of the peer is read. A stranger gets no
// handshake to attack and no answer to learn from, and costs no goroutine.
func (g *Gateway) Listener(ln net.Listener) net.Listener {
	return &filteredListener{Listener: ln, allow: g.allow, logger: g.logger, now: g.now}
}

type filteredListener struct {
	net.Listener
	allow  allowList
	logger *slog.Logger
	now    func() time.Time

	lastLine atomic.Int64 // when the last refusal was logged, in Unix nanoseconds
	unlogged atomic.Int64 // refusals since then
}

// Accept waits for the next allowed peer.
func (l *filteredListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.allow.containsPeer(c.RemoteAddr().String()) {
			return c, nil
		}
		_ = c.Close()
		l.logRefusal(c.RemoteAddr())
	}
}

// logRefusal writes at most one line in ten seconds, because a stranger chooses how often it is called.
func (l *filteredListener) logRefusal(peer net.Addr) {
	n := l.unlogged.Add(1)
	now, last := l.now().UnixNano(), l.lastLine.Load()
	if last != 0 && now-last < int64(10*time.Second) || !l.lastLine.CompareAndSwap(last, now) {
		return
	}
	l.unlogged.Add(-n)
	l.logger.Warn("peer refused", "peer", peer.String(), "refused", n)
}
