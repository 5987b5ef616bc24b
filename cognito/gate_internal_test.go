package cognito

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
)

// TestGateIsFair: who came first signs first.
func TestGateIsFair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{permits: make(chan struct{}, 1)}
		leave, err := g.enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		const waiting = 50
		var order []int
		done := make(chan struct{})
		for i := range waiting {
			go func() {
				leave, err := g.enter(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				order = append(order, i) // the permit is the lock
				leave()
				done <- struct{}{}
			}()
			synctest.Wait() // until it waits for the permit
		}
		leave()
		for range waiting {
			<-done
		}
		if !slices.IsSorted(order) {
			t.Errorf("order %v", order)
		}
	})
}

func TestGateIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{permits: make(chan struct{}, 1)}
		leave, err := g.enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, maxWaiting)
		for range maxWaiting {
			go func() {
				_, err := g.enter(ctx)
				ended <- err
			}()
		}
		synctest.Wait()
		if _, err := g.enter(t.Context()); !errors.Is(err, errBusy) {
			t.Errorf("one more: %v, want errBusy", err)
		}
		cancel()
		for range maxWaiting {
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Fatalf("a waiter whose caller is gone: %v", err)
			}
		}
		leave()
		if leave, err = g.enter(t.Context()); err != nil {
			t.Fatalf("after all have gone: %v", err)
		}
		leave()
	})
}

// TestBusyIsUnavailable: the answers to a queue that is full.
func TestBusyIsUnavailable(t *testing.T) {
	e := issueError(errBusy)
	if e.Code != "temporarily_unavailable" || e.Status != 503 {
		t.Errorf("%+v", e)
	}
	if e := issueError(context.Canceled); e.Code != "server_error" || e.Status != 500 {
		t.Errorf("%+v", e)
	}
}
