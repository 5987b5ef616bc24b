package clientcredentials

import (
	"context"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"
)

const (
	// unixScheme is that of a TokenEndpoint on this machine: unix:///run/countersign/agent.sock.
	unixScheme = "unix://"

	// agentEndpoint is what is asked over the socket; the host name says nothing there.
	agentEndpoint = "http://localhost/oauth2/token"
)

// Peer is a client without a secret, for the socket of `countersign agent`: the kernel tells the agent which user
// asks, and the agent has the secret. Name is the client's name in the agent's configuration. TokenEndpoint is then the
// socket's path, as in "unix:///run/countersign/agent.sock".
func Peer(name string) Credentials { return peer(name) }

type peer string

func (p peer) check() error {
	if p == "" {
		return errors.New("the name given to Peer is empty")
	}
	return nil
}

// Load implements [Credentials].
func (p peer) Load(context.Context) ([]Credential, error) {
	return []Credential{{ClientID: string(p), connected: true}}, nil
}

// checkSocket checks what belongs to the agent's socket: a client without a secret, and no other HTTP client.
func (c Config) checkSocket() error {
	path := strings.TrimPrefix(c.TokenEndpoint, unixScheme)
	_, isPeer := c.Credentials.(peer)
	switch {
	case !filepath.IsAbs(path):
		return errors.New("names no absolute path; write unix:///run/countersign/agent.sock")
	case !isPeer && c.Credentials != nil:
		return errors.New("is an agent's socket, which takes no secret; use Peer as Credentials")
	case c.HTTPClient != nil:
		return errors.New("is a socket, so HTTPClient would not be used; leave it nil")
	case c.Door != "":
		return errors.New("is an agent's socket; leave Door empty")
	}
	return nil
}

// socketClient is the HTTP client of an agent's socket.
func socketClient(path string) http.Client {
	dialer := &net.Dialer{Timeout: attemptTimeout}
	return http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dialer.DialContext(ctx, "unix", path) },
		// An agent that is restarted leaves dead connections behind, and a token is asked for rarely.
		DisableKeepAlives:     true,
		ResponseHeaderTimeout: attemptTimeout,
		IdleConnTimeout:       time.Second,
	}}
}
