package teardown_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/teardown"
)

func TestTheLastIsClosedFirst(t *testing.T) {
	var stack teardown.Stack
	var closed []string
	first, last := errors.New("first"), errors.New("last")
	stack.Add(func() error { closed = append(closed, "first"); return first })
	stack.Add(func() error { closed = append(closed, "middle"); return nil })
	stack.Add(func() error { closed = append(closed, "last"); return last })
	if err := stack.Close(); !errors.Is(err, first) || !errors.Is(err, last) {
		t.Errorf("error %v, want both", err)
	}
	if want := []string{"last", "middle", "first"}; !slices.Equal(closed, want) {
		t.Errorf("closed %q, want %q", closed, want)
	}
	if err := stack.Close(); err != nil || len(closed) != 3 {
		t.Errorf("a second Close: error %v, closed %q", err, closed)
	}
}

func TestCloseWaitsForWhatRuns(t *testing.T) {
	var stack teardown.Stack
	store := "open"
	stack.Add(func() error { store = "closed"; return nil })
	seen := ""
	stack.Run(func(ctx context.Context) {
		<-ctx.Done()
		seen = store
	})
	if err := stack.Close(); err != nil {
		t.Fatal(err)
	}
	if seen != "open" || store != "closed" {
		t.Errorf("what ran saw the store %s, and it is %s", seen, store)
	}
}

func TestAListenerMayBeClosedAlready(t *testing.T) {
	var stack teardown.Stack
	open, closed := listen(t), listen(t)
	stack.Listener(open)
	stack.Listener(closed)
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	if err := stack.Close(); err != nil {
		t.Errorf("error %v", err)
	}
	if _, err := open.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept of the other one: %v, want net.ErrClosed", err)
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}
