package countersign

import "time"

// keyState is what the tests look at of one issuer's keys.
type keyState struct {
	issuer      string
	keys        int           // usable keys in the last good set
	withdrawn   int           // keys that still serve although the issuer no longer lists them
	ignored     int           // entries of the set that cannot be used
	confirmed   time.Time     // when the issuer last confirmed the set; zero when none is held
	age         time.Duration // since then
	stale       bool          // too old to serve
	fromFile    bool          // from LastGoodFile, not confirmed since the start
	failures    int           // those that failed since the last good one
	lastError   error         // of the last attempt, or nil
	nextAttempt time.Time     // of the timer
}

// keyStater is a keySource that has a state to tell.
type keyStater interface{ state() keyState }

func (k *keyset) state() keyState {
	now := time.Now()
	s := k.current.Load().state(k.cfg.issuer, now)
	k.mu.Lock()
	defer k.mu.Unlock()
	r := &k.refresh
	s.failures, s.lastError, s.nextAttempt = r.failures, r.err, r.next
	return s
}

func (p *pinnedKeys) state() keyState { return p.snapshot.state(p.issuer, time.Time{}) }

func (s *keySnapshot) state(issuer string, now time.Time) keyState {
	state := keyState{issuer: issuer}
	if s.set == nil {
		return state
	}
	state.keys, state.withdrawn, state.ignored = len(s.set.Keys()), len(s.withdrawn), len(s.set.Ignored())
	state.confirmed, state.stale, state.fromFile = s.confirmed, s.expired(now), s.fromFile
	if !s.confirmed.IsZero() {
		state.age = now.Sub(s.confirmed)
	}
	return state
}
