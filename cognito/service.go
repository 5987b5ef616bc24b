package cognito

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
)

// A Service is Cognito's machine-to-machine half. Make one with [New].
//
// It holds everything in memory. Reads and tokens come from an immutable snapshot and touch neither a lock nor the
// store; a write is a rule that looks at the snapshot, then a commit to the store, then the next snapshot. All methods
// may be called from several goroutines.
type Service struct {
	config  Config
	current atomic.Pointer[snapshot]
	turn    chan struct{} // holds one element while somebody replaces current; taking it honours the caller's ctx
	gate    *gate
	guesses guesses
	fresh   atomic.Pointer[Freshness] // all but the revision, which current has
	watched atomic.Bool               // Watch was called: others commit to the store
}

// New reads the store and returns a service over it. It reports everything that is wrong with the configuration at
// once. The caller closes the store after the last use of the service.
func New(ctx context.Context, config Config) (*Service, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Service{config: config, turn: make(chan struct{}, 1), gate: newGate(), guesses: guesses{longest: config.GuessDelay}}
	s.fresh.Store(&Freshness{})
	err = s.reload(ctx)
	s.note(err)
	return s, err
}

// Issuer returns the iss of the pool's tokens, also for a pool that does not exist.
func (s *Service) Issuer(poolID string) string {
	if p := s.current.Load().pools[poolID]; p != nil {
		return p.issuer
	}
	return s.place().issuer(poolID, false)
}

// SigningKey returns the key that signs the pool's access tokens, and its key id: for tests and for tools that forge
// tokens to see them refused. The error is an [APIError] when there is no such pool.
func (s *Service) SigningKey(poolID string) (kid string, key crypto.Signer, err error) {
	p, err := s.current.Load().pool(poolID)
	if err != nil {
		return "", nil, err
	}
	signing := p.access.signer(s.config.Now())
	return signing.id, signing.signer, nil
}

// Refresh catches up with what other services have committed to the store.
func (s *Service) Refresh(ctx context.Context) error {
	release, err := s.takeTurn(ctx)
	if err != nil {
		return err
	}
	defer release()
	return s.catchUp(ctx)
}

func (s *Service) place() place {
	return place{s.config.Region, s.config.AccountID, s.config.BaseURL}
}

// reload replaces the snapshot by what the store holds now.
func (s *Service) reload(ctx context.Context) error {
	records, revision, err := s.config.Store.Load(ctx)
	if err != nil {
		return fmt.Errorf("cognito: load the store: %w", err)
	}
	next, err := (&snapshot{place: s.place(), pools: map[string]*pool{}, domains: map[string]*DomainDescription{}}).take(records, revision)
	if err != nil {
		return err
	}
	s.current.Store(next)
	return nil
}

// catchUp brings the snapshot to the store's revision. The caller has the turn.
func (s *Service) catchUp(ctx context.Context) error {
	err := s.advance(ctx)
	s.note(err)
	return err
}

func (s *Service) advance(ctx context.Context) error {
	now := s.current.Load()
	records, revision, err := s.config.Store.Changes(ctx, now.revision)
	if errors.Is(err, ErrConflict) {
		return s.reload(ctx) // the store went back: it was restored
	}
	if err != nil {
		return fmt.Errorf("cognito: read the store's changes: %w", err)
	}
	if revision == now.revision {
		return nil
	}
	next, err := now.take(records, revision)
	if err != nil {
		return err
	}
	s.current.Store(next)
	return nil
}

// takeTurn waits until nobody else replaces the snapshot. A write waits for the store meanwhile, which is why this is
// no mutex: who waits can give up. Readers never wait.
func (s *Service) takeTurn(ctx context.Context) (release func(), err error) {
	select {
	case s.turn <- struct{}{}:
		return func() { <-s.turn }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("cognito: wait for other writes: %w", ctx.Err())
	}
}

// A draft is one write in the making: what it reads, when it happens, and what it wants changed.
type draft struct {
	view    *snapshot
	now     Time
	changes []Record
	told    map[string]any             // what a call of the JSON API says; nil for a typed one
	reset   []string                   // settings that an update resets unasked, sorted
	lost    map[string]json.RawMessage // their values before
	err     error

	operation string // what the audit trail calls the write
}

func (d *draft) put(kind Kind, poolID, id string, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		d.err = errors.Join(d.err, fmt.Errorf("encode a %s", kind))
	}
	d.changes = append(d.changes, Record{kind, poolID, id, b})
}

func (d *draft) remove(kind Kind, poolID, id string) {
	d.changes = append(d.changes, Record{Kind: kind, PoolID: poolID, ID: id})
}

// maxAttempts bounds how often a write starts again because another service was faster.
const maxAttempts = 100

// write lets a rule make a draft over the newest snapshot and commits it. When another service has committed meanwhile
// it catches up and asks the rule again: the rule may answer differently.
func write[O any](ctx context.Context, s *Service, rule func(*draft) (O, error)) (out O, err error) {
	release, err := s.takeTurn(ctx)
	if err != nil {
		return out, failedWrite(ctx, err)
	}
	defer release()
	for range maxAttempts {
		d := &draft{view: s.current.Load(), now: moment(s.config.Now())}
		out, err := rule(d)
		if err == nil && d.err != nil {
			err = internalError(d.err)
		}
		if err != nil || len(d.changes) == 0 {
			return out, err
		}
		conflict, err := s.commit(ctx, d)
		if err != nil {
			return *new(O), failedWrite(ctx, err)
		}
		if !conflict {
			s.tell(ctx, d)
			return out, nil
		}
	}
	return out, apiError(CodeConcurrentModification, "The resource was changed by others during the request. Try again.")
}

// failedWrite is an internal error, or the end of a caller's patience.
func failedWrite(ctx context.Context, err error) *APIError {
	e := internalError(err)
	if errors.Is(ctx.Err(), context.Canceled) {
		e.Status = statusGone
	}
	return e
}

// commit writes the draft and moves to the snapshot that has it, or to a newer one after a conflict.
//
// The next snapshot is made first: what cannot be read back must never reach the store, which no service could load then.
func (s *Service) commit(ctx context.Context, d *draft) (conflict bool, err error) {
	next, err := d.view.apply(d.changes, d.view.revision)
	if err != nil {
		return false, err
	}
	next.revision, err = s.config.Store.Commit(ctx, d.view.revision, d.changes)
	if errors.Is(err, ErrConflict) {
		return true, s.catchUp(ctx)
	}
	if err != nil {
		// It may have been written all the same. The caller hears of the error, and the snapshot of the truth.
		_ = s.catchUp(context.WithoutCancel(ctx))
		return false, fmt.Errorf("cognito: commit: %w", err)
	}
	s.current.Store(next)
	s.note(nil)
	return false, nil
}
