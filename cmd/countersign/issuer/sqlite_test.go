package issuer_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/issuer"
	"github.com/countersign-dev/countersign/cmd/countersign/seal"
	"github.com/countersign-dev/countersign/cognito"
	"github.com/countersign-dev/countersign/cognito/storetest"
)

func newSealer(t testing.TB, fill byte) *seal.Sealer {
	t.Helper()
	s, err := seal.New(bytes.Repeat([]byte{fill}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func openSQLite(t testing.TB, path string) *issuer.SQLite {
	t.Helper()
	s, err := issuer.OpenSQLite(t.Context(), path, newSealer(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestSQLiteIsAStore(t *testing.T) {
	paths := map[cognito.Store]string{}
	open := func(t *testing.T) cognito.Store {
		path := filepath.Join(t.TempDir(), "issuer.db")
		s := openSQLite(t, path)
		paths[s] = path
		return s
	}
	storetest.Run(t, open, func(t *testing.T, s cognito.Store) cognito.Store {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		again := openSQLite(t, paths[s])
		paths[again] = paths[s]
		return again
	})
}

// TestSQLiteIsShared: as by several processes on one machine.
func TestSQLiteIsShared(t *testing.T) {
	paths := map[cognito.Store]string{}
	open := func(t *testing.T) cognito.Store {
		path := filepath.Join(t.TempDir(), "issuer.db")
		s := openSQLite(t, path)
		paths[s] = path
		return s
	}
	storetest.RunShared(t, open, func(t *testing.T, s cognito.Store) cognito.Store { return openSQLite(t, paths[s]) })
}

// TestSQLiteIsRestored: the backup is made while the store is open; the restore is a copy over
// the file while it is closed, as docs/issuer-store.md says.
func TestSQLiteIsRestored(t *testing.T) {
	var path string
	open := func(t *testing.T) cognito.Store {
		path = filepath.Join(t.TempDir(), "issuer.db")
		return openSQLite(t, path)
	}
	storetest.RunRestored(t, open, func(t *testing.T, s cognito.Store) func(*testing.T) cognito.Store {
		copied := filepath.Join(t.TempDir(), "backup.db")
		if err := s.(*issuer.SQLite).Backup(t.Context(), copied); err != nil {
			t.Fatal(err)
		}
		return func(t *testing.T) cognito.Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			content, err := os.ReadFile(copied)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			return openSQLite(t, path)
		}
	})
}

// TestSQLiteSyncsEachCommit: what makes an acknowledged commit survive a power loss, which no test can stage.
func TestSQLiteSyncsEachCommit(t *testing.T) {
	s := openSQLite(t, filepath.Join(t.TempDir(), "issuer.db"))
	journal, synchronous, fullfsync, foreignKeys, err := s.Pragmas(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const full = 2
	if journal != "wal" || synchronous != full || fullfsync != 1 || foreignKeys != 1 {
		t.Errorf("journal_mode %s, synchronous %d, fullfsync %d, foreign_keys %d; want wal, %d, 1, 1",
			journal, synchronous, fullfsync, foreignKeys, full)
	}
}
