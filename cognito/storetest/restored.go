package storetest

import (
	"errors"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

// RunRestored holds a store to what a restore from a backup does to the services that use it: they must not go on with
// what is gone. open is that of [Run]. backup copies the store, and the function that it returns brings the store back to
// the copy; it returns the store, which may be another handle.
func RunRestored(t *testing.T, open func(t *testing.T) cognito.Store,
	backup func(t *testing.T, s cognito.Store) (restore func(t *testing.T) cognito.Store)) {
	for _, promise := range restoredPromises {
		t.Run(promise.name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() { _ = s.Close() })
			at := commit(t, s, 0, record(cognito.KindPool, "p", "p", `1`), record(cognito.KindClient, "p", "kept", `{"secret":"s"}`))
			restore := backup(t, s)
			lost := commit(t, s, at, record(cognito.KindPool, "p", "p", `2`), record(cognito.KindClient, "p", "lost", `1`))
			s = restore(t)
			promise.test(t, s, at, lost)
		})
	}
}

var restoredPromises = []struct {
	name string
	test func(t *testing.T, s cognito.Store, at, lost int64)
}{
	{"after a restore Load returns what the backup had", loadsBackup},
	{"after a restore a lost revision is ErrConflict", lostRevision},
	{"after a restore and new commits a lost revision is ErrConflict", lostRevisionLater},
}

func loadsBackup(t *testing.T, s cognito.Store, at, _ int64) {
	got, revision := load(t, s)
	wantLines(t, "Load", got, `client p/kept {"secret":"s"}`, "pool p/p 1")
	wantRevision(t, "Load", revision, at)
	next := commit(t, s, at, record(cognito.KindPool, "q", "q", `1`))
	got, revision = changes(t, s, at)
	wantLines(t, "Changes", got, "pool q/q 1")
	wantRevision(t, "Changes", revision, next)
}

func lostRevision(t *testing.T, s cognito.Store, _, lost int64) { wantLost(t, s, lost) }

// lostRevisionLater: the store has as many commits again as it had before the restore, and more. A service that was away
// meanwhile must learn that its state is none of the store's.
func lostRevisionLater(t *testing.T, s cognito.Store, at, lost int64) {
	for range 5 {
		at = commit(t, s, at, record(cognito.KindPool, "p", "p", `3`))
		wantLost(t, s, lost)
	}
}

func wantLost(t *testing.T, s cognito.Store, lost int64) {
	t.Helper()
	if _, _, err := s.Changes(t.Context(), lost); !errors.Is(err, cognito.ErrConflict) {
		t.Errorf("Changes at a lost revision: error %v, want ErrConflict", err)
	}
	if _, err := s.Commit(t.Context(), lost, []cognito.Record{record(cognito.KindPool, "p", "p", `4`)}); !errors.Is(err, cognito.ErrConflict) {
		t.Errorf("Commit at a lost revision: error %v, want ErrConflict", err)
	}
}
