package issuer_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

// TestSQLiteBackup copies the store again and again while another process writes to it: each copy is a whole commit.
func TestSQLiteBackup(t *testing.T) {
	path := filepath.Join(t.TempDir(), "issuer.db")
	writer, s := openSQLite(t, path), openSQLite(t, path)
	ctx, stop := context.WithCancel(t.Context())
	var writing sync.WaitGroup
	writing.Go(func() {
		at := int64(0)
		for n := 0; ctx.Err() == nil; n++ {
			body := sampleClient(0, n).Body
			next, err := writer.Commit(context.Background(), at, []cognito.Record{
				{Kind: cognito.KindClient, PoolID: "p", ID: "a", Body: append(body[:len(body):len(body)], byte(n))},
				{Kind: cognito.KindClient, PoolID: "p", ID: "b", Body: append(body[:len(body):len(body)], byte(n))},
			})
			if err != nil {
				t.Error(err)
				return
			}
			at = next
		}
	})
	for range 10 {
		copied := filepath.Join(t.TempDir(), "backup.db")
		if err := s.Backup(t.Context(), copied); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(copied); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
		}
		records, _, err := openSQLite(t, copied).Load(t.Context())
		if err != nil || len(records) != 0 && (len(records) != 2 || string(records[0].Body) != string(records[1].Body)) {
			t.Errorf("the copy has %d records of half a commit (%v)", len(records), err)
		}
	}
	stop()
	writing.Wait()
}

func TestSQLiteBackupReplacesNothing(t *testing.T) {
	s := openSQLite(t, filepath.Join(t.TempDir(), "issuer.db"))
	path := filepath.Join(t.TempDir(), "there")
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(t.Context(), path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file that is there: %v, want fs.ErrExist", err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "precious" {
		t.Errorf("it is now %q, %v", content, err)
	}
	if err := s.Backup(t.Context(), filepath.Join(path, "below")); err == nil || !strings.Contains(err.Error(), "back up to a new file") {
		t.Errorf("below a file: %v", err)
	}
	gone := filepath.Join(t.TempDir(), "gone.db")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Backup(ctx, gone); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := os.Stat(gone); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a backup that failed left its file: %v", err)
	}
}
