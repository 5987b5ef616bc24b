package countersign

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/countersign-dev/countersign/internal/jose"
)

// keySource is where one issuer's keys come from. It is asked only about tokens of that issuer whose
// algorithm is allowed and whose claims are plausible, so that nothing cheaper could refuse them.
type keySource interface {
	// key returns the key for a token's kid ("" when its header has none) and algorithm. It is on the path
	// of every first sight of a token and must not wait for the network when the key is at hand. When it has
	// to wait, it waits no longer than ctx. The error is errUnknownKey when the issuer has no such key,
	// and wraps errKeysUnavailable when nobody can know, in a *keysError where the caller can be told when
	// to come back.
	key(ctx context.Context, kid string, alg jose.Algorithm) (*jose.Key, error)

	// generation changes whenever a key that was given out may no longer be used: it was withdrawn, its
	// grace is over, or the whole set is too old. A new key beside the old ones need not change it. The
	// verified-token cache compares it on every hit, so it must cost no more than an atomic load.
	generation() uint64

	// Close ends what runs in the background and waits for it.
	Close() error
}

var (
	errUnknownKey      = errors.New("the issuer has no such key")
	errKeysUnavailable = errors.New("the issuer's keys cannot be had")
)

// keysError is errKeysUnavailable with its cause and the time after which it is worth asking again.
type keysError struct {
	retryAfter time.Duration
	cause      error
}

func (e *keysError) Error() string {
	if e.cause == nil {
		return errKeysUnavailable.Error()
	}
	return errKeysUnavailable.Error() + ": " + e.cause.Error()
}

func (e *keysError) Unwrap() []error { return []error{errKeysUnavailable, e.cause} }

// keySourceConfig is what newKeySource needs to know of one issuer. All fields are set: the defaults are
// New's business.
type keySourceConfig struct {
	issuer            string           // exact iss; discovery starts here
	algorithms        []jose.Algorithm // a set without a key for any of them is a broken set
	keysURL           string           // JWKS address when discovery is not wanted; may be empty
	keysFile          string           // pinned JWK set: no network at all; may be empty
	lastGoodFile      string           // where to keep the last good set; may be empty
	maxStale          time.Duration    // how long the last good set serves through an outage
	client            *http.Client
	logger            *slog.Logger
	insecureAllowHTTP bool
	observe           func(KeyEvent) // nil when nobody observes
}
