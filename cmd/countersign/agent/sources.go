package agent

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
)

const (
	maxSources = 32               // sets of scopes of one client that one user may have asked for first
	restFor    = 10 * time.Minute // nobody has asked for a set before it makes room for another one of its user
)

var (
	errScope    = errors.New("a scope is not one that the configuration gives to this client")
	errManySets = errors.New("this user asks for too many different sets of scopes")
)

// source is the token of one set of scopes.
type source struct {
	*clientcredentials.Source
	uid   int          // who asked for it first
	asked atomic.Int64 // when somebody did last, in Unix nanoseconds

	mu    sync.Mutex
	shown *clientcredentials.Token
	end   time.Time // of shown, on the monotonic clock
}

// source returns the source of a set of scopes, which must be within the client's. Fewer scopes are another token: who
// asks for less must not be given more.
func (c *client) source(uid int, scopes []string) (*source, error) {
	for _, scope := range scopes {
		if !slices.Contains(c.Scopes, scope) {
			return nil, errScope
		}
	}
	if len(scopes) == 0 {
		scopes = slices.Sorted(slices.Values(c.Scopes))
	}
	name := strings.Join(scopes, " ")
	c.mu.Lock()
	s, gone, err := c.sourceNamed(uid, name, scopes)
	c.mu.Unlock()
	if gone != nil {
		_ = gone.Close() // it always returns nil
	}
	return s, err
}

// sourceNamed returns the source, made if there is none, and the one that made room for it; c.mu is held.
func (c *client) sourceNamed(uid int, name string, scopes []string) (s, gone *source, err error) {
	if s = c.sources[name]; s == nil {
		if gone, err = c.makeRoom(uid); err != nil {
			return nil, nil, err
		}
		if s, err = c.add(uid, name, scopes); err != nil {
			return nil, gone, err
		}
	}
	// Here and not later, so that it does not make room for another one before it is used.
	s.asked.Store(time.Now().UnixNano())
	return s, gone, nil
}

// makeRoom forgets a set of uid's when it has as many as it may have. Only one that nobody wants: a set costs a token, and whoever
// walks through all sets would have the issuer asked without end. c.mu is held.
func (c *client) makeRoom(uid int) (*source, error) {
	n, name, oldest := 0, "", (*source)(nil)
	for have, s := range c.sources {
		if s.uid != uid {
			continue
		}
		n++
		if oldest == nil || s.asked.Load() < oldest.asked.Load() {
			name, oldest = have, s
		}
	}
	switch {
	case n < maxSources:
		return nil, nil
	case oldest.since() < restFor:
		return nil, errManySets
	}
	delete(c.sources, name)
	c.past.add(oldest.Stats())
	return oldest, nil
}

// add makes a source; c.mu is held.
func (c *client) add(uid int, name string, scopes []string) (*source, error) {
	cfg := c.Client.Source
	cfg.Scopes = scopes
	made, err := clientcredentials.New(cfg)
	if err != nil {
		return nil, err
	}
	s := &source{Source: made, uid: uid}
	c.sources[name] = s
	return s, nil
}

// token returns the token that all have, or another one for who was refused it.
func (s *source) token(ctx context.Context, again bool) (*clientcredentials.Token, error) {
	t, err := s.Token(ctx)
	if err == nil && again {
		if other, ok := s.Replace(ctx, t); ok {
			return other, nil
		}
	}
	return t, err
}

// left is what may be said of a token's life. The monotonic clock cannot be set back, and stands still while a machine sleeps; the
// wall clock goes on. The earlier end counts.
func (s *source) left(t *clientcredentials.Token) time.Duration {
	now := time.Now()
	left := t.Expiry.Sub(now.Round(0))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shown != t {
		s.shown, s.end = t, now.Add(left)
	}
	return min(left, s.end.Sub(now))
}

// since is how long ago somebody asked.
func (s *source) since() time.Duration { return time.Since(time.Unix(0, s.asked.Load())) }

// wanted reports whether somebody asked lately.
func (s *source) wanted() bool { return s.since() < warmFor }
