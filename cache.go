package countersign

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// tokenCache keeps verified tokens, so that the thousand requests of a token's life cost one public-key operation.
//
// It holds what was verified and nothing else: no token is kept because of what its sender claims, and only a sender that is
// issued good tokens can push others out. The whole token is compared, never a hash of it alone (CVE-2026-35039), and the
// deadline is asked on every hit (CVE-2026-107719).
//
// It is a table of sets of atomic pointers. A look-up takes no lock and writes nothing, so that it scales with the
// processors even when all of them see one token. Where in the table a token stands follows from its last bytes, which
// are a signature's and therefore spread well, hashed under a secret seed.
//
// Timing: a miss differs from a hit by a public-key operation, which tells callers that the token they sent was seen here
// before: they hold it, and could have used it. The comparison stops at the first byte that differs, but it takes place only with
// a token whose last bytes have the same keyed hash: to measure it, one must already have the end of that token's
// signature, and what is then learnt is its signed part, which without the rest of the signature is worth nothing.
type tokenCache struct {
	seed  maphash.Seed
	sets  []cacheSet
	bytes int64 // bound

	mu   sync.Mutex // for writers
	used int64
	hand int
}

// cacheWays is the places of one set; a set is one cache line of pointers, or half of one.
const cacheWays = 4

type cacheSet [cacheWays]atomic.Pointer[verified]

const (
	hashedTail   = 32  // bytes of the token that are hashed
	entryBytes   = 512 // what an entry costs besides its token and claims, rounded up
	bytesPerSlot = 512 // the table has a place for each half KiB of the bound, four times as many as fit: sets that overflow are rare
)

func newTokenCache(bytes int) *tokenCache {
	if bytes < 0 {
		return nil
	}
	sets := 1
	for sets*cacheWays*bytesPerSlot < bytes {
		sets *= 2
	}
	return &tokenCache{seed: maphash.MakeSeed(), sets: make([]cacheSet, sets), bytes: int64(bytes)}
}

// get returns what is known of the token, if it is still good at now.
func (c *tokenCache) get(token string, now int64) *verified {
	if c == nil {
		return nil
	}
	set := c.set(token)
	for i := range set {
		v := set[i].Load()
		if v != nil && v.token == token && v.usable(now) {
			return v
		}
	}
	return nil
}

// put keeps v, and forgets what stands in its way.
func (c *tokenCache) put(v *verified, now int64) {
	if c == nil || v.size() > c.bytes/8 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	place := c.place(c.set(v.token), v.token, now)
	c.replace(place, v)
	for c.used > c.bytes {
		c.sweep(v)
	}
}

// place is where in the set the token belongs: where it stands already, or where nothing of use does, or
// where the entry stands that ends soonest.
func (c *tokenCache) place(set *cacheSet, token string, now int64) *atomic.Pointer[verified] {
	var victim *atomic.Pointer[verified]
	soonest := int64(1<<63 - 1)
	for i := range set {
		v := set[i].Load()
		if v != nil && v.token == token {
			return &set[i]
		}
		end := int64(-1)
		if v != nil && v.usable(now) {
			end = v.deadline
		}
		if end < soonest {
			victim, soonest = &set[i], end
		}
	}
	return victim
}

// sweep frees the next set of the table, keeping v. Over time every entry is met, so that those of withdrawn keys and
// ended tokens do not stay for ever.
func (c *tokenCache) sweep(keep *verified) {
	c.hand = (c.hand + 1) % len(c.sets)
	for i := range c.sets[c.hand] {
		place := &c.sets[c.hand][i]
		if place.Load() != keep {
			c.replace(place, nil)
		}
	}
}

func (c *tokenCache) replace(place *atomic.Pointer[verified], v *verified) {
	if old := place.Swap(v); old != nil {
		c.used -= old.size()
	}
	if v != nil {
		c.used += v.size()
	}
}

func (c *tokenCache) set(token string) *cacheSet {
	tail := token
	if len(tail) > hashedTail {
		tail = tail[len(tail)-hashedTail:]
	}
	return &c.sets[maphash.String(c.seed, tail)&uint64(len(c.sets)-1)]
}
