package cognito

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// The times of a rotation. A new key is in the key set for [KeyCacheTime] and [MaxClockSkew] before it signs, so that who
// keeps the set has it by then; an old one stays for [MaxTokenLife] and [KeyCacheTime] after it has signed last, so that each
// of its tokens verifies until it ends.
const (
	// KeyCacheTime is how long a verifier may keep a key set. The set itself says one hour (Cache-Control); Amazon API
	// Gateway, which does not read that, keeps it for two.
	KeyCacheTime = 2 * time.Hour

	// MaxTokenLife is the longest AccessTokenValidity of an app client.
	MaxTokenLife = 24 * time.Hour

	// MaxClockSkew is how far apart the clocks of services that share a store may be, together with the time until each has
	// seen what another has committed.
	MaxClockSkew = 5 * time.Minute

	// MinRotation is the shortest time between two scheduled rotations. With it a pool never has more than four keys for
	// access tokens.
	MinRotation = 24 * time.Hour

	// MaxKeys is how many keys a key set has at most: an AWS Application Load Balancer forwards nothing when there are more.
	MaxKeys = 10
)

// KeyState says what a [Key] is there for.
type KeyState string

// The states of a key.
const (
	KeyPublished KeyState = "published" // it is in the key set and will sign
	KeySigning   KeyState = "signing"   // it signs access tokens
	KeyRetiring  KeyState = "retiring"  // it is in the key set for the tokens that it has signed
	KeyUnused    KeyState = "unused"    // Cognito's second key, for id tokens, of which there are none
)

// A Key is a signing key of a pool, without the key itself.
type Key struct {
	PoolID    string
	ID        string // the kid
	Algorithm string
	State     KeyState
	Created   time.Time // when it came into the key set
	Signs     time.Time // from when it signs; zero if it never does
	Retires   time.Time // when it leaves the key set; zero while nothing follows it
}

// PoolIDs returns the ids of all pools, in order.
func (s *Service) PoolIDs() []string { return slices.Sorted(maps.Keys(s.current.Load().pools)) }

// Keys returns the keys of a pool in the order in which they sign.
func (s *Service) Keys(poolID string) ([]Key, error) {
	p, err := s.current.Load().pool(poolID)
	if err != nil {
		return nil, err
	}
	now := s.config.Now()
	var all []Key
	for i := range p.access {
		all = append(all, p.describeKey(i, now))
	}
	for _, k := range p.keys {
		if k.use != accessKey {
			all = append(all, Key{PoolID: p.ID, ID: k.id, Algorithm: string(k.alg), State: KeyUnused, Created: p.CreationDate.Time})
		}
	}
	return all, nil
}

// describeKey tells of the access key at place i.
func (p *pool) describeKey(i int, now time.Time) Key {
	k := p.access[i]
	out := Key{
		PoolID: p.ID, ID: k.id, Algorithm: string(k.alg), State: KeySigning,
		Created: k.created, Signs: k.begins(), Retires: p.access.retires(i),
	}
	switch signs := p.access.at(now); {
	case i > signs:
		out.State = KeyPublished
	case i < signs:
		out.State = KeyRetiring
	}
	return out
}

// RotateKeyInput asks for a new key for a pool's access tokens.
type RotateKeyInput struct {
	UserPoolID string

	// Now lets the new key sign at once, without the time in which verifiers fetch it: those that keep a key set and do not
	// ask again for a key id that they do not know refuse tokens until they fetch the set.
	Now bool

	// RemoveOthers takes all other keys for access tokens out of the set at once, as after a theft: every token that they have
	// signed stops being valid, at the latest when its verifier fetches the set. It goes with Now only.
	RemoveOthers bool
}

// RotateKey gives a pool a new key for its access tokens, and returns it. A key that is published already and does not sign
// yet is not followed by another: it is returned, and with Now it signs at once. The error is always an [APIError].
//
// Services that share the store may all be asked at once: without Now, one key comes of it.
func (s *Service) RotateKey(ctx context.Context, in RotateKeyInput) (Key, error) {
	if in.RemoveOthers && !in.Now {
		return Key{}, apiError(CodeInvalidParameter, "RemoveOthers goes with Now: the pool would have no key that signs.")
	}
	p, err := s.current.Load().pool(in.UserPoolID)
	if err != nil {
		return Key{}, err
	}
	fresh, err := s.newAccessKey(p)
	if err != nil {
		return Key{}, internalError(err)
	}
	return write(ctx, s, func(d *draft) (Key, error) {
		d.operation = "RotateKey"
		return d.rotateKey(in, fresh)
	})
}

func (d *draft) rotateKey(in RotateKeyInput, fresh keyBody) (Key, error) {
	p, err := d.view.pool(in.UserPoolID)
	if err != nil {
		return Key{}, err
	}
	waits := p.access.at(d.now.Time) < len(p.access)-1
	if waits && !in.Now {
		return p.describeKey(len(p.access)-1, d.now.Time), nil
	}
	gone := p.access.retired(d.now.Time)
	if in.RemoveOthers {
		gone = p.access
	}
	if len(p.keys)-len(gone) >= MaxKeys && !waits {
		return Key{}, apiError(CodeLimitExceeded, "The key set has %d keys already; the oldest leaves it at %s.",
			len(p.keys), p.access.retires(0).UTC().Format(time.RFC3339))
	}
	fresh.Created, fresh.Active = d.now, moment(d.now.Add(KeyCacheTime+MaxClockSkew))
	if waits && !in.RemoveOthers { // some verifiers know the key that waits
		fresh = p.access.newest().body()
	} else if slices.ContainsFunc(p.access, func(k *signingKey) bool { return k.id == fresh.ID }) {
		return Key{}, internalError(errNotNew)
	}
	if in.Now {
		// Behind the key that signs, also when that was made in this very moment or by a clock that is ahead.
		fresh.Active = moment(later(d.now.Time, p.access.signer(d.now.Time).begins().Add(time.Millisecond)))
	}
	d.removeKeys(p, gone)
	d.put(KindKey, p.ID, fresh.ID, fresh)
	k, err := fresh.signingKey()
	if err != nil {
		return Key{}, internalError(err)
	}
	state := KeyPublished
	if in.Now {
		state = KeySigning
	}
	return Key{PoolID: p.ID, ID: k.id, Algorithm: string(k.alg), State: state, Created: k.created, Signs: k.active}, nil
}

// errNotNew: to go on with a key that was to be replaced, above all after a theft, is worse than to say no.
var errNotNew = errors.New("Config.NewKey returned a key that the pool has already")

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (d *draft) removeKeys(p *pool, keys keyring) {
	for _, k := range keys {
		d.remove(KindKey, p.ID, k.id)
	}
}

// TendKeys publishes a new key for each pool whose newest will have signed for the given time when the new one begins to, and
// removes the keys whose last token has ended. Zero means that nothing is rotated, and old keys are still removed.
//
// It is to be called every minute or so, by each of the services that share a store: one of them does what is due. A pool for
// which it fails does not keep it from the others; the error has all of them.
func (s *Service) TendKeys(ctx context.Context, every time.Duration) error {
	if every != 0 && every < MinRotation {
		return fmt.Errorf("cognito: rotation every %v: the shortest is %v", every, MinRotation)
	}
	var problems []error
	for id, p := range s.current.Load().pools {
		if ctx.Err() != nil {
			break
		}
		if err := s.tendPool(ctx, id, p, every); err != nil {
			problems = append(problems, fmt.Errorf("cognito: the keys of pool %s: %w", id, err))
		}
	}
	return errors.Join(problems...)
}

// tendPool looks without the turn, and makes a key before it takes it: other writes do not wait for either.
func (s *Service) tendPool(ctx context.Context, id string, p *pool, every time.Duration) error {
	now := s.config.Now()
	if p.access.dueAt(every).After(now) && len(p.access.retired(now)) == 0 {
		return nil
	}
	var fresh keyBody
	if !p.access.dueAt(every).After(now) {
		var err error
		if fresh, err = s.newAccessKey(p); err != nil {
			return err
		}
	}
	_, err := write(ctx, s, func(d *draft) (EmptyOutput, error) {
		d.operation = "RotateKey"
		p := d.view.pools[id]
		if p == nil {
			return EmptyOutput{}, nil // it was deleted meanwhile
		}
		if fresh.ID == "" || p.access.dueAt(every).After(d.now.Time) {
			d.removeKeys(p, p.access.retired(d.now.Time))
			return EmptyOutput{}, nil
		}
		_, err := d.rotateKey(RotateKeyInput{UserPoolID: id}, fresh)
		return EmptyOutput{}, err
	})
	return err
}

// never is after every time that a clock shows.
var never = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// dueAt is when the next key is to be published.
func (r keyring) dueAt(every time.Duration) time.Time {
	if every == 0 {
		return never
	}
	return r.newest().begins().Add(every - KeyCacheTime - MaxClockSkew)
}

// retired are the keys that nobody needs any more.
func (r keyring) retired(now time.Time) keyring {
	for i := range r {
		if at := r.retires(i); at.IsZero() || at.After(now) {
			return r[:i]
		}
	}
	return nil
}
