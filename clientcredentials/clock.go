package clientcredentials

import (
	"math"
	"time"
)

// clock reads two clocks. The monotonic one measures how long a token has been held, and nobody can set it
// back; the wall clock is what an exp claim is written in, and it goes on while a machine sleeps, when
// Linux stops the monotonic one. A token has ended when either says so.
type clock struct {
	epoch time.Time
	now   func() time.Time // nil: time.Now
}

// instant is a reading of both clocks, or a deadline on both.
type instant struct {
	wall int64         // nanoseconds since 1970
	mono time.Duration // since the clock's epoch
}

func (c clock) mono() time.Duration { return time.Since(c.epoch) }

func (c clock) wallTime() time.Time {
	if c.now == nil {
		return time.Now()
	}
	return c.now()
}

func (c clock) read() instant { return instant{wall: c.wallTime().UnixNano(), mono: c.mono()} }

func (i instant) add(d time.Duration) instant {
	return instant{wall: i.wall + int64(d), mono: i.mono + d}
}

// reached reports whether the deadline i has come.
func (i instant) reached(now instant) bool { return now.wall >= i.wall || now.mono >= i.mono }

// after is the deadline that only the monotonic clock reaches.
func after(mono time.Duration) instant { return instant{wall: math.MaxInt64, mono: mono} }
