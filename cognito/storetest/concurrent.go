package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

const writers = 16

func oneWriterWins(t *testing.T, s cognito.Store) {
	var won atomic.Int32
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			_, err := s.Commit(t.Context(), 0, []cognito.Record{record(cognito.KindClient, "p", fmt.Sprint(i), `1`)})
			switch {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, cognito.ErrConflict):
				t.Errorf("Commit: error %v, want ErrConflict", err)
			}
		})
	}
	wg.Wait()
	if got, _ := load(t, s); won.Load() != 1 || len(got) != 1 {
		t.Errorf("%d commits succeeded and left %d records, want 1 and 1", won.Load(), len(got))
	}
}

// retryingWriters do what a Service does: on a conflict they catch up and try again.
func retryingWriters(t *testing.T, s cognito.Store) {
	const each = 8
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() { retry(t, s, i, each) })
	}
	wg.Wait()
	if got, _ := load(t, s); len(got) != writers*each {
		t.Errorf("%d records, want %d", len(got), writers*each)
	}
}

// retry makes n records.
func retry(t *testing.T, s cognito.Store, writer, n int) {
	at := int64(0)
	for i := 0; i < n; {
		next, err := s.Commit(t.Context(), at, []cognito.Record{record(cognito.KindClient, "p", fmt.Sprint(writer, "-", i), `1`)})
		if errors.Is(err, cognito.ErrConflict) {
			_, next, err = s.Changes(t.Context(), at)
		} else {
			i++
		}
		if err != nil {
			t.Errorf("writer %d: %v", writer, err)
			return
		}
		at = next
	}
}

// wholeCommits writes two records that always carry the same number, while readers look for a difference.
func wholeCommits(t *testing.T, s cognito.Store) {
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				records, revision, err := s.Load(t.Context())
				if err != nil {
					t.Errorf("Load: %v", err)
					return
				}
				if revision > 0 && (len(records) != 2 || string(records[0].Body) != string(records[1].Body)) {
					t.Errorf("at revision %d half a commit was seen", revision)
					return
				}
			}
		})
	}
	at := int64(0)
	for i := range 50 {
		n := fmt.Sprint(i)
		at = commit(t, s, at, record(cognito.KindClient, "p", "a", n), record(cognito.KindClient, "p", "b", n))
	}
	close(stop)
	wg.Wait()
}
