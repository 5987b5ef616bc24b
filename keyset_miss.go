package countersign

import (
	"strings"
	"time"

	"github.com/countersign-dev/countersign/internal/jose"
)

// Bounds of what tokens with unknown key ids can cause. Every one of them is chosen by whoever sends requests.
const (
	missBurst    = 4                // fetches that unknown key ids may cause at once, …
	missInterval = 15 * time.Second // … and one more per interval after that
	absentFor    = 30 * time.Second // how long an issuer's silence about a key id is believed
	maxAbsent    = 1024             // key ids remembered as absent, in each of two generations
	maxKeyID     = 256              // octets of a key id that is worth a fetch
)

// patientFailures is the failed attempts after which requests no longer wait for the next. Before, an outage of a moment fails
// no request; after, one that lasts holds none, and strangers cannot have it hold theirs.
const patientFailures = 3

// maxWaiting is the requests of one issuer that wait for more than one attempt. A service with more callers than that sheds the others, as it
// would in an outage that lasts.
const maxWaiting = 1024

// missBudget is a token bucket kept as one instant: the one at which it would be full again.
type missBudget struct {
	full time.Time
}

// take takes one fetch from the budget. It never waits: without a fetch to give it returns when there will be one.
func (b *missBudget) take(now time.Time) (ok bool, next time.Time) {
	if b.full.Before(now) {
		b.full = now
	}
	if free := b.full.Add(-(missBurst - 1) * missInterval); now.Before(free) {
		return false, free
	}
	b.full = b.full.Add(missInterval)
	return true, now
}

// absentKeys remembers key ids that the issuer was asked for and did not have, so that one stale token in a loop
// does not use up the budget of all. Two generations bound it in memory and in work without a list to maintain:
// when the young one is full, the old one is forgotten.
type absentKeys struct {
	young, old map[string]time.Time // key id to the end of its absence
}

func (a *absentKeys) has(id string, now time.Time) bool {
	return now.Before(a.young[id]) || now.Before(a.old[id])
}

func (a *absentKeys) add(id string, now time.Time) {
	if len(a.young) >= maxAbsent {
		a.young, a.old = nil, a.young
	}
	if a.young == nil {
		a.young = make(map[string]time.Time)
	}
	// The id is a piece of a token, and keeping it must not keep the token.
	a.young[strings.Clone(id)] = now.Add(absentFor)
}

// atHand is an attempt that is over, for a request that has nothing to wait for.
var atHand = func() *attempt {
	a := &attempt{done: make(chan struct{})}
	close(a.done)
	return a
}()

// miss decides about a token whose key is not at hand: it returns the attempt to wait for, or the answer. waits says that the request has waited
// for one already. A request that is given an attempt is counted until leave, or until it is given an answer here.
func (k *keyset) miss(kid string, alg jose.Algorithm, now time.Time, waits bool) (*attempt, error) {
	k.mu.Lock()
	attempt, event, err := k.decideMiss(kid, alg, now)
	if waits && err != nil {
		k.refresh.waiting--
	} else if !waits && err == nil {
		k.refresh.waiting++
	}
	k.mu.Unlock()
	if event != "" {
		k.observe(KeyEvent{Kind: event})
	}
	return attempt, err
}

// leave is the end of a wait.
func (k *keyset) leave() {
	k.mu.Lock()
	k.refresh.waiting--
	k.mu.Unlock()
}

// decideMiss must be called with the lock held.
func (k *keyset) decideMiss(kid string, alg jose.Algorithm, now time.Time) (*attempt, KeyEventKind, error) {
	if _, known := k.current.Load().find(kid, alg, now); known {
		return atHand, "", nil // since the request looked
	}
	r := &k.refresh
	failing := r.failures > 0
	if r.closed {
		return nil, "", r.unavailable(errKeysClosed, now)
	}
	if !k.current.Load().serves(now) {
		// All first requests share the attempt that is made anyway.
		if failing && !r.running && !r.soon(now) {
			return nil, "", r.unavailable(r.err, now)
		}
		if !failing && !r.running {
			r.wanted = true
			k.nudge()
		}
		return r.join(), "", nil
	}
	if len(kid) > maxKeyID || r.absent.has(kid, now) {
		return nil, KeysUnknownKid, errUnknownKey
	}
	if failing {
		// The key may be new, and the issuer that could say so does not answer. That is no fault of the caller.
		if !r.soon(now) {
			return nil, "", r.unavailable(r.err, now)
		}
		return r.join(), "", nil
	}
	if r.attempt != nil {
		return r.attempt, "", nil
	}
	if ok, next := r.budget.take(now); !ok {
		// Nobody waits for the budget, or strangers could hold every request. The fetch is made when there is
		// one to make, so that a new key is accepted even if its token does not come back.
		if r.owed.IsZero() {
			r.owed = next
			k.nudge()
		}
		return nil, KeysSuppressed, errUnknownKey
	}
	r.wanted = true
	k.nudge()
	return r.join(), "", nil
}

// nudge makes run look at the state again.
func (k *keyset) nudge() {
	select {
	case k.wake <- struct{}{}:
	default: // it will look
	}
}
