package storetest

import (
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

func emptyStore(t *testing.T, s cognito.Store) {
	got, revision := load(t, s)
	wantLines(t, "Load", got)
	wantRevision(t, "Load", revision, 0)
	got, revision = changes(t, s, 0)
	wantLines(t, "Changes", got)
	wantRevision(t, "Changes", revision, 0)
}

func loadsWhatWasCommitted(t *testing.T, s cognito.Store) {
	next := commit(t, s, 0,
		record(cognito.KindPool, "p1", "p1", `{"n":1}`),
		record(cognito.KindDomain, "p1", "d", `{"n":2}`),
		record(cognito.KindResourceServer, "p1", "https://api.example.com", `{"n":3}`),
		record(cognito.KindClient, "p1", "c", `{"n":4}`),
		record(cognito.KindKey, "p1", "k", `{"n":5}`))
	got, revision := load(t, s)
	wantLines(t, "Load", got,
		`client p1/c {"n":4}`,
		`domain p1/d {"n":2}`,
		`key p1/k {"n":5}`,
		`pool p1/p1 {"n":1}`,
		`resource-server p1/https://api.example.com {"n":3}`)
	wantRevision(t, "Load", revision, next)
}

// bodiesAreExact: a store that parses and re-encodes JSON would break the order of members or large numbers.
func bodiesAreExact(t *testing.T, s cognito.Store) {
	big := `{"long":"` + strings.Repeat("x", 300_000) + `"}`
	at := int64(0)
	for _, body := range []string{`{"z":1,"a":12345678901234567890}`, `{ "space" : "kept" }`, `{"u":"\u0000é\ud83d\ude00"}`, big} {
		at = commit(t, s, at, record(cognito.KindClient, "p", "c", body))
		if got, _ := load(t, s); len(got) != 1 || got[0] != "client p/c "+body {
			t.Errorf("a body of %d bytes came back changed", len(body))
		}
	}
}

func identity(t *testing.T, s cognito.Store) {
	commit(t, s, 0,
		record(cognito.KindPool, "p", "x", `1`),
		record(cognito.KindClient, "p", "x", `2`),
		record(cognito.KindClient, "q", "x", `3`),
		record(cognito.KindClient, "p", "X", `4`),
		record(cognito.KindClient, "p", "", `5`))
	got, _ := load(t, s)
	wantLines(t, "Load", got, "client p/ 5", "client p/X 4", "client p/x 2", "client q/x 3", "pool p/x 1")
}

func replaces(t *testing.T, s cognito.Store) {
	at := commit(t, s, 0, record(cognito.KindPool, "p", "p", `1`))
	commit(t, s, at, record(cognito.KindPool, "p", "p", `2`))
	got, _ := load(t, s)
	wantLines(t, "Load", got, "pool p/p 2")
}

func deletes(t *testing.T, s cognito.Store) {
	at := commit(t, s, 0, record(cognito.KindPool, "p", "p", `1`), record(cognito.KindPool, "q", "q", `2`))
	at = commit(t, s, at, deleted(cognito.KindPool, "p", "p"))
	got, _ := load(t, s)
	wantLines(t, "Load", got, "pool q/q 2")
	commit(t, s, at, record(cognito.KindPool, "p", "p", `3`))
	got, _ = load(t, s)
	wantLines(t, "Load after the record was made again", got, "pool p/p 3", "pool q/q 2")
}

func deletesNothing(t *testing.T, s cognito.Store) {
	commit(t, s, 0, deleted(cognito.KindClient, "p", "c"))
	got, _ := load(t, s)
	wantLines(t, "Load", got)
}

func lastChangeWins(t *testing.T, s cognito.Store) {
	at := commit(t, s, 0,
		record(cognito.KindClient, "p", "a", `1`),
		record(cognito.KindClient, "p", "b", `1`),
		record(cognito.KindClient, "p", "a", `2`),
		deleted(cognito.KindClient, "p", "b"))
	got, _ := load(t, s)
	wantLines(t, "Load", got, "client p/a 2")
	commit(t, s, at, deleted(cognito.KindClient, "p", "a"), record(cognito.KindClient, "p", "a", `3`))
	got, _ = load(t, s)
	wantLines(t, "Load", got, "client p/a 3")
}

func keepsCopies(t *testing.T, s cognito.Store) {
	changed := []cognito.Record{record(cognito.KindPool, "p", "p", `"mine"`)}
	if _, err := s.Commit(t.Context(), 0, changed); err != nil {
		t.Fatal(err)
	}
	copy(changed[0].Body, `XXXXXX`)
	changed[0].ID = "other"
	first, _, err := s.Load(t.Context())
	if err != nil || len(first) != 1 {
		t.Fatalf("Load: %d records, %v", len(first), err)
	}
	copy(first[0].Body, `YYYYYY`)
	got, _ := load(t, s)
	wantLines(t, "Load", got, `pool p/p "mine"`)
}
