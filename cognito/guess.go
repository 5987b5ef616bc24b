package cognito

import (
	"context"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

// guesses holds back the answers to wrong client secrets, the longer the more of them there were for one client id.
//
// A right secret is never held back, so that nobody can lock a client out by guessing: a lock that a stranger can turn is
// worse than what it protects from. The price is that a guesser who hangs up when no answer comes at once learns the same,
// and pays with a connection for each guess instead of with time. That is enough, because it is not what keeps a secret
// safe: a generated one has 256 bits, and one that a caller chose has 24 characters at least. What it does stop is the loop
// of a deployment with an old secret, and every tool that waits for its answers.
//
// An unknown client id is held back like a known one: the wait tells nobody which ids exist.
type guesses struct {
	longest time.Duration
	waiting atomic.Int64
	mu      sync.Mutex
	table   [guessSlots]guessed
}

// guessed counts the wrong secrets of the client ids that share a slot. It goes down by one each second.
type guessed struct {
	level float64
	at    time.Time
}

const (
	guessSlots = 4096 // ids share one where their hashes meet, and then a wait that only wrong secrets have

	// freeGuesses are answered at once: a person who mistypes, a pod that starts before its new secret is mounted.
	freeGuesses = 5
	guessStep   = 50 * time.Millisecond // for each one more

	// maxHeldBack bounds how many answers wait. A flood beyond it is answered at once: memory for it would be the better attack.
	maxHeldBack = 1024
)

// slow waits before a wrong secret of the client id is answered. It ends early with ctx.
func (g *guesses) slow(ctx context.Context, clientID string, now time.Time) {
	wait := g.note(clientID, now)
	if wait <= 0 {
		return
	}
	if g.waiting.Add(1) > maxHeldBack {
		g.waiting.Add(-1)
		return
	}
	defer g.waiting.Add(-1)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// note counts a wrong secret and returns how long its answer is held back.
func (g *guesses) note(clientID string, now time.Time) time.Duration {
	if g.longest <= 0 {
		return 0
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	slot := &g.table[maphash.String(seed, clientID)%guessSlots]
	if past := now.Sub(slot.at).Seconds(); past > 0 {
		slot.level = max(0, slot.level-past)
		slot.at = now
	}
	slot.level++
	// Above what gives the longest wait more guesses make no difference, neither in the wait nor until it is over.
	slot.level = min(slot.level, freeGuesses+float64(g.longest/guessStep)+1)
	return min(g.longest, time.Duration((slot.level-freeGuesses)*float64(guessStep)))
}
