package cognito

import (
	"context"
	"errors"
	"sync"
	"time"
)

// A Watcher is a [Store] that knows by itself when another service has committed to it.
type Watcher interface {
	// Watch calls changed once it knows of every later commit, since nobody told of the earlier ones, and after each
	// commit; more often does no harm. It returns when ctx ends, or when it can tell no longer; then with the reason.
	Watch(ctx context.Context, changed func()) error
}

// DefaultInterval is how often [Service.Watch] looks at the store if it is told nothing else.
const DefaultInterval = 500 * time.Millisecond

// A [Watcher] that cannot tell is asked again after a wait that doubles between these.
const (
	firstPatience = 50 * time.Millisecond
	lastPatience  = 5 * time.Second
)

// A Freshness says how well a [Service] knows its store. Tokens come from memory and are issued however old it is.
type Freshness struct {
	Revision int64     // of what the service knows
	Checked  time.Time // when that was last known to be the newest, by [Config].Now
	Err      error     // why the last look at the store failed; nil when it did not
}

// Freshness returns how well the service knows its store now.
func (s *Service) Freshness() Freshness {
	f := *s.fresh.Load()
	f.Revision = s.current.Load().revision
	return f
}

// Watch keeps the service at what others commit to the store, until ctx ends. Each of several services over one store
// runs it in a goroutine of its own and waits for it before it closes the store.
//
// It looks at the store every interval, zero meaning [DefaultInterval], and at once when the store is a [Watcher] and
// tells of a commit. So a change that another service has been acknowledged is answered with here after one interval and
// the time of a read at the latest. While the store cannot be read, tokens are issued from what is known.
func (s *Service) Watch(ctx context.Context, interval time.Duration) {
	if interval <= 0 {
		interval = DefaultInterval
	}
	s.watched.Store(true)
	changed := make(chan struct{}, 1)
	var listening sync.WaitGroup
	defer listening.Wait()
	if w, ok := s.config.Store.(Watcher); ok {
		listening.Go(func() { s.listen(ctx, w, changed) })
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for known := true; ; {
		known = s.look(ctx, known)
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-ticker.C:
		}
	}
}

// consultTime bounds how long an administrator's call waits for the store before it is answered from what is known.
const consultTime = 2 * time.Second

// consult catches up before an administrator's call, where others commit to the store too. Whoever has made a pool through
// one replica goes on at once, and behind a load balancer at another one, which would not know the pool for some
// milliseconds. Token requests do not wait for this: they touch no store.
func (s *Service) consult(ctx context.Context) {
	if !s.watched.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, consultTime)
	defer cancel()
	_ = s.Refresh(ctx) // without the store a read is answered all the same, and a write fails at its commit
}

// look catches up, and logs when the store is lost and when it is back. It returns whether the store could be read.
func (s *Service) look(ctx context.Context, known bool) bool {
	err := s.Refresh(ctx)
	switch {
	case ctx.Err() != nil:
		return known
	case err != nil && known:
		s.config.Logger.Warn("the store cannot be read; tokens are issued from what is known",
			"error", err, "revision", s.current.Load().revision)
	case err == nil && !known:
		s.config.Logger.Info("the store can be read again", "revision", s.current.Load().revision)
	}
	return err == nil
}

// listen asks the store to tell, again and again.
func (s *Service) listen(ctx context.Context, w Watcher, changed chan<- struct{}) {
	wait, told := firstPatience, true
	for {
		err := w.Watch(ctx, func() {
			wait, told = firstPatience, true
			select {
			case changed <- struct{}{}:
			default: // it has not looked yet since the last time, and will see both
			}
		})
		if ctx.Err() != nil || errors.Is(err, ErrClosed) {
			return
		}
		if told {
			s.config.Logger.Warn("the store tells of no changes; it is asked for them", "error", err)
		}
		told = false
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = min(2*wait, lastPatience)
	}
}

// note remembers how a look at the store ended.
func (s *Service) note(err error) {
	switch {
	case err == nil:
		s.fresh.Store(&Freshness{Checked: s.config.Now()})
	case !errors.Is(err, context.Canceled): // which is the caller's impatience and says nothing about the store
		s.fresh.Store(&Freshness{Checked: s.fresh.Load().Checked, Err: err})
	}
}
