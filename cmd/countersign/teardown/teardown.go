// Package teardown closes what a server has opened, in the reverse order: the store, which was opened first, after everything
// that uses it.
//
// It neither starts nor watches anything. The zero [Stack] is ready for use.
package teardown

import (
	"context"
	"errors"
	"net"
)

// A Stack is what has to be closed. It is used by one goroutine at a time: the one that starts the server, and then the one
// that ends it.
type Stack struct{ closers []func() error }

// Add puts a function on top: it is called before all that were added earlier.
func (s *Stack) Add(close func() error) { s.closers = append(s.closers, close) }

// Listener adds a listener. It is no error if its server has closed it by then.
func (s *Stack) Listener(l net.Listener) {
	s.Add(func() error {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
}

// Run runs f in a goroutine until Close, which ends its context and waits for it to return before what was added earlier is
// closed: f may use that to its end.
func (s *Stack) Run(f func(context.Context)) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); f(ctx) }()
	s.Add(func() error { stop(); <-done; return nil })
}

// Close calls each function once, the last one first, whatever the others return, and joins their errors.
func (s *Stack) Close() error {
	var problems []error
	for len(s.closers) > 0 {
		last := len(s.closers) - 1
		closeLast := s.closers[last]
		s.closers = s.closers[:last]
		problems = append(problems, closeLast())
	}
	return errors.Join(problems...)
}
