package clientcredentials

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// forceWindow is the least time between two renewals that refused tokens cause, unless a token came in between that
// was due. An API that refuses every token then costs one token request in five minutes and not one a call.
const forceWindow = 5 * time.Minute

// Source holds one access token and renews it. It is safe for any number of goroutines; a program has one
// for each set of scopes. Make it with [New].
type Source struct {
	set      settings
	clock    clock
	meter    meter
	log      *slog.Logger
	observer Observer
	current  atomic.Pointer[entry]

	work sync.WaitGroup

	mu        sync.Mutex // never held over I/O
	fetch     *fetcher   // used by the flight that is in the air
	flight    *flight    // nil: none is
	failed    *Error     // of the last flight; nil after a token
	retryAt   time.Duration
	nextForce time.Duration
	closed    bool
}

// flight is one series of token requests and all who wait for it. The fields are read after done is closed.
type flight struct {
	cancel context.CancelFunc
	again  bool // a server refused the token that is held
	done   chan struct{}
	entry  *entry
	err    *Error
}

// New checks the whole of cfg and reports every problem at once. It asks nobody: the first [Source.Token]
// does, so call that at start-up to find a wrong secret early.
func New(cfg Config) (*Source, error) {
	set, err := cfg.settings()
	if err != nil {
		return nil, err
	}
	s := &Source{set: set, clock: clock{epoch: time.Now(), now: cfg.Now}, log: cfg.Logger, observer: cfg.Observer}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.observer == nil {
		s.observer = noObserver{}
	}
	var client http.Client
	if cfg.HTTPClient != nil {
		client = *cfg.HTTPClient
	}
	if client.Transport == nil {
		// It is taken now: somebody may later make this Source's own Transport the default, and a token cannot be waited for
		// with itself.
		client.Transport = http.DefaultTransport
	}
	if set.socket != "" {
		client = socketClient(set.socket)
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	s.fetch = &fetcher{set: set, client: &client, clock: s.clock, log: s.log, meter: &s.meter,
		observer: s.observer, spent: spending{budget: cfg.Budget}, spread: set.spread}
	return s, nil
}

// Token returns a token that is good for some seconds at least, nearly always at once and from memory.
//
// From about three quarters of a token's life on, a call starts its renewal in the background and still
// returns the old token; it does so, whatever the issuer answers, as long as that token is good. Only a
// call that finds no good token waits, together with all others, for the same request, and no longer than
// ctx allows; without one it waits under a minute, and [Config].StartSpread before the first. The error is an [*Error].
func (s *Source) Token(ctx context.Context) (*Token, error) {
	e, err := s.get(ctx)
	if err != nil {
		return nil, err
	}
	return e.token, nil
}

// Close ends the background work and waits until it has ended. Afterwards Token returns the token it has
// while that is good, and then an error that is [ErrClosed]. Close always returns nil.
func (s *Source) Close() error {
	s.mu.Lock()
	s.closed = true
	if s.flight != nil {
		s.flight.cancel()
	}
	s.mu.Unlock()
	s.work.Wait()
	return nil
}

// get is Token for the use of this package. Its error is a nil interface or an *Error.
func (s *Source) get(ctx context.Context) (*entry, error) {
	if e := s.current.Load(); e != nil && s.clock.mono() < time.Duration(e.look.Load()) {
		return e, nil
	}
	now := s.clock.read()
	if e := s.current.Load(); e.fresh(now) {
		s.postpone(e, now)
		return e, nil
	}
	s.mu.Lock()
	e := s.current.Load() // a flight may have landed
	f := s.flight
	if f == nil && !e.fresh(now) && !s.closed && now.mono >= s.retryAt && (e.usable(now) || ctx.Err() == nil) {
		f = s.takeOff(e, e.usable(now), false)
	}
	failed, closed := s.failed, s.closed
	s.mu.Unlock()
	switch {
	case e.usable(now):
		// An old token that is good is always better than an error.
		return e, nil
	case f != nil:
		return s.await(ctx, f)
	case closed:
		return nil, &Error{Err: ErrClosed}
	case ctx.Err() != nil:
		return nil, &Error{Err: ctx.Err(), temporary: true}
	}
	return nil, failed.copy() // it is not time to ask again
}

// postpone spares the calls of the next moments a look at the wall clock. A clock of the caller's may be
// set at any time, so it is looked at by every call.
func (s *Source) postpone(e *entry, now instant) {
	if s.clock.now == nil {
		e.look.Store(int64(min(now.mono+wallEvery, e.renew.mono, e.end.mono)))
	}
}

// takeOff starts a flight; s.mu is held. No caller's context ends it, for others wait for it too. While it is in
// the air the calls take the old token, if it is good, without coming by here. Again says that the old token was refused.
func (s *Source) takeOff(old *entry, background, again bool) *flight {
	ctx, cancel := context.WithCancel(context.Background())
	f := &flight{cancel: cancel, again: again, done: make(chan struct{})}
	s.flight = f
	if old != nil {
		s.current.Store(old.renewAt(old.end))
	}
	s.work.Go(func() { s.fly(ctx, f, old, background) })
	return f
}

// fly gets a token and tells all who wait.
func (s *Source) fly(ctx context.Context, f *flight, old *entry, background bool) {
	defer f.cancel()
	tries := maxTries
	if background {
		tries = 1 // later calls make the further ones
	}
	got, err := s.fetch.run(ctx, tries, f.again)
	f.entry, f.err = got, err
	s.land(f, old)
	if err != nil && old.usable(s.clock.read()) && ctx.Err() == nil {
		s.log.Warn("the token was not renewed and the old one stays in use", "error", err.Error())
	}
}

// land makes the result of a flight known.
func (s *Source) land(f *flight, old *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case f.again && f.err != nil && f.err.temporary:
		// The token that was refused is no better for it: the pauses between attempts are the bound then.
		s.nextForce = f.err.retryAt
	case !f.again && f.err == nil:
		s.nextForce = 0 // another token, which nobody has refused yet
	}
	switch {
	case f.err == nil:
		s.current.Store(f.entry)
		s.retryAt = 0
	case old != nil && !old.renew.reached(s.clock.read()):
		s.current.Store(old) // it was not due: an API had refused it
		s.retryAt = f.err.retryAt
	case old != nil:
		s.current.Store(old.renewAt(after(f.err.retryAt)))
		s.retryAt = f.err.retryAt
	default:
		s.retryAt = f.err.retryAt
	}
	s.failed, s.flight = f.err, nil
	close(f.done)
}

// await waits for a flight as long as the caller can.
func (s *Source) await(ctx context.Context, f *flight) (*entry, error) {
	select {
	case <-f.done:
	case <-ctx.Done():
		return nil, &Error{Err: ctx.Err(), temporary: true}
	}
	if f.err != nil {
		return nil, f.err.copy()
	}
	return f.entry, nil
}

// Replace returns another token than refused, which a server did not accept, and reports whether there is one. It
// is what [Source.Transport] does on a 401, for other protocols: the issuer is asked for one at most once in five
// minutes and for each token that was due, whoever calls. Not when the server says that a scope is lacking; another token would have the same scopes.
func (s *Source) Replace(ctx context.Context, refused *Token) (*Token, bool) {
	if refused == nil {
		return nil, false
	}
	e := s.replace(ctx, refused)
	if e == nil {
		return nil, false
	}
	return e.token, true
}

// replace returns an entry with another token than the one that an API refused, or nil: when the issuer was
// asked for that reason not long ago, when it does not answer, or when it gives the same token again.
func (s *Source) replace(ctx context.Context, refused *Token) *entry {
	e, f := s.begin(refused)
	if f == nil {
		return e
	}
	e, err := s.await(ctx, f)
	if err != nil || e.token.AccessToken == refused.AccessToken {
		return nil
	}
	return e
}

// begin returns an entry with another token than refused, or the flight that may bring one, or neither.
func (s *Source) begin(refused *Token) (*entry, *flight) {
	now := s.clock.read()
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.current.Load()
	if e.usable(now) && e.token.AccessToken != refused.AccessToken {
		return e, nil
	}
	f := s.flight
	if f == nil && !s.closed && now.mono >= s.retryAt && now.mono >= s.nextForce {
		s.nextForce = now.mono + forceWindow
		s.meter.forced.Add(1)
		f = s.takeOff(e, false, true)
	}
	return nil, f
}
