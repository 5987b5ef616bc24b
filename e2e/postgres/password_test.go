package postgres

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/issuer"
	"github.com/countersign-dev/countersign/cognito"
)

// TestThePasswordChanges: while a replica runs, as a vault changes it. Every connection that is made from then on has the new one, that
// which listens too.
func TestThePasswordChanges(t *testing.T) {
	server := sharedServer(t)
	schema := server.newSchemaName(t)
	role := "rotating_" + schema
	const first, second = "first-pw-that-nobody-may-see", "second-pw-that-nobody-may-see"
	exec1(t, server.dsn(""), `CREATE ROLE `+role+` LOGIN PASSWORD '`+first+`'; GRANT ALL ON SCHEMA `+schema+` TO `+role)
	var dsn atomic.Value
	with := func(password1 string) string {
		return strings.Replace(server.dsn(schema), "issuer:"+password, role+":"+password1, 1)
	}
	dsn.Store(with(first))
	s, err := issuer.OpenPostgresOf(t.Context(), func() (string, error) {
		if dsn.Load() == "" {
			return "", errors.New("the file of the DSN is gone")
		}
		return dsn.Load().(string), nil
	}, newSealer(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Commit(t.Context(), 0, []cognito.Record{{Kind: cognito.KindPool, PoolID: "p", ID: "p", Body: []byte(`{}`)}}); err != nil {
		t.Fatal(err)
	}
	exec1(t, server.dsn(""), `ALTER ROLE `+role+` PASSWORD '`+second+`'`)
	exec1(t, server.dsn(""), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '`+role+`'`)
	for name, want := range map[string]string{with(first): "the server refuses this user", "": "the file of the DSN is gone", "host=127.0.0.1 password='" + second: "the DSN of the database cannot be read"} {
		dsn.Store(name)
		if _, _, err := s.Load(t.Context()); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), first) || strings.Contains(err.Error(), second) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	dsn.Store(with(second))
	if records, _, err := s.Load(t.Context()); err != nil || len(records) != 1 {
		t.Errorf("with the new password: %d records, %v", len(records), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := s.Watch(ctx, cancel); !errors.Is(err, context.Canceled) {
		t.Errorf("who listens: %v", err)
	}
}
