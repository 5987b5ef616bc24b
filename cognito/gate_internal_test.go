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

// TestErrorsOfIssuing: a queue that is full and a caller who is gone are no faults of the server's; a key that cannot sign is.
func TestErrorsOfIssuing(t *testing.T) {
	for _, c := range []struct {
		err    error
		code   string
		status int
		api    string
		apiIs  int
	}{
		{errBusy, "temporarily_unavailable", 503, CodeTooManyRequests, 400},
		{context.Canceled, "temporarily_unavailable", 499, CodeInternalError, 499},
		{context.DeadlineExceeded, "temporarily_unavailable", 503, CodeInternalError, 500},
		{errors.New("the key is gone"), "server_error", 500, CodeInternalError, 500},
	} {
		if e := issueError(c.err); e.Code != c.code || e.Status != c.status || e.Reason == "" {
			t.Errorf("%v: %+v", c.err, e)
		}
		if e := clientTokenError(c.err); e.Code != c.api || e.Status != c.apiIs {
			t.Errorf("%v: %+v", c.err, e)
		}
	}
}

// TestWhoHangsUpInTheQueue is told apart from a fault, at both doors.
func TestWhoHangsUpInTheQueue(t *testing.T) {
	s, err := New(t.Context(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	pool, err := s.CreateUserPool(t.Context(), CreateUserPoolInput{PoolName: "p"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.CreateUserPoolClient(t.Context(), CreateUserPoolClientInput{UserPoolID: pool.UserPool.ID, ClientName: "c", GenerateSecret: true,
		ClientSettings: ClientSettings{ExplicitAuthFlows: []string{clientTokenAuth}}})
	if err != nil {
		t.Fatal(err)
	}
	for range cap(s.gate.permits) { // every processor is busy
		leave, err := s.gate.enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer leave()
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.GetClientToken(gone, GetClientTokenInput{ClientID: c.UserPoolClient.ClientID, Secret: c.UserPoolClient.ClientSecret})
	var refusal *TokenError
	if !errors.Is(err, context.Canceled) || !errors.As(err, &refusal) || refusal.Status != statusGone {
		t.Errorf("%v", err)
	}
}
