package gateway_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/gateway"
)

// A peers is a listener whose connections come from chosen addresses.
type peers struct {
	conns []*peerConn
}

type peerConn struct {
	net.Conn
	addr   string
	closed bool
}

func (c *peerConn) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(c.addr))
}
func (c *peerConn) Close() error { c.closed = true; return nil }

func (p *peers) Accept() (net.Conn, error) {
	if len(p.conns) == 0 {
		return nil, net.ErrClosed
	}
	c := p.conns[0]
	p.conns = p.conns[1:]
	return c, nil
}
func (p *peers) Close() error   { return nil }
func (p *peers) Addr() net.Addr { return &net.TCPAddr{} }

func TestListenerClosesStrangersBeforeReading(t *testing.T) {
	var log bytes.Buffer
	clock := time.Unix(1000, 0)
	g := newGateway(t, gateway.Config{
		Routes: []gateway.Route{{"/", "http://localhost:1"}},
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Now:    func() time.Time { return clock },
	})
	var all []*peerConn
	for _, addr := range []string{"192.0.2.1:1", "192.0.2.2:2", "127.0.0.1:3", "[2001:db8::4]:4", "[::1]:5"} {
		all = append(all, &peerConn{addr: addr}) // The embedded Conn is nil: a read would panic.
	}
	ln := g.Listener(&peers{conns: all})
	for i, want := range []int{2, 4} {
		c, err := ln.Accept()
		if err != nil || c != net.Conn(all[want]) {
			t.Fatalf("accept %d: %v, %v", i, c, err)
		}
		clock = clock.Add(11 * time.Second)
	}
	if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a closed listener: %v", err)
	}
	for i, want := range []bool{true, true, false, true, false} {
		if all[i].closed != want {
			t.Errorf("%s closed: %v", all[i].addr, all[i].closed)
		}
	}
	// The second refusal of the same ten seconds is counted in the line of the next one.
	if got := strings.Count(log.String(), "peer refused"); got != 2 || !strings.Contains(log.String(), "refused=2") {
		t.Errorf("log:\n%s", log.String())
	}
}
