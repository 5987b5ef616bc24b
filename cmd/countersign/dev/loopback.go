package dev

import (
	"errors"
	"net"
	"strings"
	"sync"
	"syscall"
)

// listenLocal is net.Listen, but for the name localhost, which is two addresses: 127.0.0.1 and, where there is IPv6, ::1.
//
// Which of the two a client tries first is its own affair, and most try ::1. A listener on one of them leaves the other to
// whichever program of whichever user takes it first, and that program is then sent tokens and client secrets, and asked for
// the keys that tokens are verified with.
func listenLocal(hostport string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil || !strings.EqualFold(host, "localhost") {
		return net.Listen("tcp", hostport)
	}
	for range 10 {
		l, err := listenBoth(port)
		// The free port of the one address may be taken on the other.
		if port == "0" && errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		return l, err
	}
	return listenBoth(port)
}

func listenBoth(port string) (net.Listener, error) {
	first, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
	switch {
	case errors.Is(err, syscall.EADDRNOTAVAIL) && hasIPv6():
		return net.Listen("tcp", net.JoinHostPort("::1", port))
	case err != nil || !hasIPv6():
		return first, err
	}
	_, port, err = net.SplitHostPort(first.Addr().String())
	if err != nil {
		return nil, errors.Join(err, first.Close())
	}
	second, err := net.Listen("tcp", net.JoinHostPort("::1", port))
	if err != nil {
		return nil, errors.Join(err, first.Close())
	}
	return join(first, second), nil
}

// Loopback is the address of this machine that a service of the user's listens on: 127.0.0.1, or ::1 where there is no IPv4.
func Loopback() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if errors.Is(err, syscall.EADDRNOTAVAIL) && hasIPv6() {
		return "::1"
	}
	if err == nil {
		l.Close()
	}
	return "127.0.0.1"
}

// hasIPv6 reports whether this machine has the address ::1.
func hasIPv6() bool {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		return false
	}
	l.Close()
	return true
}

// A pair is two listeners that a server takes for one. Its address is that of the first.
type pair struct {
	net.Listener
	second   net.Listener
	accepted chan accepted
	closed   chan struct{}
	once     sync.Once
}

type accepted struct {
	conn net.Conn
	err  error
}

func join(first, second net.Listener) net.Listener {
	p := &pair{Listener: first, second: second, accepted: make(chan accepted), closed: make(chan struct{})}
	go p.acceptFrom(first)
	go p.acceptFrom(second)
	return p
}

// acceptFrom hands on what l accepts until the pair is closed. An error is handed on too: the server decides about it.
func (p *pair) acceptFrom(l net.Listener) {
	for {
		conn, err := l.Accept()
		select {
		case p.accepted <- accepted{conn, err}:
		case <-p.closed:
			if conn != nil {
				conn.Close()
			}
			return
		}
	}
}

// Accept returns the next connection of either listener.
func (p *pair) Accept() (net.Conn, error) {
	select {
	case <-p.closed:
		return nil, net.ErrClosed
	case a := <-p.accepted:
		return a.conn, a.err
	}
}

// Close closes both listeners.
func (p *pair) Close() error {
	err := net.ErrClosed
	p.once.Do(func() {
		close(p.closed)
		err = errors.Join(p.Listener.Close(), p.second.Close())
	})
	return err
}
