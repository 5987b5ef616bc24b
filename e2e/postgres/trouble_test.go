package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/issuer"
	"github.com/countersign-dev/countersign/cognito"
)

// TestRefusedDatabase: each mistake has its advice, and none shows the password.
func TestRefusedDatabase(t *testing.T) {
	server := sharedServer(t)
	exec1(t, server.dsn(""), `DROP ROLE IF EXISTS poor; CREATE ROLE poor LOGIN PASSWORD '`+password+`'`)
	dead, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, dsn, want string }{
		{"no DSN at all", "postgres://issuer:" + password + "/x@127.0.0.1:5432/postgres", "the DSN of the database cannot be read; write postgres://"},
		{"a keyword too much", "host=127.0.0.1 password='" + password, "the DSN of the database cannot be read; write postgres://"},
		{"another password", strings.Replace(server.dsn(""), password, "other", 1), "the server refuses this user"},
		{"no such database", strings.Replace(server.dsn(""), "/postgres?", "/missing?", 1), "the server refuses this user"},
		{"no schema to create in", server.dsn("missing"), "no schema has been selected to create in"},
		{"a user who may not create", strings.Replace(server.dsn("public"), "issuer:", "poor:", 1), "the server refuses this user"},
		{"TLS where there is none", strings.Replace(server.dsn(""), "sslmode=disable", "sslmode=require", 1), "server refused TLS connection"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := refused(t, tt.dsn); !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v\nwant %s", err, tt.want)
			}
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, err := openWithin(ctx, t, fmt.Sprintf("postgres://issuer:%s@127.0.0.1:%d/postgres", password, dead))
		if err == nil || !strings.Contains(err.Error(), "the server does not answer") || strings.Contains(err.Error(), password) {
			t.Errorf("got %v", err)
		}
	})
}

// TestSynchronousCommitOff: the server's own setting would lose what was acknowledged.
func TestSynchronousCommitOff(t *testing.T) {
	server := sharedServer(t)
	dsn := server.newSchema(t) + "&synchronous_commit=off"
	s := open(t, dsn)
	// A trigger sees the setting inside the commit.
	exec1(t, dsn, `CREATE TABLE seen (setting text);
		CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NEW; END $$;
		CREATE TRIGGER see BEFORE UPDATE ON countersign_store FOR EACH ROW EXECUTE FUNCTION see()`)
	record := []cognito.Record{{Kind: cognito.KindPool, PoolID: "p", ID: "p", Body: []byte(`{}`)}}
	if _, err := s.Commit(t.Context(), 0, record); err != nil {
		t.Fatal(err)
	}
	if got := query1(t, dsn, `SELECT setting FROM seen`); got != "on" {
		t.Errorf("a commit ran with synchronous_commit %s, want on", got)
	}
}

// TestReadOnlyServer: a start and reads work, a commit says what is wrong, and afterwards all is as it was.
func TestReadOnlyServer(t *testing.T) {
	server := sharedServer(t)
	dsn := server.newSchema(t)
	open(t, dsn).Close()
	s := open(t, dsn+"&default_transaction_read_only=on")
	if _, _, err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	record := []cognito.Record{{Kind: cognito.KindPool, PoolID: "p", ID: "p", Body: []byte(`{}`)}}
	if _, err := s.Commit(t.Context(), 0, record); err == nil || !strings.Contains(err.Error(), "the server accepts no writes") {
		t.Errorf("Commit: %v", err)
	}
	if _, revision, err := s.Load(t.Context()); err != nil || revision != 0 {
		t.Errorf("Load after it: revision %d, %v", revision, err)
	}
}

// TestServerDiskFull: the server says so in the middle of a commit, which leaves nothing behind.
func TestServerDiskFull(t *testing.T) {
	dsn := sharedServer(t).newSchema(t)
	s := open(t, dsn)
	exec1(t, dsn, `CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			IF NEW.id = 'last' THEN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END IF;
			RETURN NEW; END $$;
		CREATE TRIGGER fill BEFORE INSERT ON countersign_records FOR EACH ROW EXECUTE FUNCTION fill()`)
	records := []cognito.Record{
		{Kind: cognito.KindPool, PoolID: "p", ID: "first", Body: []byte(`{}`)},
		{Kind: cognito.KindPool, PoolID: "p", ID: "last", Body: []byte(`{}`)},
	}
	if _, err := s.Commit(t.Context(), 0, records); !errors.Is(err, issuer.ErrDiskFull) || !strings.Contains(err.Error(), "make room on the server") {
		t.Errorf("Commit: %v, want ErrDiskFull and what to do", err)
	}
	if left, revision, err := s.Load(t.Context()); err != nil || revision != 0 || len(left) != 0 {
		t.Errorf("it left %d records at revision %d (%v)", len(left), revision, err)
	}
	exec1(t, dsn, `DROP TRIGGER fill ON countersign_records`)
	if _, err := s.Commit(t.Context(), 0, records); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

// TestDeletionsAreForgotten: after a round of the ring nobody can ask for them.
func TestDeletionsAreForgotten(t *testing.T) {
	server := sharedServer(t)
	dsn := server.newSchema(t)
	s := open(t, dsn)
	at := int64(0)
	for i := range 3 * 1024 {
		r := cognito.Record{Kind: cognito.KindClient, PoolID: "p", ID: fmt.Sprint(i / 2), Body: []byte(`{}`)}
		if i%2 == 1 {
			r.Body = nil
		}
		next, err := s.Commit(t.Context(), at, []cognito.Record{r})
		if err != nil {
			t.Fatal(err)
		}
		at = next
	}
	if got := query1(t, dsn, `SELECT (count(*) <= 1024)::text FROM countersign_records`); got != "true" {
		t.Error("the marks of 1,536 deletions are all there")
	}
	if records, _, err := s.Changes(t.Context(), 0); err != nil || len(records) > 1024 {
		t.Errorf("Changes from the start: %d records, %v", len(records), err)
	}
	if _, _, err := s.Changes(t.Context(), 1); !errors.Is(err, cognito.ErrConflict) {
		t.Errorf("Changes from a revision that never was: %v", err)
	}
}

// TestStricterIsolation: where the database has another isolation than PostgreSQL's own, a replica that comes second is told so by an
// error in the place of no row, and it is a conflict all the same. Nobody's change is lost and none is made twice.
func TestStricterIsolation(t *testing.T) {
	for _, level := range []string{"serializable", "repeatable read"} {
		t.Run(level, func(t *testing.T) {
			dsn := sharedServer(t).newSchema(t) + "&default_transaction_isolation=" + url.QueryEscape(level)
			var writing sync.WaitGroup
			const writers, each = 4, 25
			conflicts := [writers]int{}
			for w := range writers {
				s := open(t, dsn)
				writing.Go(func() {
					for n := 0; n < each; {
						_, at, err := s.Load(t.Context())
						if err != nil {
							t.Error(err)
							return
						}
						id := fmt.Sprintf("%d-%d", w, n)
						_, err = s.Commit(t.Context(), at, []cognito.Record{{Kind: cognito.KindPool, PoolID: id, ID: id, Body: []byte(`{}`)}})
						switch {
						case err == nil:
							n++
						case errors.Is(err, cognito.ErrConflict):
							conflicts[w]++
						default:
							t.Error(err)
							return
						}
					}
				})
			}
			writing.Wait()
			records, _, err := open(t, dsn).Load(t.Context())
			if err != nil || len(records) != writers*each {
				t.Errorf("%d records, %v; want %d", len(records), err, writers*each)
			}
			t.Logf("conflicts: %v", conflicts)
		})
	}
}
