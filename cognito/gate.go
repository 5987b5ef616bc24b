package cognito

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
)

// A gate lets as many goroutines sign at once as there are processors, in the order in which they came.
//
// Without it Go's scheduler lets late requests overtake early ones when every processor is busy with RSA: at 16
// connections the slowest percent then waits thirty times as long as the median.
type gate struct {
	permits chan struct{} // senders that block on a channel are served first in, first out
	waiting atomic.Int64
}

// maxWaiting bounds the queue. With RSA-2048 it is a second or two long; a request behind it would wait for a caller
// that has given up.
const maxWaiting = 4096

var errBusy = errors.New("cognito: too many requests wait for a signature")

func newGate() *gate { return &gate{permits: make(chan struct{}, runtime.GOMAXPROCS(0))} }

// enter waits for a permit and returns how to give it back. It fails with errBusy when the queue is full, and when ctx
// ends first.
func (g *gate) enter(ctx context.Context) (leave func(), err error) {
	if g.waiting.Add(1) > maxWaiting {
		g.waiting.Add(-1)
		return nil, errBusy
	}
	defer g.waiting.Add(-1)
	select {
	case g.permits <- struct{}{}:
		return g.leave, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (g *gate) leave() { <-g.permits }
