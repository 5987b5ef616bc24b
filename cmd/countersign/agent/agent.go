package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
	"github.com/countersign-dev/countersign/cmd/countersign/tokenendpoint"
)

const (
	warmEvery  = 15 * time.Second // how often tokens are looked at for renewal while nobody asks
	warmFor    = 2 * time.Hour    // since somebody asked; then a token ends, for it costs and nobody wants it
	askTimeout = 20 * time.Second
)

// Agent answers token requests of this machine's programs. Make it with [New].
type Agent struct {
	logger  *slog.Logger
	clients map[string]*client

	work sync.WaitGroup
	stop context.CancelFunc
}

// client is one client and its tokens, by the scopes that were asked for.
type client struct {
	Client
	mu      sync.Mutex
	sources map[string]*source
	past    totals // of the sources that are gone

	requests, refused, failed atomic.Int64
}

// New starts an agent. It asks no issuer before somebody asks it.
func New(cfg Config, logger *slog.Logger) (*Agent, error) {
	a := &Agent{logger: logger, clients: map[string]*client{}}
	for _, c := range cfg.Clients {
		if err := check(c); err != nil {
			return nil, fmt.Errorf("agent: client %s: %w", c.Name, err)
		}
		if a.clients[c.Name] != nil {
			return nil, fmt.Errorf("agent: two clients are named %s", c.Name)
		}
		c.Source.Logger = logger.With("client", c.Name)
		a.clients[c.Name] = &client{Client: c, sources: map[string]*source{}}
	}
	ctx, stop := context.WithCancel(context.Background())
	a.stop = stop
	a.work.Go(func() { a.keepWarm(ctx) })
	return a, nil
}

// Close ends the renewals and forgets the tokens.
func (a *Agent) Close() error {
	a.stop()
	a.work.Wait()
	for _, c := range a.clients {
		c.mu.Lock()
		for _, s := range c.sources {
			_ = s.Close() // it always returns nil
		}
		c.mu.Unlock()
	}
	return nil
}

type uidKey struct{}

// ConnContext is for [http.Server]: it tells who is at the other end of a connection of [Listen].
func ConnContext(ctx context.Context, conn net.Conn) context.Context {
	if p, ok := conn.(*peer); ok {
		return context.WithValue(ctx, uidKey{}, p.uid)
	}
	return ctx
}

// ServeHTTP answers a token request whose client_id is a client's name.
func (a *Agent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q, err := tokenendpoint.Read(r)
	if err != nil {
		a.refuse(w, r, nil, tokenendpoint.Refusal(err), err.Error())
		return
	}
	uid, known := r.Context().Value(uidKey{}).(int)
	c := a.clients[q.ClientID]
	// A client that is not there and one that is another user's look the same to who asks.
	if !known || c == nil || !slices.Contains(c.UIDs, uid) {
		a.refuse(w, r, c, tokenendpoint.Failure{Code: clientcredentials.InvalidClient, Status: http.StatusBadRequest}, "not a client of this user")
		return
	}
	c.requests.Add(1)
	s, err := c.source(uid, q.Scopes)
	switch {
	case errors.Is(err, errManySets):
		a.refuse(w, r, c, tokenendpoint.Failure{Status: http.StatusTooManyRequests, RetryAfter: time.Minute, Reason: err.Error()}, err.Error())
		return
	case err != nil:
		a.refuse(w, r, c, tokenendpoint.Failure{Code: clientcredentials.InvalidScope, Status: http.StatusBadRequest, Reason: errScope.Error()}, err.Error())
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), askTimeout)
	defer cancel()
	token, err := s.token(ctx, q.Again)
	if err != nil {
		c.failed.Add(1)
		tokenendpoint.FailureOf(err).Write(w)
		a.logger.Warn("no token", "client", c.Name, "uid", uid, "error", err.Error())
		return
	}
	tokenendpoint.Grant{AccessToken: token.AccessToken, Scopes: token.Scopes, Left: s.left(token)}.Write(w)
}

func (a *Agent) refuse(w http.ResponseWriter, r *http.Request, c *client, f tokenendpoint.Failure, reason string) {
	name := "unknown"
	if c != nil {
		name = c.Name
		c.refused.Add(1)
	}
	f.Write(w)
	a.logger.Warn("refused", "client", name, "uid", r.Context().Value(uidKey{}), "error", f.Code, "reason", reason)
}

// keepWarm renews ahead while nobody asks, so that a program that starts in the issuer's outage finds a token.
func (a *Agent) keepWarm(ctx context.Context) {
	tick := time.NewTicker(warmEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			a.warm(ctx)
		case <-ctx.Done():
			return
		}
	}
}

func (a *Agent) warm(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	cancel() // a token that is held is looked at, and its renewal begun; nothing is waited for
	for _, c := range a.clients {
		c.mu.Lock()
		for _, s := range c.sources {
			if s.wanted() {
				_, _ = s.Token(ctx)
			}
		}
		c.mu.Unlock()
	}
}
