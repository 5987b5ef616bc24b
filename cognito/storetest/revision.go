package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

func staleCommit(t *testing.T, s cognito.Store) {
	at := commit(t, s, 0, record(cognito.KindPool, "p", "p", `1`))
	_, err := s.Commit(t.Context(), at-1, []cognito.Record{
		record(cognito.KindPool, "p", "p", `2`), record(cognito.KindPool, "q", "q", `2`),
	})
	if !errors.Is(err, cognito.ErrConflict) {
		t.Errorf("Commit: error %v, want ErrConflict", err)
	}
	got, revision := load(t, s)
	wantLines(t, "Load", got, "pool p/p 1")
	wantRevision(t, "Load", revision, at)
}

func futureCommit(t *testing.T, s cognito.Store) {
	if _, err := s.Commit(t.Context(), 1, []cognito.Record{record(cognito.KindPool, "p", "p", `1`)}); !errors.Is(err, cognito.ErrConflict) {
		t.Errorf("Commit: error %v, want ErrConflict", err)
	}
}

func emptyCommit(t *testing.T, s cognito.Store) {
	at := commit(t, s, 0, record(cognito.KindPool, "p", "p", `1`))
	wantRevision(t, "Commit of nothing", commit(t, s, at), at)
	if _, err := s.Commit(t.Context(), at+1, nil); !errors.Is(err, cognito.ErrConflict) {
		t.Errorf("Commit of nothing at another revision: error %v, want ErrConflict", err)
	}
	_, revision := load(t, s)
	wantRevision(t, "Load", revision, at)
}

func revisionsGrow(t *testing.T, s cognito.Store) {
	at := int64(0)
	for range 5 {
		next := commit(t, s, at, record(cognito.KindPool, "p", "p", `1`))
		if next <= at {
			t.Fatalf("Commit at revision %d returned revision %d", at, next)
		}
		_, loaded := load(t, s)
		wantRevision(t, "Load", loaded, next)
		at = next
	}
}

func changesInOrder(t *testing.T, s cognito.Store) {
	first := commit(t, s, 0, record(cognito.KindPool, "z", "z", `1`), record(cognito.KindPool, "y", "y", `1`))
	second := commit(t, s, first, record(cognito.KindPool, "x", "x", `1`))
	third := commit(t, s, second, deleted(cognito.KindPool, "y", "y"), record(cognito.KindPool, "a", "a", `1`))

	got, revision := changes(t, s, first)
	wantLines(t, "Changes after the first commit", got, "pool x/x 1", "pool y/y deleted", "pool a/a 1")
	wantRevision(t, "Changes", revision, third)
	got, _ = changes(t, s, second)
	wantLines(t, "Changes after the second commit", got, "pool y/y deleted", "pool a/a 1")
}

func noChanges(t *testing.T, s cognito.Store) {
	at := commit(t, s, 0, record(cognito.KindPool, "p", "p", `1`))
	got, revision := changes(t, s, at)
	wantLines(t, "Changes", got)
	wantRevision(t, "Changes", revision, at)
}

func futureChanges(t *testing.T, s cognito.Store) {
	at := commit(t, s, 0, record(cognito.KindPool, "p", "p", `1`))
	if _, _, err := s.Changes(t.Context(), at+1); !errors.Is(err, cognito.ErrConflict) {
		t.Errorf("Changes: error %v, want ErrConflict", err)
	}
}

func changesRebuild(t *testing.T, s cognito.Store) {
	at := commit(t, s, 0, record(cognito.KindPool, "p", "p", `1`), record(cognito.KindClient, "p", "c", `1`))
	at = commit(t, s, at, record(cognito.KindPool, "p", "p", `2`), deleted(cognito.KindClient, "p", "c"))
	commit(t, s, at, record(cognito.KindClient, "p", "d", `1`))
	records, _, err := s.Changes(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	got := rebuild(nil, records)
	want, _ := load(t, s)
	wantLines(t, "the changes applied in order", got, want...)
}

func cancelled(t *testing.T, s cognito.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Commit(ctx, 0, []cognito.Record{record(cognito.KindPool, "p", "p", `1`)}); !errors.Is(err, context.Canceled) {
		t.Errorf("Commit: error %v, want context.Canceled", err)
	}
	got, revision := load(t, s)
	wantLines(t, "Load", got)
	wantRevision(t, "Load", revision, 0)
}

func closed(t *testing.T, s cognito.Store) {
	if err := s.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	if _, _, err := s.Load(t.Context()); err == nil {
		t.Error("Load: no error")
	}
	if _, _, err := s.Changes(t.Context(), 0); err == nil {
		t.Error("Changes: no error")
	}
	if _, err := s.Commit(t.Context(), 0, []cognito.Record{record(cognito.KindPool, "p", "p", `1`)}); err == nil {
		t.Error("Commit: no error")
	}
}
