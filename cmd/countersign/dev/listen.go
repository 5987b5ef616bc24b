package dev

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// An address is one that the system listens on: what it is for, the flag that changes it, and host:port.
type address struct{ what, flag, hostport string }

// hosts are those that the edge has a certificate for, that the page answers under and that a guard accepts an issuer at
// without TLS; and the two ways to say all addresses of the machine, localhost among them.
var hosts = []string{"localhost", "127.0.0.1", "::1", "", "0.0.0.0", "::"}

// check finds what would fail later, in words that are further from its cause.
func (a address) check() error {
	host, _, err := net.SplitHostPort(a.hostport)
	if err != nil {
		return fmt.Errorf("the %s's address %q is not of the form localhost:8080; correct %s", a.what, a.hostport, a.flag)
	}
	// The API answers under every name.
	if a.flag != "--api-addr" && !slices.Contains(hosts, strings.ToLower(host)) {
		return fmt.Errorf("the %s answers under the names of this machine only; name localhost with %s, or 0.0.0.0 to be reached from elsewhere too, and not %s",
			a.what, a.flag, a.hostport)
	}
	return nil
}

// listen opens all the addresses or none of them.
func listen(addresses ...address) ([]net.Listener, error) {
	var listeners []net.Listener
	var problems []error
	for _, a := range addresses {
		if err := a.check(); err != nil {
			problems = append(problems, err)
			continue
		}
		l, err := listenLocal(a.hostport)
		switch {
		case errors.Is(err, syscall.EADDRINUSE):
			err = fmt.Errorf("the %s's address %s is taken; stop what listens there, or name another with %s", a.what, taken(a.hostport, err), a.flag)
		case err != nil:
			err = fmt.Errorf("the %s's address: %w; name another with %s", a.what, err, a.flag)
		}
		if err != nil {
			problems = append(problems, err)
			continue
		}
		listeners = append(listeners, l)
	}
	if len(problems) > 0 {
		for _, l := range listeners {
			l.Close()
		}
		return nil, errors.Join(problems...)
	}
	return listeners, nil
}

// taken is the address that somebody else has: of localhost's two the one that the error is about, if it is the less obvious one.
func taken(hostport string, err error) string {
	var op *net.OpError
	if errors.As(err, &op) {
		if addr, ok := op.Addr.(*net.TCPAddr); ok && addr.IP.Equal(net.IPv6loopback) {
			return addr.String()
		}
	}
	return hostport
}

// urlOf is the URL at which a listener is reached from this machine. A name stays the name that was asked for, because
// issuers are compared as strings and certificates are made for names.
func urlOf(scheme, hostport string, l net.Listener) (string, error) {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return "", err
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "localhost"
	}
	port := l.Addr().(*net.TCPAddr).Port
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(port)), nil
}

// newServer returns a server that no slow or silent peer can hold.
func newServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,

		DisableGeneralOptionsHandler: true,
	}
}
