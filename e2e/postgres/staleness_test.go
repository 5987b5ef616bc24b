package postgres

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cognito"
)

// deaf is a store that is told of nothing, as behind a pooler that forwards no notifications.
type deaf struct{ cognito.Store }

// TestStaleness measures how long a second replica does not know what the first has acknowledged: with notifications, and
// with the timer alone.
func TestStaleness(t *testing.T) {
	dsn := sharedServer(t).newSchema(t)
	writer, err := cognito.New(t.Context(), cognito.Config{Store: open(t, dsn)})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		store   cognito.Store
		commits int
	}{
		{"told", open(t, dsn), 100},
		{"not told, by the timer", deaf{open(t, dsn)}, 8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			reader := watching(t, tt.store)
			if tt.name == "told" { // let it begin to listen
				pool := tagged(t, writer)
				eventually(t, "the reader is told", func() bool { return knows(reader, pool) })
			}
			var delays []time.Duration
			for range tt.commits {
				want := tagAgain(t, writer)
				acknowledged := time.Now()
				for reader.Freshness().Revision < want {
					if time.Since(acknowledged) > tooLate {
						t.Fatalf("%v after the acknowledgement the reader does not know it", time.Since(acknowledged))
					}
					<-time.After(100 * time.Microsecond)
				}
				delays = append(delays, time.Since(acknowledged))
			}
			slices.Sort(delays)
			if median := delays[len(delays)/2]; median > staleness {
				t.Errorf("the median is %v, and %v are promised", median, staleness)
			}
			t.Logf("%d commits: median %v, most %v; promised %v", len(delays), delays[len(delays)/2], delays[len(delays)-1], staleness)
		})
	}
}

// watching is a service that keeps up until the test ends.
func watching(t *testing.T, store cognito.Store) *cognito.Service {
	t.Helper()
	s, err := cognito.New(t.Context(), cognito.Config{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var ended sync.WaitGroup
	ended.Go(func() { s.Watch(ctx, 0) })
	t.Cleanup(func() {
		cancel()
		ended.Wait()
	})
	return s
}

func tagged(t *testing.T, s *cognito.Service) string {
	t.Helper()
	made, err := s.CreateUserPool(t.Context(), cognito.CreateUserPoolInput{PoolName: "p"})
	if err != nil {
		t.Fatal(err)
	}
	return made.UserPool.ID
}

// tagAgain changes something small and returns the revision of that.
func tagAgain(t *testing.T, s *cognito.Service) int64 {
	t.Helper()
	pools, err := s.ListUserPools(t.Context(), cognito.ListUserPoolsInput{MaxResults: 1})
	if err == nil && len(pools.UserPools) == 0 {
		tagged(t, s)
		pools, err = s.ListUserPools(t.Context(), cognito.ListUserPoolsInput{MaxResults: 1})
	}
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprint("reader-", time.Now().UnixNano())
	if _, err := s.CreateUserPoolClient(t.Context(), cognito.CreateUserPoolClientInput{UserPoolID: pools.UserPools[0].ID, ClientName: name}); err != nil {
		t.Fatal(err)
	}
	return s.Freshness().Revision
}
