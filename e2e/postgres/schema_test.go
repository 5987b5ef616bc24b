package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/countersign-dev/countersign/cmd/countersign/issuer"
	"github.com/countersign-dev/countersign/cmd/countersign/seal"
	"github.com/countersign-dev/countersign/cognito"
)

// query1 returns one value as text.
func query1(t testing.TB, dsn, query string) string {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var value string
	if err := conn.QueryRow(context.Background(), query).Scan(&value); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return value
}

// refused opens a database that cannot be used and returns why not.
func refused(t *testing.T, dsn string) error {
	t.Helper()
	s, err := issuer.OpenPostgres(t.Context(), dsn, newSealer(t, 1))
	if err == nil {
		s.Close()
		t.Fatal("it was opened")
	}
	if strings.Contains(err.Error(), password) || strings.Contains(fmt.Sprintf("%+v %#v", err, err), password) {
		t.Error("the error has the password")
	}
	return err
}

// TestReplicasStartAtOnce: on an empty database, one makes the tables and the others find them.
func TestReplicasStartAtOnce(t *testing.T) {
	dsn := sharedServer(t).newSchema(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s, err := issuer.OpenPostgres(t.Context(), dsn, newSealer(t, 1))
			if err != nil {
				t.Error(err)
				return
			}
			if _, revision, err := s.Load(t.Context()); err != nil || revision != 0 {
				t.Errorf("Load: revision %d, %v", revision, err)
			}
			s.Close()
		})
	}
	wg.Wait()
}

// TestMigrates opens what each version of the schema left behind, the newest included, so that a change to a migration
// that was released shows.
func TestMigrates(t *testing.T) {
	server := sharedServer(t)
	fresh := server.newSchemaName(t)
	open(t, server.dsn(fresh))
	newest := 0
	for version := 1; ; version++ {
		dump, err := os.ReadFile(fmt.Sprintf("testdata/postgres-%d.sql", version))
		if errors.Is(err, os.ErrNotExist) {
			break
		}
		newest = version
		t.Run(fmt.Sprint("from ", version), func(t *testing.T) {
			schema := server.newSchemaName(t)
			server.run(t, dump, "psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--dbname="+server.dsn(schema))
			wantDumped(t, open(t, server.dsn(schema)))
			if got, want := server.tables(t, schema), server.tables(t, fresh); got != want {
				t.Errorf("the schema differs from a new one:\n%s\nwant\n%s", got, want)
			}
		})
	}
	if got := query1(t, server.dsn(fresh), `SELECT version::text FROM countersign_store`); got != fmt.Sprint(newest) {
		t.Errorf("the newest schema has version %s, testdata has dumps up to %d", got, newest)
	}
}

// tables is the schema as pg_dump shows it.
func (s *server) tables(t *testing.T, schema string) string {
	var lines []string
	for line := range strings.Lines(string(s.run(t, nil, "pg_dump", "--schema-only", "--no-owner", "--schema="+schema, s.dsn("")))) {
		if !strings.HasPrefix(line, "--") && !strings.HasPrefix(line, "\\") && strings.TrimSpace(line) != "" {
			lines = append(lines, strings.ReplaceAll(line, schema+".", ""))
		}
	}
	return strings.ReplaceAll(strings.Join(lines, ""), schema, "SCHEMA")
}

// wantDumped holds a store to what the dumps have, and to working on from there.
func wantDumped(t *testing.T, s cognito.Store) {
	t.Helper()
	records, revision, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, r := range records {
		got[r.ID] = string(r.Body)
	}
	if len(got) != 3 || got["p"] != `{"n":1}` || got["kept"] != `{"secret":"s"}` || got["k"] != `{"key":"k"}` {
		t.Errorf("got %v", got)
	}
	next, err := s.Commit(t.Context(), revision, []cognito.Record{{Kind: cognito.KindPool, PoolID: "q", ID: "q", Body: []byte(`{}`)}})
	if err != nil {
		t.Fatal(err)
	}
	if changes, at, err := s.Changes(t.Context(), revision); err != nil || len(changes) != 1 || at != next {
		t.Errorf("Changes after a commit: %v, revision %d, %v; want one record, revision %d", changes, at, err, next)
	}
}

// TestMigrationInterrupted: a step that fails half-way leaves nothing, and the next start takes it.
func TestMigrationInterrupted(t *testing.T) {
	dsn := sharedServer(t).newSchema(t)
	exec1(t, dsn, `CREATE TABLE countersign_commits (x integer)`) // the last table of the step is there already
	if err := refused(t, dsn); !strings.Contains(err.Error(), "migrate from version 0: ") {
		t.Errorf("%v does not say which step failed", err)
	}
	if got := query1(t, dsn, `SELECT coalesce(to_regclass('countersign_store')::text, 'none')`); got != "none" {
		t.Errorf("the failed step left the table %s", got)
	}
	exec1(t, dsn, `DROP TABLE countersign_commits`)
	open(t, dsn)
}

func TestNewerSchema(t *testing.T) {
	dsn := sharedServer(t).newSchema(t)
	running := open(t, dsn)
	exec1(t, dsn, `UPDATE countersign_store SET version = 99`)
	const want = "written by a newer version of this program: its schema has version 99"
	if err := refused(t, dsn); !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	record := []cognito.Record{{Kind: cognito.KindPool, PoolID: "p", ID: "p", Body: []byte(`{}`)}}
	if _, err := running.Commit(t.Context(), 0, record); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Commit of an older version that still runs: %v, want %s", err, want)
	}
	if _, _, err := running.Changes(t.Context(), 0); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Changes of an older version that still runs: %v, want %s", err, want)
	}
}

// TestOlderSchema: a backup of an older version was restored under a replica that runs.
func TestOlderSchema(t *testing.T) {
	dsn := sharedServer(t).newSchema(t)
	running := open(t, dsn)
	exec1(t, dsn, `UPDATE countersign_store SET version = 0`)
	record := []cognito.Record{{Kind: cognito.KindPool, PoolID: "p", ID: "p", Body: []byte(`{}`)}}
	const want = "a backup of an older version was restored"
	if _, err := running.Commit(t.Context(), 0, record); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Commit: %v, want %s", err, want)
	}
	if _, _, err := running.Changes(t.Context(), 0); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Changes: %v, want %s", err, want)
	}
}

func TestOtherKey(t *testing.T) {
	dsn := sharedServer(t).newSchema(t)
	open(t, dsn)
	_, err := issuer.OpenPostgres(t.Context(), dsn, newSealer(t, 2))
	if !errors.Is(err, seal.ErrOtherKey) || !strings.Contains(err.Error(), "every replica needs the same key file") {
		t.Errorf("got %v, want ErrOtherKey and what to do", err)
	}
}

// TestSecretsAreSealed looks for a client's secret and a key in everything that pg_dump finds.
func TestSecretsAreSealed(t *testing.T) {
	server := sharedServer(t)
	schema := server.newSchemaName(t)
	s := open(t, server.dsn(schema))
	const secret = "a-secret-of-a-client"
	_, err := s.Commit(t.Context(), 0, []cognito.Record{
		{Kind: cognito.KindClient, PoolID: "p", ID: "c", Body: []byte(`{"Secret":"` + secret + `"}`)},
		{Kind: cognito.KindKey, PoolID: "p", ID: "k", Body: []byte(`{"PKCS8":"` + secret + `"}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	dump := string(server.run(t, nil, "pg_dump", "--schema="+schema, server.dsn("")))
	if !strings.Contains(dump, "countersign_records") || strings.Contains(dump, secret) || strings.Contains(dump, fmt.Sprintf("%x", secret)) {
		t.Errorf("the dump of %d bytes has the secret in clear, or no records", len(dump))
	}
	exec1(t, server.dsn(schema), `UPDATE countersign_records r SET body = o.body FROM countersign_records o WHERE r.id = 'c' AND o.id = 'k'`)
	if _, _, err := s.Load(t.Context()); !errors.Is(err, issuer.ErrCorrupt) {
		t.Errorf("Load of a record that was moved: %v, want ErrCorrupt", err)
	}
}
