package grpcguard_test

import (
	"context"
	"sync"
	"testing"

	"github.com/countersign-dev/countersign"
)

// recorder is an observer that keeps the decisions.
type recorder struct {
	mu     sync.Mutex
	events []countersign.DecisionEvent
}

func (r *recorder) Decision(_ context.Context, event countersign.DecisionEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, event)
}

func (r *recorder) Keys(countersign.KeyEvent) {}

// only is the one decision there was.
func (r *recorder) only(t *testing.T) countersign.DecisionEvent {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.events) != 1 {
		t.Fatalf("%d decisions, want 1", len(r.events))
	}
	return r.events[0]
}
