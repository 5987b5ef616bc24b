package countersign

import (
	"time"

	"github.com/countersign-dev/countersign/internal/jose"
)

const (
	// withdrawnGrace is how long a key serves that the issuer no longer lists. Issuers of several machines
	// list their keys not quite at once, and a token in flight should not fail for it.
	withdrawnGrace = 5 * time.Minute

	// minMaxStale is the least MaxStale: twice the longest time between two refreshes.
	minMaxStale = maxKeyAge
)

// keySnapshot is what is known of an issuer's keys at one moment. It is immutable.
type keySnapshot struct {
	set        *jose.KeySet            // the last good answer; nil before there was one
	ids        map[string]bool         // the kids in set
	withdrawn  map[string]withdrawnKey // by kid; none of them in ids
	confirmed  time.Time               // when the issuer was asked for set
	staleAt    time.Time               // when set becomes too old to serve; zero for never
	stale      bool                    // and it has
	fromFile   bool                    // not from the issuer in this process's life
	generation uint64
}

// withdrawnKey is a key in its grace: set is the last one that had it. As the grace is short and fetches are
// few, the sets kept this way are few too.
type withdrawnKey struct {
	set   *jose.KeySet
	until time.Time
}

// find returns the key of kid for alg. known is false when the issuer may have the kid and this snapshot does not;
// a known kid without a key is one that is bound to other algorithms.
func (s *keySnapshot) find(kid string, alg jose.Algorithm, now time.Time) (key *jose.Key, known bool) {
	if s.set == nil || s.expired(now) {
		return nil, false
	}
	if key := s.set.Lookup(kid, alg); key != nil {
		return key, true
	}
	// A token without a kid is one of a set of one key, or of none: a fetch could not tell.
	if kid == "" || s.ids[kid] {
		return nil, true
	}
	if w, ok := s.withdrawn[kid]; ok && now.Before(w.until) {
		return w.set.Lookup(kid, alg), true
	}
	return nil, false
}

func (s *keySnapshot) expired(now time.Time) bool {
	return s.stale || !s.staleAt.IsZero() && !now.Before(s.staleAt)
}

func (s *keySnapshot) serves(now time.Time) bool { return s.set != nil && !s.expired(now) }

// count is the number of keys that serve, those in their grace included.
func (s *keySnapshot) count() int {
	if s.set == nil || s.stale {
		return 0
	}
	return len(s.set.Keys()) + len(s.withdrawn)
}

// replace returns the snapshot that follows s when set is a good answer to a question asked at confirmed, and
// the number of keys that may no longer be used because of it.
func (s *keySnapshot) replace(set *jose.KeySet, confirmed, now time.Time, maxStale time.Duration) (*keySnapshot, int) {
	next := &keySnapshot{
		set: set, ids: keyIDs(set), withdrawn: map[string]withdrawnKey{},
		confirmed: confirmed, staleAt: confirmed.Add(maxStale), generation: s.generation,
	}
	dropped := 0
	for kid := range s.ids {
		switch {
		case next.ids[kid]:
			dropped += missing(kid, s.set, set)
		case kid == "" || s.fromFile || s.stale:
			// A key without a name cannot be told from its successor. One from a file may have been withdrawn
			// hours ago, and a restart must not lengthen its life. One that was too old to serve stays so.
			dropped++
		default:
			next.withdrawn[kid] = withdrawnKey{s.set, now.Add(withdrawnGrace)}
		}
	}
	for kid, w := range s.withdrawn {
		switch {
		case next.ids[kid]:
			dropped += missing(kid, w.set, set)
		case now.Before(w.until):
			next.withdrawn[kid] = w
		default:
			dropped++
		}
	}
	if dropped > 0 {
		next.generation++
	}
	return next, dropped
}

// retire returns s without what has become too old by now: s itself when nothing has. dropped is the number of
// keys whose grace is over, and next the time at which there is something to retire again, or zero.
func (s *keySnapshot) retire(now time.Time) (after *keySnapshot, dropped int, next time.Time) {
	after = s
	earlier := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	kept := make(map[string]withdrawnKey, len(s.withdrawn))
	for kid, w := range s.withdrawn {
		if now.Before(w.until) {
			kept[kid] = w
			earlier(w.until)
		}
	}
	dropped = len(s.withdrawn) - len(kept)
	turned := !s.stale && s.expired(now)
	if dropped > 0 || turned {
		copied := *s
		copied.withdrawn, copied.stale = kept, s.stale || turned
		copied.generation++
		after = &copied
	}
	if !after.stale && !s.staleAt.IsZero() {
		earlier(s.staleAt)
	}
	return after, dropped, next
}

func keyIDs(set *jose.KeySet) map[string]bool {
	ids := make(map[string]bool)
	for _, key := range set.Keys() {
		ids[key.ID()] = true
	}
	return ids
}

// missing is the number of keys under kid in before that are not in after: replaced, not merely joined.
func missing(kid string, before, after *jose.KeySet) int {
	n := 0
	for _, old := range before.Keys() {
		if old.ID() != kid {
			continue
		}
		found := false
		for _, key := range after.Keys() {
			found = found || key.Equal(old)
		}
		if !found {
			n++
		}
	}
	return n
}
