package storetest

import (
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

func survivesRestart(t *testing.T, s cognito.Store, reopen func(*testing.T) cognito.Store) {
	at := commit(t, s, 0, record(cognito.KindPool, "p", "p", `1`), record(cognito.KindClient, "p", "c", `{"secret":"s"}`))
	at = commit(t, s, at, record(cognito.KindKey, "p", "k", `{"key":"k"}`))
	s = reopen(t)
	got, revision := load(t, s)
	wantLines(t, "Load", got, `client p/c {"secret":"s"}`, `key p/k {"key":"k"}`, "pool p/p 1")
	wantRevision(t, "Load", revision, at)
}

func deletionSurvivesRestart(t *testing.T, s cognito.Store, reopen func(*testing.T) cognito.Store) {
	first := commit(t, s, 0, record(cognito.KindPool, "p", "p", `1`))
	second := commit(t, s, first, deleted(cognito.KindPool, "p", "p"))
	s = reopen(t)
	got, revision := changes(t, s, first)
	wantLines(t, "Changes", got, "pool p/p deleted")
	wantRevision(t, "Changes", revision, second)
}

func revisionSurvivesRestart(t *testing.T, s cognito.Store, reopen func(*testing.T) cognito.Store) {
	at := commit(t, s, 0, record(cognito.KindPool, "p", "p", `1`))
	s = reopen(t)
	next := commit(t, s, at, record(cognito.KindPool, "q", "q", `1`))
	s = reopen(t)
	got, revision := load(t, s)
	wantLines(t, "Load", got, "pool p/p 1", "pool q/q 1")
	wantRevision(t, "Load", revision, next)
}
