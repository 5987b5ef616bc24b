package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

// RunShared holds a store to what several processes that share it rely on. open is that of [Run]; again opens the same
// store once more, as another process does, and RunShared closes that too.
func RunShared(t *testing.T, open func(t *testing.T) cognito.Store, again func(t *testing.T, s cognito.Store) cognito.Store) {
	for _, promise := range sharedPromises {
		t.Run(promise.name, func(t *testing.T) {
			handles := []cognito.Store{open(t)}
			for range replicas - 1 {
				handles = append(handles, again(t, handles[0]))
			}
			t.Cleanup(func() {
				for _, s := range handles {
					_ = s.Close()
				}
			})
			promise.test(t, handles)
		})
	}
}

const replicas = 3

var sharedPromises = []struct {
	name string
	test func(*testing.T, []cognito.Store)
}{
	{"a commit through one handle is read through the others", readThroughOthers},
	{"a commit through one handle makes the others' revisions old", conflictThroughOthers},
	{"of concurrent commits through several handles one wins", oneHandleWins},
	{"writers with handles of their own lose nothing", handlesRetry},
	{"changes after a long gap rebuild what Load returns, or are ErrConflict", changesAfterGap},
	{"a handle that watches is told of the others' commits", toldOfCommits},
}

func readThroughOthers(t *testing.T, handles []cognito.Store) {
	at := commit(t, handles[0], 0, record(cognito.KindPool, "p", "p", `1`), record(cognito.KindKey, "p", "k", `{"key":"k"}`))
	for _, s := range handles {
		got, revision := load(t, s)
		wantLines(t, "Load", got, `key p/k {"key":"k"}`, "pool p/p 1")
		wantRevision(t, "Load", revision, at)
		got, revision = changes(t, s, 0)
		wantLines(t, "Changes", got, "pool p/p 1", `key p/k {"key":"k"}`)
		wantRevision(t, "Changes", revision, at)
	}
}

func conflictThroughOthers(t *testing.T, handles []cognito.Store) {
	first := commit(t, handles[0], 0, record(cognito.KindPool, "p", "p", `1`))
	commit(t, handles[1], first, record(cognito.KindPool, "p", "p", `2`))
	if _, err := handles[0].Commit(t.Context(), first, []cognito.Record{record(cognito.KindPool, "p", "p", `3`)}); !errors.Is(err, cognito.ErrConflict) {
		t.Errorf("Commit: error %v, want ErrConflict", err)
	}
	got, _ := load(t, handles[0])
	wantLines(t, "Load", got, "pool p/p 2")
}

func oneHandleWins(t *testing.T, handles []cognito.Store) {
	at := int64(0)
	for round := range 10 {
		var won, next atomic.Int64
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				id := fmt.Sprint(round, "-", i)
				revision, err := handles[i%len(handles)].Commit(t.Context(), at, []cognito.Record{record(cognito.KindClient, "p", id, `1`)})
				switch {
				case err == nil:
					won.Add(1)
					next.Store(revision)
				case !errors.Is(err, cognito.ErrConflict):
					t.Errorf("Commit: error %v, want ErrConflict", err)
				}
			})
		}
		wg.Wait()
		at = next.Load()
		if got, revision := load(t, handles[0]); won.Load() != 1 || len(got) != round+1 || revision != at {
			t.Fatalf("%d commits succeeded and left %d records at revision %d; want 1, and %d at %d", won.Load(), len(got), revision, round+1, at)
		}
	}
}

func handlesRetry(t *testing.T, handles []cognito.Store) {
	const each = 20
	var wg sync.WaitGroup
	for i, s := range handles {
		wg.Go(func() { retry(t, s, i, each) })
	}
	wg.Wait()
	if got, _ := load(t, handles[0]); len(got) != len(handles)*each {
		t.Errorf("%d records, want %d", len(got), len(handles)*each)
	}
}

// changesAfterGap: a store need not remember everything, but it must know what it has forgotten.
func changesAfterGap(t *testing.T, handles []cognito.Store) {
	start := commit(t, handles[0], 0, record(cognito.KindPool, "p", "p", `1`), record(cognito.KindClient, "p", "gone", `1`))
	at := commit(t, handles[0], start, deleted(cognito.KindClient, "p", "gone"))
	const gap = 1100
	late := at
	for i := range gap {
		if i == gap-1 {
			late = at
		}
		at = commit(t, handles[0], at, record(cognito.KindClient, "p", fmt.Sprint(i%10), fmt.Sprint(i)))
	}
	want, _ := load(t, handles[0])
	var got []string
	records, revision, err := handles[1].Changes(t.Context(), start)
	switch {
	case errors.Is(err, cognito.ErrConflict):
		got, revision = load(t, handles[1])
	case err != nil:
		t.Fatalf("Changes: %v", err)
	default:
		got = rebuild([]cognito.Record{record(cognito.KindPool, "p", "p", `1`), record(cognito.KindClient, "p", "gone", `1`)}, records)
	}
	wantLines(t, "after the gap", got, want...)
	wantRevision(t, "after the gap", revision, at)
	got, revision = changes(t, handles[1], late)
	wantLines(t, "Changes after the last commit but one", got, fmt.Sprintf("client p/%d %d", (gap-1)%10, gap-1))
	wantRevision(t, "Changes after the last commit but one", revision, at)
}

// toldOfCommits: a handle that cannot tell is not asked to.
func toldOfCommits(t *testing.T, handles []cognito.Store) {
	watcher, ok := handles[0].(cognito.Watcher)
	if !ok {
		return
	}
	ctx, cancel := context.WithCancel(t.Context())
	told, ended := make(chan struct{}, 1), make(chan error)
	go func() {
		ended <- watcher.Watch(ctx, func() {
			select {
			case told <- struct{}{}:
			default:
			}
		})
	}()
	at := int64(0)
	for i := range 5 {
		at = commit(t, handles[1+i%2], at, record(cognito.KindClient, "p", "c", fmt.Sprint(i)))
		for seen := int64(-1); seen != at; { // being told once too often does no harm
			select {
			case <-told:
				_, seen = load(t, handles[0])
			case err := <-ended:
				t.Fatalf("Watch ended: %v", err)
			}
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Watch returned %v, want context.Canceled", err)
	}
}

// rebuild applies changes in order to what was there before.
func rebuild(before, changes []cognito.Record) []string {
	state := make(map[string]cognito.Record)
	for _, r := range slices.Concat(before, changes) {
		key := string(r.Kind) + "\x00" + r.PoolID + "\x00" + r.ID
		if delete(state, key); !r.Deleted() {
			state[key] = r
		}
	}
	var rebuilt []cognito.Record
	for _, r := range state {
		rebuilt = append(rebuilt, r)
	}
	lines := render(rebuilt)
	slices.Sort(lines)
	return lines
}
