package countersign

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/countersign-dev/countersign/internal/jose"
)

// maxKeyWait is how long a request waits for keys that are being fetched. Its own context may end it sooner.
const maxKeyWait = 5 * time.Second

// errKeysClosed is why nobody fetches keys any more.
var errKeysClosed = errors.New("the guard is closed")

// errKeysSlow is why a request does not wait any longer, when its own time is not over.
var errKeysSlow = fmt.Errorf("they are not fetched after %v", maxKeyWait)

// errNoReturn is of an HTTPClient that panicked, or ended its goroutine.
var errNoReturn = errors.New("the HTTPClient did not return")

// keyset is the remote key set of one issuer. A key at hand costs one atomic load and two map look-ups. All
// fetching is done by the goroutines of run, under a context of their own: no request can cancel a fetch that
// others wait for, and no request decides alone that there is one.
//
// A signature that is not good under a known key asks nothing here: the only way to a fetch is a kid that is
// not known, through the budget of miss.
type keyset struct {
	cfg     keySourceConfig
	fetcher *fetcher
	where   keyAddress // the fetching goroutine's, of which there is one at a time
	file    *lastGoodFile

	current atomic.Pointer[keySnapshot] // never nil; replaced as a whole, by run only

	mu      sync.Mutex // never held while anything waits for a network or a disk
	refresh refreshState

	wake   chan struct{} // run has something to look at
	done   chan struct{} // run has returned
	cancel context.CancelFunc
}

// newKeySource returns the keys of one issuer, and starts to fetch them unless they are pinned in a file.
func newKeySource(cfg keySourceConfig) (keySource, error) {
	if cfg.keysFile != "" {
		return newPinnedKeys(cfg)
	}
	if err := checkKeyConfig(cfg); err != nil {
		return nil, err
	}
	k := &keyset{
		cfg:     cfg,
		fetcher: newFetcher(cfg.client),
		where:   keyAddress{issuer: cfg.issuer, uri: cfg.keysURL, fixed: cfg.keysURL != "", allowHTTP: cfg.insecureAllowHTTP},
		wake:    make(chan struct{}, 1),
		done:    make(chan struct{}),
	}
	k.current.Store(&keySnapshot{})
	if cfg.lastGoodFile != "" {
		k.file = newLastGoodFile(cfg)
		k.loadLastGood()
	}
	ctx, cancel := context.WithCancel(context.Background())
	k.cancel = cancel
	go k.run(ctx)
	return k, nil
}

// checkKeyConfig reports everything that is wrong with cfg.
func checkKeyConfig(cfg keySourceConfig) error {
	var problems []error
	if err := checkURL(cfg.issuer, true, cfg.insecureAllowHTTP); err != nil && cfg.keysURL == "" {
		problems = append(problems, fmt.Errorf("issuer: %w", err))
	}
	if cfg.keysURL != "" {
		if err := checkURL(cfg.keysURL, true, cfg.insecureAllowHTTP); err != nil {
			problems = append(problems, fmt.Errorf("KeysURL: %w", err))
		}
	}
	if cfg.lastGoodFile != "" {
		problems = append(problems, checkLastGoodPath(cfg.lastGoodFile))
	}
	return errors.Join(problems...)
}

// keysOf says whose keys err is about, when it is of the background or of a request. An error of newKeySource is New's.
func keysOf(issuer string, err error) error {
	return fmt.Errorf("keys of %s: %w", issuer, err)
}

func (k *keyset) generation() uint64 { return k.current.Load().generation }

// Close ends the fetching, releases whoever waits for it, and returns when both are done. A set at hand
// goes on to serve, so that requests that are being answered are answered well.
func (k *keyset) Close() error {
	k.cancel()
	<-k.done
	return nil
}

func (k *keyset) key(ctx context.Context, kid string, alg jose.Algorithm) (*jose.Key, error) {
	asked := time.Now()
	if key, known := k.current.Load().find(kid, alg, asked); known {
		return foundKey(key)
	}
	if err := ctx.Err(); err != nil {
		return nil, k.unavailable(err)
	}
	attempt, err := k.miss(kid, alg, asked, false)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, maxKeyWait, errKeysSlow)
	defer cancel()
	for {
		select {
		case <-attempt.done:
		case <-ctx.Done():
			k.leave()
			return nil, k.unavailable(context.Cause(ctx))
		}
		now := time.Now()
		if key, known := k.current.Load().find(kid, alg, now); known {
			k.leave()
			return foundKey(key)
		}
		if attempt.err == nil && !attempt.started.Before(asked) {
			k.leave()
			return nil, k.isAbsent(kid, now)
		}
		// The attempt failed, or it was on its way when the token came and says nothing about the token's key: there may be
		// another one to wait for.
		if attempt, err = k.miss(kid, alg, now, true); err != nil {
			return nil, err
		}
	}
}

// isAbsent notes that the issuer was asked for kid and does not have it.
func (k *keyset) isAbsent(kid string, now time.Time) error {
	k.mu.Lock()
	k.refresh.absent.add(kid, now)
	k.mu.Unlock()
	k.observe(KeyEvent{Kind: KeysUnknownKid})
	return errUnknownKey
}

// foundKey is the answer for a known kid: nil is a key that is bound to another algorithm.
func foundKey(key *jose.Key) (*jose.Key, error) {
	if key == nil {
		return nil, errUnknownKey
	}
	return key, nil
}

// unavailable is the error of a request that cannot be decided, with the time of the next attempt.
func (k *keyset) unavailable(cause error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.refresh.unavailable(cause, time.Now())
}

// observe tells the observer, if there is one. It must not be called with the lock held.
func (k *keyset) observe(event KeyEvent) {
	if k.cfg.observe == nil {
		return
	}
	set := k.current.Load()
	event.Issuer, event.Keys = k.cfg.issuer, set.count()
	if !set.confirmed.IsZero() {
		event.Age = time.Since(set.confirmed)
	}
	k.cfg.observe(event)
}
