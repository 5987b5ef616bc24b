package issuer_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/issuer"
	"github.com/countersign-dev/countersign/cognito"
)

// fromDump makes a database of what an earlier version of the program left behind, as SQLite dumps it.
func fromDump(t *testing.T, dump string) string {
	t.Helper()
	text, err := os.ReadFile(dump)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "issuer.db")
	sqliteExec(t, path, string(text))
	return path
}

func sqliteExec(t *testing.T, path, statements string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statements); err != nil {
		t.Fatal(err)
	}
}

// TestSQLiteMigrates opens what each earlier version left behind. A version without a dump in testdata fails.
func TestSQLiteMigrates(t *testing.T) {
	fresh := filepath.Join(t.TempDir(), "issuer.db")
	openSQLite(t, fresh)
	for version := 1; version < issuer.SQLiteVersions(); version++ {
		t.Run(fmt.Sprint("from ", version), func(t *testing.T) {
			path := fromDump(t, fmt.Sprintf("testdata/sqlite-%d.sql", version))
			s := openSQLite(t, path)
			wantDumped(t, s)
			if got, want := schemaOf(t, path), schemaOf(t, fresh); got != want {
				t.Errorf("the schema differs from a new database's:\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// wantDumped holds a store to what the dumps have, and to working on from there.
func wantDumped(t *testing.T, s cognito.Store) {
	t.Helper()
	records, revision, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range records {
		got = append(got, fmt.Sprintf("%s %s/%s %s", r.Kind, r.PoolID, r.ID, r.Body))
	}
	slices.Sort(got)
	if want := []string{`client p/kept {"secret":"s"}`, `key p/k {"key":"k"}`, `pool p/p {"n":1}`}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if changes, _, err := s.Changes(t.Context(), revision); err != nil || len(changes) != 0 {
		t.Errorf("Changes at the migrated revision: %v, %v", changes, err)
	}
	next, err := s.Commit(t.Context(), revision, []cognito.Record{{Kind: cognito.KindPool, PoolID: "q", ID: "q", Body: []byte(`{}`)}})
	if err != nil {
		t.Fatal(err)
	}
	if changes, at, err := s.Changes(t.Context(), revision); err != nil || len(changes) != 1 || at != next {
		t.Errorf("Changes after a commit: %v, revision %d, %v; want one record, revision %d", changes, at, err, next)
	}
}

func schemaOf(t *testing.T, path string) string {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var schema, version string
	err = db.QueryRowContext(t.Context(), `SELECT (SELECT group_concat(sql, ';' || char(10)) FROM (SELECT sql FROM sqlite_schema ORDER BY name)),
		version FROM countersign_schema`).Scan(&schema, &version)
	if err != nil {
		t.Fatal(err)
	}
	return "version " + version + "\n" + strings.ReplaceAll(schema, "\t", " ")
}

// TestSQLiteMigrationInterrupted: a step that fails half-way leaves the version before it, and the next start takes it.
func TestSQLiteMigrationInterrupted(t *testing.T) {
	path := fromDump(t, "testdata/sqlite-1.sql")
	before := schemaOf(t, path)
	// The second statement of the step finds its table there already.
	sqliteExec(t, path, `CREATE TABLE commits (x)`)
	if s, err := issuer.OpenSQLite(t.Context(), path, newSealer(t, 1)); err == nil {
		s.Close()
		t.Fatal("opened although the migration cannot have worked")
	} else if !strings.Contains(err.Error(), "migrate from version 1: ") {
		t.Errorf("%v does not say which step failed", err)
	}
	sqliteExec(t, path, `DROP TABLE commits`)
	if got := schemaOf(t, path); got != before {
		t.Errorf("the failed step left\n%s\nwant\n%s", got, before)
	}
	wantDumped(t, openSQLite(t, path))
}

// TestSQLiteMigratedMeanwhile: a newer version of the program has brought the schema further while this one runs.
func TestSQLiteMigratedMeanwhile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "issuer.db")
	s := openSQLite(t, path)
	sqliteExec(t, path, `UPDATE countersign_schema SET version = 99`)
	record := []cognito.Record{{Kind: cognito.KindPool, PoolID: "p", ID: "p", Body: []byte(`{}`)}}
	if _, err := s.Commit(t.Context(), 0, record); !errors.Is(err, issuer.ErrNewer) {
		t.Errorf("Commit: %v, want ErrNewer", err)
	}
	if _, _, err := s.Changes(t.Context(), 0); !errors.Is(err, issuer.ErrNewer) {
		t.Errorf("Changes: %v, want ErrNewer", err)
	}
}

// TestSQLiteTellsOfCommits: of another handle of the file, as another process has one.
func TestSQLiteTellsOfCommits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "issuer.db")
	s, other := openSQLite(t, path), openSQLite(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	changed, ended := make(chan struct{}, 100), make(chan error)
	go func() { ended <- s.Watch(ctx, func() { changed <- struct{}{} }) }()
	<-changed // it watches
	at := int64(0)
	for range 3 {
		began := time.Now()
		next, err := other.Commit(t.Context(), at, []cognito.Record{sampleClient(0, 0)})
		if err != nil {
			t.Fatal(err)
		}
		at = next
		<-changed
		t.Logf("told after %v", time.Since(began))
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Watch ended with %v", err)
	}
}
