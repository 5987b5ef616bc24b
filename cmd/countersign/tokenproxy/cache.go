package tokenproxy

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
)

const (
	askTimeout   = 15 * time.Second // for one token, retries included
	refusalAge   = 5 * time.Second  // how long the issuer's refusal is repeated to the same secret
	forceWindow  = 5 * time.Minute  // least time between renewals because an API refused the token
	firstPause   = time.Second      // after a renewal that failed
	longLife     = 4 * time.Hour    // a token that lives longer is not renewed earlier before its end
	maxLeastLeft = 2 * time.Minute  // with less left, a caller waits for the renewal; of a short life a tenth
	endsEarly    = time.Second      // expires_in is in whole seconds: in its last one a token has none left to tell
)

// key names an entry: a keyed hash of the credential and the scopes.
type key [32]byte

// ask gets a token from the issuer.
type ask func(context.Context) (*clientcredentials.Token, error)

// errBusy is what a stranger gets while other strangers use up what is set aside for them.
var errBusy = errors.New("too many requests of unknown credentials")

// errEnded is what a caller gets that waited for a renewal until the old token had ended too.
var errEnded = fmt.Errorf("the token ended while it was renewed: %w", context.DeadlineExceeded)

// cache holds tokens by key.
type cache struct {
	max    int // entries
	counts *counts

	mu        sync.Mutex // never held over I/O
	held      map[key]*held
	refused   map[key]refusal
	flights   map[key]*flight
	strangers bucket
	work      sync.WaitGroup
	closing   context.Context
}

// held is a token and its times. It has neither client nor secret.
type held struct {
	token     *clientcredentials.Token
	least     time.Duration
	renew     time.Time // from here on a call starts the renewal
	end       time.Time
	retry     time.Time // no renewal before it
	nextForce time.Time
}

type refusal struct {
	err   error
	until time.Time
}

// flight is one request to the issuer and all who wait for it. The fields are read after done is closed.
type flight struct {
	again bool // because the token that is held was refused
	done  chan struct{}
	token *held
	err   error
}

func newCache(closing context.Context, max int, rate float64, c *counts) *cache {
	return &cache{max: max, counts: c, held: map[key]*held{}, refused: map[key]refusal{}, flights: map[key]*flight{},
		strangers: newBucket(rate), closing: closing}
}

// get returns a token and what is left of it. Again says that the caller was refused the token that is held. Ask is
// called at most once at a time for a key, and only here or in the background of this call.
func (c *cache) get(ctx context.Context, k key, again bool, a ask) (*clientcredentials.Token, time.Duration, error) {
	now := time.Now()
	c.mu.Lock()
	h := c.held[k]
	if h != nil && h.left(now) <= 0 {
		delete(c.held, k)
		h = nil
	}
	f, wait, err := c.decide(k, h, again, now, a)
	c.mu.Unlock()
	if err != nil {
		return nil, 0, err
	}
	if wait {
		select {
		case <-f.done:
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
		switch {
		case f.err == nil:
			h = f.token
		case h == nil || final(f.err):
			return nil, 0, f.err
		}
	}
	left := h.left(time.Now())
	if left <= 0 {
		return nil, 0, errEnded
	}
	return h.token, left, nil
}

// decide says whether there is a flight, and whether it must be waited for; c.mu is held.
func (c *cache) decide(k key, h *held, again bool, now time.Time, a ask) (f *flight, wait bool, err error) {
	f = c.flights[k]
	if h == nil {
		if r, found := c.refused[k]; found && now.Before(r.until) {
			c.counts.repeated.Add(1)
			return nil, false, r.err
		}
		if f != nil {
			c.counts.shared.Add(1)
			return f, true, nil
		}
		// Whoever sends secrets at random costs the issuer a request each, and the issuer's quota is everybody's.
		// Clients that have a token are not counted here, so that such a flood does not stop their renewals.
		if !c.strangers.take(now) {
			c.counts.limited.Add(1)
			return nil, false, errBusy
		}
		return c.takeOff(k, nil, false, a), true, nil
	}
	if again && f != nil {
		return f, true, nil
	}
	if again && !now.Before(h.nextForce) {
		h.nextForce = now.Add(forceWindow)
		c.counts.forced.Add(1)
		return c.takeOff(k, h, true, a), true, nil
	}
	if f == nil && !now.Before(h.renew) && !now.Before(h.retry) {
		f = c.takeOff(k, h, false, a)
	}
	c.counts.hits.Add(1)
	return f, f != nil && h.left(now) < h.least, nil
}

// takeOff starts a flight; c.mu is held. No caller's context ends it, for others wait for it too. The secret lives in
// a's closure, no longer than the flight.
func (c *cache) takeOff(k key, old *held, again bool, a ask) *flight {
	f := &flight{again: again, done: make(chan struct{})}
	c.flights[k] = f
	c.work.Go(func() {
		ctx, cancel := context.WithTimeout(c.closing, askTimeout)
		defer cancel()
		token, err := a(ctx)
		c.land(k, f, old, token, err)
	})
	return f
}

// land makes the result of a flight known.
func (c *cache) land(k key, f *flight, old *held, token *clientcredentials.Token, err error) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.flights, k)
	f.err = err
	switch {
	case err == nil:
		f.token = hold(token, now)
		if old != nil {
			f.token.nextForce = old.nextForce
		}
		if _, replaces := c.held[k]; !replaces {
			c.makeRoom(now)
		}
		c.held[k] = f.token
		delete(c.refused, k)
	case final(err):
		// A secret that was taken away gets no more tokens, also not the one that is held.
		delete(c.held, k)
		c.refuse(k, err, now)
	case old != nil:
		old.retry = now.Add(pauseAfter(err, now))
		if f.again {
			old.nextForce = old.retry // the token that was refused is no better for it
		}
	}
	close(f.done)
}

// hold gives a token its times.
func hold(t *clientcredentials.Token, now time.Time) *held {
	life := time.Until(t.Expiry)
	// Drawn anew for each token, so that entries that were made together do not stay together. A long life is not renewed hours ahead.
	early := time.Duration(float64(min(life, longLife)) * (0.15 + 0.2*rand.Float64()))
	return &held{token: t, least: min(maxLeastLeft, life/10), renew: now.Add(life - early), end: now.Add(life - endsEarly)}
}

// left is what may be said of the token's life. The monotonic clock, which end has, cannot be set back, and stands still while
// a machine sleeps; the wall clock goes on. The earlier end counts.
func (h *held) left(now time.Time) time.Duration {
	return min(h.end.Sub(now), h.token.Expiry.Sub(now.Round(0))-endsEarly)
}

// refuse remembers a refusal. It is bounded like the tokens are, but apart from them: whoever guesses secrets fills
// this table and drives out nobody's token.
func (c *cache) refuse(k key, err error, now time.Time) {
	if len(c.refused) >= c.max {
		clear(c.refused)
	}
	c.refused[k] = refusal{err: err, until: now.Add(refusalAge)}
}

// makeRoom drops what has ended, or else what ends soonest.
func (c *cache) makeRoom(now time.Time) {
	if len(c.held) < c.max {
		return
	}
	var first key
	var end time.Time
	for k, h := range c.held {
		if h.left(now) <= 0 {
			delete(c.held, k)
			continue
		}
		if end.IsZero() || h.end.Before(end) {
			first, end = k, h.end
		}
	}
	if len(c.held) >= c.max {
		delete(c.held, first)
		c.counts.evicted.Add(1)
	}
}

// size returns the entries that are held.
func (c *cache) size() (tokens, refusals int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.held), len(c.refused)
}

// final reports whether the issuer has said no to this credential or these scopes; all else may pass.
func final(err error) bool {
	var e *clientcredentials.Error
	return errors.As(err, &e) && e.Code != "" && !e.Temporary()
}

func pauseAfter(err error, now time.Time) time.Duration {
	var e *clientcredentials.Error
	if errors.As(err, &e) {
		return max(e.NextTry.Sub(now), firstPause)
	}
	return firstPause
}

// bucket is a token bucket of strangers' requests; the cache's mutex guards it.
type bucket struct {
	rate, burst, level float64
	at                 time.Time
}

func newBucket(rate float64) bucket {
	burst := max(2*rate, 1) // with less than one there would never be a whole one to take
	return bucket{rate: rate, burst: burst, level: burst, at: time.Now()}
}

func (b *bucket) take(now time.Time) bool {
	b.level = min(b.level+now.Sub(b.at).Seconds()*b.rate, b.burst)
	b.at = now
	if b.level < 1 {
		return false
	}
	b.level--
	return true
}
