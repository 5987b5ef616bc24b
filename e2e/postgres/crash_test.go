package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cognito"
)

const (
	serverKills  = 6
	crashWriters = 4
)

// TestServerIsKilled ends the server with SIGKILL while several handles commit to it, and asks afterwards whether every
// change that was acknowledged is there, and no change that conflicted.
func TestServerIsKilled(t *testing.T) {
	server := ownServer(t)
	dsn := server.newSchema(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	writers := make([]*storeWriter, crashWriters)
	var writing sync.WaitGroup
	for i := range writers {
		w := &storeWriter{id: i, store: open(t, dsn), acknowledged: map[string]string{}, doubted: map[string]bool{}}
		writers[i] = w
		writing.Go(func() { w.write(ctx) })
	}
	for range serverKills {
		<-time.After(200*time.Millisecond + rand.N(300*time.Millisecond)) // load at a random moment, no synchronisation
		server.kill()
		if err := server.start(); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	writing.Wait()
	records, _, err := open(t, dsn).Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stored := map[string]string{}
	for _, r := range records {
		stored[r.ID] = string(r.Body)
	}
	total, doubts := 0, 0
	for _, w := range writers {
		w.compare(t, stored)
		total, doubts = total+len(w.acknowledged), doubts+len(w.doubted)
	}
	if total < serverKills*crashWriters {
		t.Errorf("%d acknowledged changes: this was no load", total)
	}
	t.Logf("%d kills of the server, %d acknowledged changes, none lost; %d without an answer", serverKills, total, doubts)
}

// A storeWriter adds one record after the other.
type storeWriter struct {
	id           int
	store        cognito.Store
	acknowledged map[string]string // by id
	doubted      map[string]bool   // without an answer: both are right
	failures     []error           // of reads
}

func (w *storeWriter) write(ctx context.Context) {
	at := int64(0)
	for n := 0; ctx.Err() == nil; n++ {
		id, body := fmt.Sprintf("%d-%d", w.id, n), fmt.Sprintf(`{"n":%d}`, n)
		next, err := w.store.Commit(context.Background(), at, []cognito.Record{{Kind: cognito.KindClient, PoolID: "p", ID: id, Body: []byte(body)}})
		switch {
		case err == nil:
			w.acknowledged[id] = body
			at = next
			continue
		case errors.Is(err, cognito.ErrConflict): // it has written nothing
		default:
			w.doubted[id] = true
		}
		for ctx.Err() == nil {
			if _, next, err = w.store.Changes(context.Background(), at); err == nil {
				at = next
				break
			}
			w.failures = append(w.failures, err)
		}
	}
}

func (w *storeWriter) compare(t *testing.T, stored map[string]string) {
	t.Helper()
	for _, err := range w.failures {
		if !strings.Contains(err.Error(), "the server does not answer") {
			t.Errorf("a read: %v", err)
		}
	}
	for id, body := range w.acknowledged {
		if stored[id] != body {
			t.Errorf("%s was acknowledged and is %q", id, stored[id])
		}
	}
	for id := range stored {
		var writer, n int
		if _, err := fmt.Sscanf(id, "%d-%d", &writer, &n); err != nil {
			t.Errorf("%s is nobody's", id)
		}
		if _, known := w.acknowledged[id]; writer == w.id && !known && !w.doubted[id] {
			t.Errorf("%s was refused and is there", id)
		}
	}
}
