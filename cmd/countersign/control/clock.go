package control

import (
	"sync/atomic"
	"time"
)

// A Clock is the time of this machine, moved. The zero value is not moved. It is safe for concurrent use.
type Clock struct{ offset atomic.Int64 }

// Now returns the time; it goes on from where it was set. It fits [cognito.Config].Now.
func (c *Clock) Now() time.Time { return time.Now().Add(c.Offset()) }

// Offset returns how far the clock is ahead of this machine's.
func (c *Clock) Offset() time.Duration { return time.Duration(c.offset.Load()) }

// Move sets how far the clock is ahead of this machine's.
func (c *Clock) Move(ahead time.Duration) { c.offset.Store(int64(ahead)) }
