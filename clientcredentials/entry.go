package clientcredentials

import (
	"math/rand/v2"
	"sync/atomic"
	"time"
)

const (
	// defaultLife is taken for a token of which nobody says when it ends: the shortest that Cognito gives.
	defaultLife = 5 * time.Minute

	// maxMargin is how long before its end a token is no longer sent, for the way to the server and a
	// server's clock that is ahead; of a short life it is a tenth.
	maxMargin = 10 * time.Second

	// longLife is from where on a token that lives longer is not renewed earlier before its end.
	longLife = 4 * time.Hour

	// minRenewal keeps a token that a cache hands out again and again from being asked for ever faster.
	minRenewal = 10 * time.Second

	// wallEvery is how often the wall clock is read on the fast path.
	wallEvery = 100 * time.Millisecond
)

// entry is a token and its times. It does not change, look apart.
type entry struct {
	token  *Token
	header string       // "Bearer " and the token
	renew  instant      // from here on a call asks for the next one
	end    instant      // from here on it is not sent
	look   atomic.Int64 // monotonic; until then a call need not compare renew and end
}

// lifetime is min(expires_in, exp claim). A cache in front of an issuer repeats expires_in from when it
// stored the answer, so the claim is compared with the clock; and with iat, so that a clock which is behind
// does not lengthen it. Where this machine's clock leaves next to nothing, the issuer's own decides, if the answer
// has it: a clock that is ahead would throw every token away. It is negative for a token that has ended.
func lifetime(g grant, c claims, now instant) time.Duration {
	life := g.life
	if life == 0 {
		life = maxLife
		if !c.timed {
			// RFC 6749, Section 5.1: expires_in is RECOMMENDED; its absence is not a promise of a token without end.
			life = defaultLife
		}
	}
	shorten := func(seconds float64) {
		if seconds < maxLife.Seconds() {
			life = min(life, time.Duration(max(seconds, -1)*float64(time.Second)))
		}
	}
	if !c.timed {
		return life
	}
	if c.issuedAt > 0 {
		shorten(c.expiry - c.issuedAt)
	}
	left := c.expiry - float64(now.wall)/float64(time.Second)
	if !g.at.IsZero() && left < min(life/10, defaultLife).Seconds() {
		left = max(left, c.expiry-float64(g.at.Unix()))
	}
	shorten(left)
	return life
}

// newEntry returns nil when nothing is left of the life.
func newEntry(t *Token, asked instant, life time.Duration) *entry {
	margin := min(maxMargin, life/10)
	if life-margin <= 0 {
		return nil
	}
	// Between 65 and 85 % of the life. Drawn anew for each token, so that programs that start together do not stay together. A
	// long life is not renewed hours ahead: each request is billed, and few outages last that long.
	early := time.Duration(float64(min(life, longLife)) * (0.15 + 0.2*rand.Float64()))
	renewal := max(life-early, min(minRenewal, life-margin))
	return &entry{token: t, header: "Bearer " + t.AccessToken, renew: asked.add(renewal), end: asked.add(life - margin)}
}

// renewAt returns the same entry with another time of renewal.
func (e *entry) renewAt(at instant) *entry {
	return &entry{token: e.token, header: e.header, renew: at, end: e.end}
}

func (e *entry) fresh(now instant) bool {
	return e != nil && !e.renew.reached(now) && !e.end.reached(now)
}

func (e *entry) usable(now instant) bool { return e != nil && !e.end.reached(now) }
