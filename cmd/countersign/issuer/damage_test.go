package issuer_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/issuer"
	"github.com/countersign-dev/countersign/cmd/countersign/seal"
	"github.com/countersign-dev/countersign/cognito"
)

const secretText = "a-client-secret-in-clear"

// written returns the path of a closed database that holds a few records.
func written(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "issuer.db")
	s := openSQLite(t, path)
	records := []cognito.Record{{Kind: cognito.KindPool, PoolID: "p", ID: "p", Body: []byte(`{"Name":"pool"}`)}}
	for i := range 20 {
		records = append(records, cognito.Record{Kind: cognito.KindClient, PoolID: "p", ID: fmt.Sprint("client", i),
			Body: []byte(`{"ClientSecret":"` + secretText + `"}`)})
	}
	if _, err := s.Commit(t.Context(), 0, records); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func execSQL(t *testing.T, path, query string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), query)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestOpenSQLiteRefuses(t *testing.T) {
	overwrite := func(content []byte) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	query := func(q string) func(*testing.T, string) {
		return func(t *testing.T, path string) { execSQL(t, path, q) }
	}
	tests := []struct {
		name  string
		spoil func(*testing.T, string)
		is    error // nil where the text alone counts
		want  string
	}{
		{"not a database", overwrite(bytes.Repeat([]byte("text "), 1000)), issuer.ErrCorrupt, "restore a backup"},
		{"a header and nothing else", overwrite([]byte("SQLite format 3\x00")), issuer.ErrCorrupt, "restore a backup"},
		{"cut in half", func(t *testing.T, path string) {
			if err := os.Truncate(path, 8192); err != nil {
				t.Fatal(err)
			}
		}, issuer.ErrCorrupt, "nothing was changed"},
		{"a newer schema", query(`UPDATE countersign_schema SET version = 99`), nil,
			"written by a newer version of this program: its schema has version 99, this program knows versions up to "},
		{"another program's database", query(`ALTER TABLE countersign_schema RENAME TO other`), nil, "of another program; nothing was changed"},
		{"no schema version", query(`DELETE FROM countersign_schema`), issuer.ErrCorrupt, "restore a backup"},
		{"a schema version that is none", query(`UPDATE countersign_schema SET version = -126`), issuer.ErrCorrupt, "its schema has version -126; nothing was changed"},
		{"no revision", query(`DELETE FROM store`), issuer.ErrCorrupt, "restore a backup"},
		{"another key", query(`UPDATE store SET key_id = '00000000'`), seal.ErrOtherKey, "key 00000000 wanted"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := written(t)
			tt.spoil(t, path)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s, err := issuer.OpenSQLite(t.Context(), path, newSealer(t, 1))
			if err == nil {
				t.Fatal("it opens", s.Close())
			}
			if tt.is != nil && !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v; want %v, %q and the path", err, tt.is, tt.want)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the refused file was changed (%v)", err)
			}
		})
	}
}

func TestOpenSQLiteNoFilePossible(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		dir:                               " is not a file",
		filepath.Join(file, "issuer.db"):  "create the database",
		filepath.Join(dir, "none", "one"): "check the owner and the mode",
	} {
		s, err := issuer.OpenSQLite(t.Context(), path, newSealer(t, 1))
		if err == nil {
			t.Error(path, "opens", s.Close())
		} else if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v; want %q and the path", err, want)
		}
	}
}

// TestAnyFlippedByte: a database with one wrong byte either gives exactly what was written or an error.
func TestAnyFlippedByte(t *testing.T) {
	path := written(t)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := loaded(t, path)
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	noticed := 0
	for range 120 {
		at := random.IntN(len(content))
		spoilt := bytes.Clone(content)
		spoilt[at] ^= byte(1 + random.IntN(255))
		copied := filepath.Join(t.TempDir(), "issuer.db")
		if err := os.WriteFile(copied, spoilt, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := tryLoad(t, copied)
		if err != nil {
			noticed++
			if strings.Contains(err.Error(), secretText) {
				t.Errorf("byte %d (seed %d): the error shows a secret: %v", at, seed, err)
			}
			continue
		}
		if got != want {
			t.Fatalf("byte %d of the file changed (seed %d) and nobody noticed", at, seed)
		}
	}
	if noticed == 0 {
		t.Error("no changed byte was noticed: the test spoils nothing")
	}
}

// TestFlippedRevision: the store's revision is in no row that has a checksum. Replicas go by it.
func TestFlippedRevision(t *testing.T) {
	for bit := range 24 {
		path := written(t)
		execSQL(t, path, fmt.Sprintf(`UPDATE store SET revision = (revision | %[1]d) - (revision & %[1]d)`, 1<<bit))
		if got, err := tryLoad(t, path); !errors.Is(err, issuer.ErrCorrupt) || !strings.Contains(err.Error(), "a revision that no commit has left") {
			t.Errorf("bit %d: got %.80q, %v; want ErrCorrupt", bit, got, err)
		}
	}
}

func loaded(t *testing.T, path string) string {
	t.Helper()
	got, err := tryLoad(t, path)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func tryLoad(t *testing.T, path string) (string, error) {
	t.Helper()
	s, err := issuer.OpenSQLite(t.Context(), path, newSealer(t, 1))
	if err != nil {
		return "", err
	}
	defer s.Close()
	records, revision, err := s.Load(t.Context())
	return fmt.Sprint(revision, records), err
}

func TestSQLiteSecretsAreSealed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "issuer.db")
	s := openSQLite(t, path)
	at := int64(0)
	for _, kind := range []cognito.Kind{cognito.KindClient, cognito.KindKey} {
		var err error
		at, err = s.Commit(t.Context(), at, []cognito.Record{{Kind: kind, PoolID: "p", ID: "x", Body: []byte(secretText)}})
		if err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) < 2 {
		t.Fatalf("files %q, %v; want the database and its log", files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil || bytes.Contains(content, []byte(secretText)) {
			t.Errorf("%s holds a secret in clear (%v)", file, err)
		}
		if info, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v; want 0600", file, info.Mode(), err)
		}
	}
}

// TestSQLiteSealedRecordStaysInItsRow: someone who may write the file, but has no key, gives client 1 the secret of
// client 0 and repairs the checksum.
func TestSQLiteSealedRecordStaysInItsRow(t *testing.T) {
	path := written(t)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	moved := cognito.Record{Kind: cognito.KindClient, PoolID: "p", ID: "client1"}
	var revision int64
	if err := db.QueryRowContext(t.Context(), `SELECT body, revision FROM records WHERE id = 'client0'`).Scan(&moved.Body, &revision); err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), `UPDATE records SET body = ?, checksum = ? WHERE id = 'client1'`,
		moved.Body, issuer.Checksum(revision, moved))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tryLoad(t, path); !errors.Is(err, seal.ErrDamaged) || !strings.Contains(err.Error(), "client/p/client1") {
		t.Errorf("got %q, %v; want ErrDamaged and the record's name", got, err)
	}
}

func TestSQLiteDiskFull(t *testing.T) {
	path := written(t)
	s := openSQLite(t, path)
	want, at, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.LimitPages(t.Context(), 1); err != nil { // no less than it has
		t.Fatal(err)
	}
	big := cognito.Record{Kind: cognito.KindPool, PoolID: "q", ID: "q", Body: bytes.Repeat([]byte("x"), 100_000)}
	small := cognito.Record{Kind: cognito.KindPool, PoolID: "p", ID: "p", Body: []byte(`{"Name":"changed"}`)}
	_, err = s.Commit(t.Context(), at, []cognito.Record{small, big})
	if !errors.Is(err, issuer.ErrDiskFull) || !strings.Contains(err.Error(), "nothing was written; make room") {
		t.Fatalf("got %v, want ErrDiskFull", err)
	}
	got, revision, err := s.Load(t.Context())
	if err != nil || revision != at || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("after the failed commit: revision %d, %v; want all as it was at %d", revision, err, at)
	}
	if err := s.LimitPages(t.Context(), 1<<20); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(t.Context(), at, []cognito.Record{big}); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

func TestSQLitePathWithOddCharacters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?mode=memory#%41&é.db")
	openSQLite(t, path)
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

// TestSQLiteIsReplacedWhileItIsOpen: what would be written to a file that has no name any more is refused, and said.
func TestSQLiteIsReplacedWhileItIsOpen(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // a file that is open keeps its name there
	}
	record := []cognito.Record{{Kind: cognito.KindPool, PoolID: "p", ID: "p", Body: []byte(`{}`)}}
	for name, replace := range map[string]func(path string) error{
		"removed":      os.Remove,
		"moved":        func(path string) error { return os.Rename(path, path+".old") },
		"another file": func(path string) error { return errors.Join(os.Remove(path), os.WriteFile(path, nil, 0o600)) },
	} {
		t.Run(name, func(t *testing.T) {
			path := written(t)
			s := openSQLite(t, path)
			_, at, err := s.Load(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := replace(path); err != nil {
				t.Fatal(err)
			}
			const want = "the file was removed or replaced while it was open; nothing was written; stop every process"
			if _, err := s.Commit(t.Context(), at, record); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Commit: %v, want %s", err, want)
			}
			if _, _, err := s.Changes(t.Context(), at); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Changes: %v, want %s", err, want)
			}
		})
	}
}
