package cognito_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/cognito"
)

// sharedStore is a store that two services share. It can be down, and it can be one that tells.
type sharedStore struct {
	*cognito.MemoryStore
	down  atomic.Bool
	looks atomic.Int32

	mu     sync.Mutex
	broken chan struct{} // ends the subscriptions of now
	tell   map[int]func()
	next   int
}

var errDown = errors.New("the database is down")

func newSharedStore() *sharedStore {
	return &sharedStore{MemoryStore: cognito.NewMemoryStore(), broken: make(chan struct{}), tell: map[int]func(){}}
}

func (s *sharedStore) Changes(ctx context.Context, since int64) ([]cognito.Record, int64, error) {
	s.looks.Add(1)
	if s.down.Load() {
		return nil, 0, errDown
	}
	return s.MemoryStore.Changes(ctx, since)
}

func (s *sharedStore) Commit(ctx context.Context, revision int64, changes []cognito.Record) (int64, error) {
	if s.down.Load() {
		return 0, errDown
	}
	next, err := s.MemoryStore.Commit(ctx, revision, changes)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, tell := range s.tell {
		tell()
	}
	return next, err
}

// goDown takes the store away, and whoever listens hears nothing from then on.
func (s *sharedStore) goDown() {
	s.down.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.broken)
	s.broken = make(chan struct{})
}

// tellingStore is a sharedStore that is a Watcher.
type tellingStore struct{ *sharedStore }

func (s tellingStore) Watch(ctx context.Context, changed func()) error {
	if s.down.Load() {
		return errDown
	}
	s.mu.Lock()
	id, broken := s.next, s.broken
	s.next++
	s.tell[id] = changed
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.tell, id)
	}()
	changed()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-broken:
		return errDown
	}
}

// replicas are a writer, and a reader that watches. The log is the reader's.
func replicas(t *testing.T, store cognito.Store, interval time.Duration) (writer, reader *cognito.Service, log *bytes.Buffer) {
	log = &bytes.Buffer{}
	writer = newService(t, cognito.Config{Store: store})
	reader = newService(t, cognito.Config{Store: store, Now: time.Now, Logger: slog.New(slog.NewTextHandler(log, nil))})
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() { reader.Watch(ctx, interval) })
	t.Cleanup(func() {
		cancel()
		watching.Wait()
	})
	synctest.Wait()
	return writer, reader, log
}

func makePool(t *testing.T, s *cognito.Service) string {
	t.Helper()
	return must(s.CreateUserPool(t.Context(), cognito.CreateUserPoolInput{PoolName: "p"}))(t).UserPool.ID
}

func knows(s *cognito.Service, pool string) bool {
	_, _, err := s.SigningKey(pool)
	return err == nil
}

func TestWatchLooksEveryInterval(t *testing.T) {
	rsaKeys()
	synctest.Test(t, func(t *testing.T) {
		writer, reader, _ := replicas(t, newSharedStore(), 0)
		time.Sleep(10 * time.Millisecond)
		pool := makePool(t, writer)
		if knows(reader, pool) {
			t.Fatal("the reader knows of the pool without a look at the store")
		}
		time.Sleep(cognito.DefaultInterval)
		synctest.Wait()
		if !knows(reader, pool) {
			t.Errorf("after %v the reader does not know of the pool", cognito.DefaultInterval)
		}
		if age := time.Since(reader.Freshness().Checked); age > cognito.DefaultInterval {
			t.Errorf("the store was last looked at %v ago", age)
		}
	})
}

func TestWatchLooksWhenTold(t *testing.T) {
	rsaKeys()
	synctest.Test(t, func(t *testing.T) {
		writer, reader, _ := replicas(t, tellingStore{newSharedStore()}, time.Hour)
		pool := makePool(t, writer)
		synctest.Wait()
		if !knows(reader, pool) {
			t.Error("the reader was told of the commit and does not know of the pool")
		}
		if got, want := reader.Freshness().Revision, writer.Freshness().Revision; got != want {
			t.Errorf("the reader is at revision %d, the writer at %d", got, want)
		}
	})
}

// TestWatchOutlivesTheStore: tokens go on, writes fail, and what was missed is there once the store is.
func TestWatchOutlivesTheStore(t *testing.T) {
	rsaKeys()
	synctest.Test(t, func(t *testing.T) {
		store := newSharedStore()
		writer, reader, log := replicas(t, tellingStore{store}, 0)
		pool, client := seedPool(t, writer)
		synctest.Wait()

		began := time.Now()
		store.goDown()
		time.Sleep(time.Minute)
		synctest.Wait()
		w := wire{t, cognito.Handler(reader, cognito.HandlerConfig{})}
		if res := w.do(tokenRequest(pool, client, "grant_type=client_credentials")); res.Code != 200 {
			t.Errorf("a token while the store is down: %d %s", res.Code, res.Body)
		}
		_, err := reader.CreateUserPool(t.Context(), cognito.CreateUserPoolInput{PoolName: "p"})
		wantAPIError(t, err, cognito.CodeInternalError, "")
		fresh := reader.Freshness()
		if !errors.Is(fresh.Err, errDown) || fresh.Checked.After(began) {
			t.Errorf("Freshness: checked %v after the store went, error %v", fresh.Checked.Sub(began), fresh.Err)
		}

		store.down.Store(false)
		missed := makePool(t, writer)
		time.Sleep(cognito.DefaultInterval)
		synctest.Wait()
		if !knows(reader, missed) {
			t.Error("the reader does not know of what was committed before it listened again")
		}
		if fresh := reader.Freshness(); fresh.Err != nil {
			t.Errorf("Freshness: error %v after the store came back", fresh.Err)
		}
		time.Sleep(10 * time.Second) // the wait before it listens again
		told := makePool(t, writer)
		synctest.Wait()
		if !knows(reader, told) {
			t.Error("the reader does not listen again")
		}
		for _, line := range []string{"cannot be read", "can be read again", "tells of no changes"} {
			if n := strings.Count(log.String(), line); n != 1 {
				t.Errorf("%q is in the log %d times, want once:\n%s", line, n, log)
			}
		}
	})
}

// TestWatchBringsManyCommitsTogether: a storm of commits is no storm of reads.
func TestWatchBringsManyCommitsTogether(t *testing.T) {
	rsaKeys()
	synctest.Test(t, func(t *testing.T) {
		store := newSharedStore()
		writer, reader, _ := replicas(t, store, time.Second)
		before := store.looks.Load()
		for range 50 {
			makePool(t, writer)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got, want := reader.Freshness().Revision, writer.Freshness().Revision; got != want {
			t.Errorf("the reader is at revision %d, the writer at %d", got, want)
		}
		if looks := store.looks.Load() - before; looks > 2 {
			t.Errorf("%d looks at the store in a second", looks)
		}
	})
}

// TestAdministratorsSeeEveryCommit: a load balancer sends the call after CreateUserPool to another replica. A token request
// never asks the store.
func TestAdministratorsSeeEveryCommit(t *testing.T) {
	rsaKeys()
	synctest.Test(t, func(t *testing.T) {
		store := newSharedStore()
		writer, reader, _ := replicas(t, store, time.Hour)
		pool, client := seedPool(t, writer)
		w := wire{t, cognito.Handler(reader, cognito.HandlerConfig{})}
		looks := store.looks.Load()
		if res := w.do(tokenRequest(pool, client, "grant_type=client_credentials")); res.Code == 200 || store.looks.Load() != looks {
			t.Errorf("a token request: %d after %d looks at the store", res.Code, store.looks.Load()-looks)
		}
		if res := w.call("DescribeUserPool", `{"UserPoolId":"`+pool+`"}`); res.Code != 200 {
			t.Errorf("DescribeUserPool: %d %s", res.Code, res.Body)
		}
		looks = store.looks.Load()
		if res := w.do(tokenRequest(pool, client, "grant_type=client_credentials")); res.Code != 200 || store.looks.Load() != looks {
			t.Errorf("a token request: %d after %d looks at the store", res.Code, store.looks.Load()-looks)
		}
		store.goDown()
		if res := w.call("DescribeUserPool", `{"UserPoolId":"`+pool+`"}`); res.Code != 200 {
			t.Errorf("DescribeUserPool while the store is down: %d %s", res.Code, res.Body)
		}
	})
}
