package postgres

import (
	"bytes"
	"context"
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

func open(t testing.TB, dsn string) *issuer.Postgres {
	t.Helper()
	s, err := openWithin(t.Context(), t, dsn)
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

func openWithin(ctx context.Context, t testing.TB, dsn string) (*issuer.Postgres, error) {
	return issuer.OpenPostgres(ctx, dsn, newSealer(t, 1))
}

func TestPostgresIsShared(t *testing.T) {
	server := sharedServer(t)
	dsns := map[cognito.Store]string{}
	openNew := func(t *testing.T) cognito.Store {
		dsn := server.newSchema(t)
		s := open(t, dsn)
		dsns[s] = dsn
		return s
	}
	storetest.RunShared(t, openNew, func(t *testing.T, s cognito.Store) cognito.Store { return open(t, dsns[s]) })
}

// TestPostgresIsRestored: with pg_dump and pg_restore, while the store is open, as docs/issuer-store.md says.
func TestPostgresIsRestored(t *testing.T) {
	server := sharedServer(t)
	var schema string
	openNew := func(t *testing.T) cognito.Store {
		schema = server.newSchemaName(t)
		return open(t, server.dsn(schema))
	}
	storetest.RunRestored(t, openNew, func(t *testing.T, s cognito.Store) func(*testing.T) cognito.Store {
		dump := server.run(t, nil, "pg_dump", "--format=custom", "--table="+schema+".countersign_*", server.dsn(""))
		return func(t *testing.T) cognito.Store {
			server.run(t, dump, "pg_restore", "--clean", "--if-exists", "--single-transaction", "--dbname="+server.dsn(""))
			return s
		}
	})
}

func TestPostgresIsAStore(t *testing.T) {
	server := sharedServer(t)
	dsns := map[cognito.Store]string{}
	openNew := func(t *testing.T) cognito.Store {
		dsn := server.newSchema(t)
		s := open(t, dsn)
		dsns[s] = dsn
		return s
	}
	storetest.Run(t, openNew, func(t *testing.T, s cognito.Store) cognito.Store {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		again := open(t, dsns[s])
		dsns[again] = dsns[s]
		return again
	})
}
