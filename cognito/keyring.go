package cognito

import (
	"cmp"
	"errors"
	"slices"
	"time"
)

// A keyring is the keys of a pool that sign access tokens, in the order in which they begin to. Which one signs follows from
// the time alone, so that services which share a store agree on it without a word.
type keyring []*signingKey

// newKeyring picks the keys for access tokens out of all keys of a pool that was created then.
func newKeyring(keys []*signingKey, created time.Time) (keyring, error) {
	var ring keyring
	for _, k := range keys {
		if k.use != accessKey {
			continue
		}
		if k.created.IsZero() { // keys that were made with their pool do not say when
			made := *k
			made.created = created
			k = &made
		}
		ring = append(ring, k)
	}
	if len(ring) == 0 {
		return nil, errors.New("it has no key for access tokens")
	}
	slices.SortFunc(ring, func(a, b *signingKey) int {
		return cmp.Or(a.begins().Compare(b.begins()), cmp.Compare(a.id, b.id))
	})
	return ring, nil
}

// begins is when the key begins to sign.
func (k *signingKey) begins() time.Time {
	if k.active.IsZero() {
		return k.created
	}
	return k.active
}

// at returns the place of the key that signs at a time: the last that has begun to. Before the first has begun, which only a
// clock that went back can see, it is the first: it is the one that everybody knows.
func (r keyring) at(now time.Time) int {
	i := len(r) - 1
	for i > 0 && r[i].begins().After(now) {
		i--
	}
	return i
}

func (r keyring) signer(now time.Time) *signingKey { return r[r.at(now)] }

func (r keyring) newest() *signingKey { return r[len(r)-1] }

// retires is when the key at place i leaves the key set: when the last token that it signed has ended, and whoever keeps the
// set has had time to fetch another. The zero time means that nothing follows it yet.
func (r keyring) retires(i int) time.Time {
	if i+1 >= len(r) {
		return time.Time{}
	}
	return r[i+1].begins().Add(MaxTokenLife + KeyCacheTime)
}

// algorithms lists what the keys sign with, each once.
func (r keyring) algorithms() []string {
	var all []string
	for _, k := range r {
		if alg := string(k.alg); !slices.Contains(all, alg) {
			all = append(all, alg)
		}
	}
	return all
}
