package clientcredentials

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"
)

const (
	maxTries = 4               // attempts in a flight that somebody has to wait for
	maxPause = 3 * time.Second // between two of them; a longer one is the next caller's
)

// fetcher gets tokens from the issuer. It belongs to the one flight that is in the air.
type fetcher struct {
	set    settings
	client *http.Client
	clock  clock
	log    *slog.Logger
	meter  *meter

	observer Observer
	spent    spending
	spread   time.Duration // until the first attempt was made
	again    bool          // the token that is held was refused

	endpoint    endpoint      // what discovery found
	worked      *Credential   // a pointer, so that a printed Source shows an address
	failures    int           // in a row
	lacking     string        // the scopes last reported as not granted
	issuerAhead time.Duration // of this machine's clock, as a refused assertion has shown
	clockTold   bool          // the log has that the clocks differ
}

// run makes up to tries attempts. The error says when the next one is due.
func (f *fetcher) run(ctx context.Context, tries int, again bool) (*entry, *Error) {
	f.again = again
	if f.spread > 0 && !sleep(ctx, rand.N(f.spread)) {
		return nil, &Error{Err: ErrClosed}
	}
	f.spread = 0
	for try := 1; ; try++ {
		e, err := f.attempt(ctx)
		if err == nil {
			f.failures = 0
			return e, nil
		}
		if ctx.Err() != nil {
			return nil, &Error{Err: ErrClosed}
		}
		f.failures++
		f.meter.failures.Add(1)
		pause := backoff(f.failures, err)
		err.Attempt, err.NextTry, err.retryAt = f.failures, f.clock.wallTime().Add(pause), f.clock.mono()+pause
		if !err.temporary || try == tries || pause > maxPause || !sleep(ctx, pause) {
			return nil, err
		}
	}
}

// attempt asks once, and once more with another secret when the first is refused.
func (f *fetcher) attempt(ctx context.Context) (*entry, *Error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	at, err := f.locate(ctx)
	if err != nil {
		return nil, err
	}
	list, err := f.load(ctx)
	if err != nil {
		return nil, err
	}
	// A token's life is counted from before it was asked for, so that it never seems longer than it is.
	used, asked := list[0], f.clock.read()
	g, err := f.ask(ctx, at, used, list[0])
	if err != nil && err.Code == InvalidClient {
		list = f.loadAgain(ctx, list)
		other, found := f.another(list, used)
		if !found && used.signer != nil {
			// It may be the time in the assertion that is refused: another one, with the issuer's.
			other, found = used, f.adjust(err.at)
		}
		if found {
			used, asked = other, f.clock.read()
			g, err = f.ask(ctx, at, used, list[0])
		}
	}
	if err != nil {
		f.doubt(err)
		return nil, err
	}
	f.endpoint.doubted = false
	f.noteSecret(used, list[0])
	return f.admit(g, asked)
}

// load reads the credentials and checks each of them.
func (f *fetcher) load(ctx context.Context) ([]Credential, *Error) {
	return checked(f.set.credentials.Load(ctx))
}

func checked(list []Credential, err error) ([]Credential, *Error) {
	if err == nil && len(list) == 0 {
		err = errors.New("there are none")
	}
	for _, c := range list {
		err = errors.Join(err, c.check())
	}
	if err != nil {
		var passes interface{ Temporary() bool }
		return nil, &Error{Err: fmt.Errorf("credentials: %w", err), temporary: errors.As(err, &passes) && passes.Temporary()}
	}
	return list, nil
}

// loadAgain reads the credentials after a refusal: they may have been replaced meanwhile.
func (f *fetcher) loadAgain(ctx context.Context, list []Credential) []Credential {
	load := f.set.credentials.Load
	if r, ok := f.set.credentials.(Reloader); ok {
		load = r.Reload
	}
	if again, err := checked(load(ctx)); err == nil {
		return again
	}
	return list
}

// another returns the first credential that differs from the refused one: a secret that was replaced, the
// second of two, or the one that worked last, in case its successor is published before the issuer knows it.
func (f *fetcher) another(list []Credential, refused Credential) (Credential, bool) {
	for _, c := range list {
		if c != refused {
			return c, true
		}
	}
	// An assertion that worked has ended by now.
	if f.worked != nil && f.worked.assertion == "" && f.worked.ClientID == refused.ClientID && *f.worked != refused {
		return *f.worked, true
	}
	return Credential{}, false
}

// noteSecret makes it visible which secret the issuer took.
func (f *fetcher) noteSecret(used, preferred Credential) {
	fallback := used != preferred
	before := f.meter.fallback.Swap(fallback)
	if fallback {
		f.meter.fallbacks.Add(1)
	}
	if fallback && !before {
		f.log.Warn("the preferred client secret is refused, and another one works", "client_id", used.ClientID)
	}
	if f.worked != nil && *f.worked == used {
		return
	}
	generation := f.meter.generation.Add(1)
	if f.worked != nil {
		f.log.Info("the issuer took another client secret", "client_id", used.ClientID, "generation", generation, "fallback", fallback)
	}
	f.worked = &used
}

// admit turns an answer into an entry.
func (f *fetcher) admit(g grant, asked instant) (*entry, *Error) {
	c := claimsOf(g.accessToken)
	if f.set.socket != "" && g.life > 0 {
		// An agent has read exp and says what is left; its clock is this one, so that where it is wrong there is none to compare with.
		c.timed = false
	}
	life := lifetime(g, c, asked)
	t := &Token{AccessToken: g.accessToken, Type: "Bearer", Scopes: g.scopes, Expiry: time.Unix(0, asked.wall).Add(life).UTC()}
	if t.Scopes == nil {
		// RFC 6749, Section 5.1: scope is OPTIONAL if identical to the scope requested.
		// Cognito: never there, and the claim lacks the scopes that their resource server no longer has.
		t.Scopes = c.scopes
	}
	if t.Scopes == nil {
		t.Scopes = f.set.scopes
	}
	e := newEntry(t, asked, life)
	if e == nil {
		return nil, &Error{Status: http.StatusOK, Err: errors.New(
			"the issuer gave a token that has ended by this machine's clock; look at the clock, and at a cache in front of the issuer")}
	}
	f.noteScopes(t.Scopes)
	f.noteClock(g.at)
	return e, nil
}

// noteScopes says once that scopes were asked for and not granted; the API will answer 403.
func (f *fetcher) noteScopes(granted []string) {
	var lacking []string
	for _, scope := range f.set.scopes {
		if !slices.Contains(granted, scope) {
			lacking = append(lacking, scope)
		}
	}
	if list := fmt.Sprint(lacking); list != f.lacking {
		f.lacking = list
		if lacking != nil {
			f.log.Warn("the issuer did not grant all scopes", "lacking", lacking)
		}
	}
}

// sleep reports false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
