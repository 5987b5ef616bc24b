package countersign

import (
	"context"
	"runtime/debug"
	"slices"
	"time"
)

// refreshState is what run and the requests share, under the lock of keyset.
type refreshState struct {
	attempt *attempt  // being made, or wanted; nil when there is neither
	running bool      // attempt is being made
	wanted  bool      // a token's kid asks for one now
	owed    time.Time // when a kid that found no budget gets its attempt; zero for none
	next    time.Time // when the timer makes one, whatever else happens
	closed  bool
	waiting int // requests that were given an attempt and no answer yet

	failures int   // attempts since the last good one
	err      error // of the last attempt, or nil

	budget missBudget
	absent absentKeys
}

// attempt is one refresh of the set. Everybody who needs it waits for the same one.
type attempt struct {
	started time.Time     // written before done is closed
	err     error         // likewise
	done    chan struct{} // closed at the end
}

// join returns the attempt to wait for.
func (r *refreshState) join() *attempt {
	if r.attempt == nil {
		r.attempt = &attempt{done: make(chan struct{})}
	}
	return r.attempt
}

// soon reports whether the timer's next attempt, or the one that is being made, is worth waiting for in an outage.
func (r *refreshState) soon(now time.Time) bool {
	return r.failures < patientFailures && r.waiting <= maxWaiting && (r.running || r.next.Sub(now) < maxKeyWait)
}

// unavailable is the error of a request that cannot be decided. Unless the issuer fails, next is only the next refresh, and what the
// caller comes back for is being fetched now.
func (r *refreshState) unavailable(cause error, now time.Time) error {
	wait := time.Second
	if r.failures > 0 && !r.running {
		wait = max(wait, r.next.Sub(now))
	}
	return &keysError{retryAfter: wait, cause: cause}
}

// run makes the attempts, one at a time, until ctx ends.
func (k *keyset) run(ctx context.Context) {
	defer close(k.done)
	answers := make(chan answer, 1)
	timer := time.NewTimer(k.step(ctx, answers))
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-k.wake:
		case a := <-answers:
			k.finish(a)
		case <-ctx.Done():
			k.end(answers)
			return
		}
		timer.Reset(k.step(ctx, answers))
	}
}

// step retires what is too old, starts an attempt if one is due, and returns the time until the next step.
func (k *keyset) step(ctx context.Context, answers chan<- answer) time.Duration {
	now := time.Now()
	before := k.current.Load()
	after, dropped, wake := before.retire(now)
	if after != before {
		k.current.Store(after)
	}
	if dropped > 0 {
		k.observe(KeyEvent{Kind: KeysWithdrawn})
	}
	if after.stale && !before.stale {
		k.cfg.logger.Warn("countersign: keys are too old to serve", "issuer", k.cfg.issuer, "age", now.Sub(after.confirmed))
		k.observe(KeyEvent{Kind: KeysStale})
	}

	k.mu.Lock()
	defer k.mu.Unlock()
	r := &k.refresh
	if !r.running {
		due := !now.Before(r.next) || r.wanted
		if !due && !r.owed.IsZero() && !now.Before(r.owed) {
			due, _ = r.budget.take(now)
		}
		if due {
			r.running, r.wanted, r.owed = true, false, time.Time{}
			r.join().started = now
			go k.try(ctx, now, answers)
		}
	}
	if !r.running {
		wake = earliest(wake, r.next, r.owed)
	}
	if wake.IsZero() {
		return time.Hour // the answer wakes run
	}
	return max(wake.Sub(now), 0)
}

// try makes one attempt and gives its answer, whatever happens: the HTTPClient is the user's, and where a panic of it would end one request
// elsewhere, here it would end the process.
func (k *keyset) try(ctx context.Context, started time.Time, answers chan<- answer) {
	a := answer{err: keysOf(k.cfg.issuer, errNoReturn)}
	defer func() {
		if problem := recover(); problem != nil {
			k.cfg.logger.Error("countersign: panic while keys were fetched", "issuer", k.cfg.issuer, "panic", problem, "stack", string(debug.Stack()))
		}
		a.started, a.finished = started, time.Now()
		answers <- a
	}()
	a = k.ask(ctx)
}

// earliest returns the first of the times that are not zero.
func earliest(times ...time.Time) time.Time {
	times = slices.DeleteFunc(times, time.Time.IsZero)
	if len(times) == 0 {
		return time.Time{}
	}
	return slices.MinFunc(times, time.Time.Compare)
}

// finish takes in an answer and releases those who wait for it.
func (k *keyset) finish(a answer) {
	dropped := 0
	if a.err == nil {
		before := k.current.Load()
		var after *keySnapshot
		after, dropped = before.replace(a.set, a.started, a.finished, k.cfg.maxStale)
		k.current.Store(after)
	}
	k.mu.Lock()
	r := &k.refresh
	done, failures, known := r.attempt, r.failures, r.err
	r.attempt, r.running = nil, false
	if r.err = a.err; a.err != nil {
		r.failures++
		r.next = a.finished.Add(backoff(r.failures, a.err))
	} else {
		r.err, r.failures = a.warning, 0
		r.next = a.finished.Add(refreshIn(a.maxAge))
	}
	k.mu.Unlock()
	done.err = a.err
	close(done.done)

	k.tell(a, failures, known, dropped)
	if a.err == nil && k.file != nil {
		k.file.keep(a.body, a.started)
	}
}

// end releases those who wait, and waits for the attempt that is being made.
func (k *keyset) end(answers <-chan answer) {
	k.mu.Lock()
	waiting, running := k.refresh.attempt, k.refresh.running
	k.refresh.attempt, k.refresh.closed = nil, true
	k.mu.Unlock()
	if waiting != nil {
		waiting.err = errKeysClosed
		close(waiting.done)
	}
	if running {
		<-answers
	}
	if k.file != nil {
		k.file.close()
	}
	k.fetcher.close()
}

// tell logs what has nobody to be returned to. An outage is two lines, not one per attempt.
func (k *keyset) tell(a answer, failures int, known error, dropped int) {
	log := k.cfg.logger.With("issuer", k.cfg.issuer)
	event := KeyEvent{Kind: KeysFetched, Duration: a.finished.Sub(a.started)}
	if a.err != nil {
		event.Kind, event.Err = KeysFailed, a.err
		if failures == 0 || known == nil || known.Error() != a.err.Error() {
			log.Warn("countersign: keys could not be fetched", "error", a.err)
		}
	} else if failures > 0 {
		log.Info("countersign: keys are fetched again", "failed", failures)
	}
	if a.warning != nil && (known == nil || known.Error() != a.warning.Error()) {
		log.Warn("countersign: keys are fetched from where they were, as discovery failed", "error", a.warning)
	}
	k.observe(event)
	if dropped > 0 {
		k.observe(KeyEvent{Kind: KeysWithdrawn})
	}
}
