// Package storetest is the conformance suite of a cognito.Store: what a store promises, as tests that every
// implementation passes. Start with [Run].
//
// It tests the store alone, with records that mean nothing; that the rules of Cognito hold over a store is tested in
// package cognito.
package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

// Run holds a store to the contract of [cognito.Store], one subtest a promise.
//
// open returns a new, empty store; Run closes it. reopen ends the given store and opens what it left behind, as after
// a restart of the process; it is nil for a store that does not outlive the process, and the promises of durability
// are then not tested.
func Run(t *testing.T, open func(t *testing.T) cognito.Store, reopen func(t *testing.T, s cognito.Store) cognito.Store) {
	for _, promise := range promises {
		t.Run(promise.name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() { _ = s.Close() })
			promise.test(t, s)
		})
	}
	if reopen == nil {
		return
	}
	for _, promise := range durable {
		t.Run(promise.name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() { _ = s.Close() })
			again := func(t *testing.T) cognito.Store {
				s = reopen(t, s)
				return s
			}
			promise.test(t, s, again)
		})
	}
}

var promises = []struct {
	name string
	test func(*testing.T, cognito.Store)
}{
	{"an empty store is at revision 0", emptyStore},
	{"what was committed is loaded", loadsWhatWasCommitted},
	{"a body comes back byte for byte", bodiesAreExact},
	{"identity is kind, pool and id together", identity},
	{"a later commit replaces", replaces},
	{"a deleted record is not loaded", deletes},
	{"deleting what is not there is no error", deletesNothing},
	{"the last change of one identity wins inside a commit", lastChangeWins},
	{"a commit at an old revision is ErrConflict and writes nothing", staleCommit},
	{"a commit at a future revision is ErrConflict", futureCommit},
	{"a commit without changes writes nothing", emptyCommit},
	{"revisions grow", revisionsGrow},
	{"changes come oldest first, deletions included", changesInOrder},
	{"no changes after the newest revision", noChanges},
	{"changes after a future revision are ErrConflict", futureChanges},
	{"changes from 0 rebuild what Load returns", changesRebuild},
	{"a store keeps copies", keepsCopies},
	{"a cancelled context writes nothing", cancelled},
	{"of concurrent commits at one revision one wins", oneWriterWins},
	{"concurrent writers that retry lose nothing", retryingWriters},
	{"a reader sees a commit whole or not at all", wholeCommits},
	{"a closed store answers with an error", closed},
}

var durable = []struct {
	name string
	test func(*testing.T, cognito.Store, func(*testing.T) cognito.Store)
}{
	{"what was committed is there after a restart", survivesRestart},
	{"a deletion is told after a restart", deletionSurvivesRestart},
	{"the revision goes on after a restart", revisionSurvivesRestart},
}

func record(kind cognito.Kind, pool, id, body string) cognito.Record {
	return cognito.Record{Kind: kind, PoolID: pool, ID: id, Body: []byte(body)}
}

func deleted(kind cognito.Kind, pool, id string) cognito.Record {
	return cognito.Record{Kind: kind, PoolID: pool, ID: id}
}

func commit(t *testing.T, s cognito.Store, revision int64, changes ...cognito.Record) int64 {
	t.Helper()
	next, err := s.Commit(context.Background(), revision, changes)
	if err != nil {
		t.Fatalf("Commit at revision %d: %v", revision, err)
	}
	return next
}

func load(t *testing.T, s cognito.Store) ([]string, int64) {
	t.Helper()
	records, revision, err := s.Load(context.Background())
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	lines := render(records)
	slices.Sort(lines)
	return lines, revision
}

func changes(t *testing.T, s cognito.Store, since int64) ([]string, int64) {
	t.Helper()
	records, revision, err := s.Changes(context.Background(), since)
	if err != nil {
		t.Fatalf("Changes since %d: %v", since, err)
	}
	return render(records), revision
}

// render turns records into lines that a failed test can show; no record of this suite holds a secret.
func render(records []cognito.Record) []string {
	lines := make([]string, 0, len(records))
	for _, r := range records {
		line := fmt.Sprintf("%s %s/%s %s", r.Kind, r.PoolID, r.ID, r.Body)
		if r.Deleted() {
			line = fmt.Sprintf("%s %s/%s deleted", r.Kind, r.PoolID, r.ID)
		}
		lines = append(lines, line)
	}
	return lines
}

func wantLines(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

func wantRevision(t *testing.T, what string, got, want int64) {
	t.Helper()
	if got != want {
		t.Errorf("%s: revision %d, want %d", what, got, want)
	}
}
