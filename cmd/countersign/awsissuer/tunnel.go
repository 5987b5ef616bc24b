package awsissuer

import (
	"io"
	"net"
	"sync"
)

// tunnels is the listener of the inner server: its connections are those that CONNECT was answered on.
type tunnels struct {
	permits chan struct{}
	waiting chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

func newTunnels() *tunnels {
	return &tunnels{permits: make(chan struct{}, maxTunnels), waiting: make(chan net.Conn), closed: make(chan struct{})}
}

func (t *tunnels) enter() bool {
	select {
	case t.permits <- struct{}{}:
		return true
	default:
		return false
	}
}

func (t *tunnels) leave() { <-t.permits }

// hand gives a connection to the server, or closes it when there is none any more.
func (t *tunnels) hand(conn net.Conn) {
	select {
	case t.waiting <- conn:
	case <-t.closed:
		conn.Close()
	}
}

// Accept implements net.Listener.
func (t *tunnels) Accept() (net.Conn, error) {
	select {
	case conn := <-t.waiting:
		return conn, nil
	case <-t.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (t *tunnels) Close() error {
	t.once.Do(func() { close(t.closed) })
	return nil
}

// Addr implements net.Listener.
func (t *tunnels) Addr() net.Addr { return address{} }

type address struct{}

func (address) Network() string { return "tunnel" }
func (address) String() string  { return "tunnel" }

// A tunnel is a connection of which the outer server may have read the first bytes.
type tunnel struct {
	net.Conn
	first io.Reader
	leave func()
	once  sync.Once
}

// Read returns what was read before, and then the connection.
func (c *tunnel) Read(b []byte) (int, error) {
	if c.first != nil {
		n, err := c.first.Read(b)
		if n > 0 {
			return n, nil
		}
		if err != nil {
			c.first = nil
		}
	}
	return c.Conn.Read(b)
}

// Close gives the tunnel's place back.
func (c *tunnel) Close() error {
	c.once.Do(c.leave)
	return c.Conn.Close()
}
