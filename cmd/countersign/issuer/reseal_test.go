package issuer_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/issuer"
	"github.com/countersign-dev/countersign/cmd/countersign/seal"
	"github.com/countersign-dev/countersign/cognito"
)

// many is more secrets than are sealed at once, with what is no secret and what is gone between them.
func many(n int) (all []cognito.Record) {
	for i := range n {
		id := fmt.Sprint("c", i)
		all = append(all, cognito.Record{Kind: cognito.KindClient, PoolID: "p", ID: id, Body: []byte(`{"secret":"` + id + `"}`)})
	}
	return append(all,
		cognito.Record{Kind: cognito.KindKey, PoolID: "p", ID: "k", Body: []byte(`{"key":"k"}`)},
		cognito.Record{Kind: cognito.KindPool, PoolID: "p", ID: "p", Body: []byte(`{}`)},
		cognito.Record{Kind: cognito.KindClient, PoolID: "p", ID: "gone"},
	)
}

// TestReseal: everything is there under the new key and nothing opens under the old one; the revision stays, so that an issuer that
// starts again has missed nothing.
func TestReseal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "issuer.db")
	old := openSQLite(t, path)
	revision, err := old.Commit(t.Context(), 0, many(1100))
	if err != nil {
		t.Fatal(err)
	}
	running := openSQLite(t, path)
	if n, err := old.Reseal(t.Context(), newSealer(t, 2)); n != 1101 || err != nil {
		t.Fatalf("%d sealed anew, %v", n, err)
	}
	for name, s := range map[string]*issuer.SQLite{"the one that did it": old, "one that was open": running} {
		_, _, load := s.Load(t.Context())
		_, _, changes := s.Changes(t.Context(), revision)
		_, commit := s.Commit(t.Context(), revision, many(1))
		_, again := s.Reseal(t.Context(), newSealer(t, 3))
		for operation, err := range map[string]error{"Load": load, "Changes": changes, "Commit": commit, "Reseal": again} {
			if err == nil || !strings.Contains(err.Error(), "its secrets are sealed under another key since this program began") {
				t.Errorf("%s, %s: %v", name, operation, err)
			}
		}
	}
	if s, err := issuer.OpenSQLite(t.Context(), path, newSealer(t, 1)); !errors.Is(err, seal.ErrOtherKey) {
		t.Errorf("with the old key: %v, %v", s, err)
	}
	s, err := issuer.OpenSQLite(t.Context(), path, newSealer(t, 2))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	records, at, err := s.Load(t.Context())
	if err != nil || at != revision || len(records) != 1102 {
		t.Fatalf("%d records at %d, %v", len(records), at, err)
	}
	for _, r := range records {
		if r.Kind == cognito.KindClient && string(r.Body) != `{"secret":"`+r.ID+`"}` {
			t.Fatalf("%s is %s", r.ID, r.Body)
		}
	}
	if _, err := s.Commit(t.Context(), revision, many(1)); err != nil {
		t.Error(err)
	}
}

// TestResealIsWholeOrNot: what keeps it from its end leaves the store as it was.
func TestResealIsWholeOrNot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "issuer.db")
	s := openSQLite(t, path)
	revision, err := s.Commit(t.Context(), 0, many(600))
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Reseal(gone, newSealer(t, 2)); err == nil {
		t.Error("a caller that is gone: no error")
	}
	sqliteExec(t, path, `UPDATE records SET checksum = checksum + 1 WHERE id = 'c599'`)
	if _, err := s.Reseal(t.Context(), newSealer(t, 2)); !errors.Is(err, issuer.ErrCorrupt) {
		t.Errorf("a damaged row behind six hundred good ones: %v", err)
	}
	sqliteExec(t, path, `UPDATE records SET checksum = checksum - 1 WHERE id = 'c599'`)
	if records, at, err := s.Load(t.Context()); err != nil || at != revision || len(records) != 602 {
		t.Errorf("%d records at %d, %v", len(records), at, err)
	}
}
