package countersign

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/internal/jose"
)

// The times of the refresh. A key set is fetched again at 40 to 50 percent of its age.
const (
	minKeyAge     = time.Minute      // the age of a set whose Cache-Control says less
	maxKeyAge     = 15 * time.Minute // and of one that says more
	defaultKeyAge = 10 * time.Minute // and of one that says nothing

	firstBackoff = time.Second // before the second attempt; doubled by each that fails
	maxBackoff   = 30 * time.Second
)

// answer is what an attempt brought.
type answer struct {
	set      *jose.KeySet
	body     []byte // the JWK set as it came
	maxAge   time.Duration
	warning  error // discovery failed, but the keys are still where they were
	err      error
	started  time.Time
	finished time.Time
}

// ask makes one attempt: where the keys are, if that is not known or long known, and the keys.
func (k *keyset) ask(ctx context.Context) (a answer) {
	a.warning = k.where.find(ctx, k.fetcher)
	if k.where.uri == "" {
		a.err, a.warning = a.warning, nil
	} else {
		a.err = k.askKeys(ctx, &a)
	}
	if a.warning != nil {
		a.warning = keysOf(k.cfg.issuer, a.warning)
	}
	if a.err != nil {
		a.err = keysOf(k.cfg.issuer, a.err)
		k.where.doubt()
	}
	return a
}

func (k *keyset) askKeys(ctx context.Context, a *answer) error {
	answered, err := k.fetcher.get(ctx, k.where.uri)
	if err == nil {
		a.body, a.maxAge = answered.body, answered.maxAge
		a.set, err = parseKeys(answered.body, k.cfg.algorithms)
	}
	if err != nil {
		host := ""
		if u, parseErr := url.Parse(k.where.uri); parseErr == nil {
			host = " at " + u.Host
		}
		return fmt.Errorf("key set%s: %w", host, err)
	}
	return nil
}

// parseKeys reads a JWK set that must have a key for one of the algorithms. A set that has none is a fault of the
// issuer like any other, and not a wish to be refused everywhere.
func parseKeys(body []byte, algorithms []jose.Algorithm) (*jose.KeySet, error) {
	set, err := jose.ParseKeySet(body)
	if err != nil {
		// The reasons of a hundred broken keys are one line of the log.
		lines := strings.Split(err.Error(), "\n")
		if len(lines) > 3 {
			lines = append(lines[:3], fmt.Sprintf("and %d more", len(lines)-3))
		}
		return nil, errors.New(strings.Join(lines, "; "))
	}
	for _, key := range set.Keys() {
		if slices.ContainsFunc(algorithms, key.Can) {
			return set, nil
		}
	}
	return nil, fmt.Errorf("no key is for an allowed algorithm (%v)", algorithms)
}

// refreshIn is the time to the next refresh of a set of the given max-age: 40 to 50 percent of it, so that
// processes that started together do not ask together.
func refreshIn(maxAge time.Duration) time.Duration {
	age := defaultKeyAge
	if maxAge >= 0 {
		age = min(max(maxAge, minKeyAge), maxKeyAge)
	}
	return age*2/5 + rand.N(age/10)
}

// backoff is the time to the next attempt after a number of failed ones: half of it fixed, half by chance.
func backoff(failures int, err error) time.Duration {
	wait := maxBackoff
	if failures < 6 { // 1, 2, 4, 8, 16 s
		wait = min(firstBackoff<<(failures-1), maxBackoff)
	}
	wait = wait/2 + rand.N(wait/2)
	// RFC 9110, Section 10.2.3: the issuer may ask for more, within what our callers can bear.
	var status *statusError
	if errors.As(err, &status) {
		wait = max(wait, min(status.retryAfter, maxBackoff))
	}
	return wait
}
