package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/issuer"
	"github.com/countersign-dev/countersign/cmd/countersign/seal"
	"github.com/countersign-dev/countersign/cognito"
)

// TestReseal: replicas commit all the while. What one of them has acknowledged opens under the new key, and what comes after it is
// refused: nothing is ever written under the old key into a store of the new one.
func TestReseal(t *testing.T) {
	dsn := sharedServer(t).newSchema(t)
	first := open(t, dsn)
	var seeded []cognito.Record
	for i := range 1100 {
		seeded = append(seeded, record(fmt.Sprint("seed", i)))
	}
	revision, err := first.Commit(t.Context(), 0, append(seeded, cognito.Record{Kind: cognito.KindPool, PoolID: "p", ID: "p", Body: []byte(`{}`)}))
	if err != nil {
		t.Fatal(err)
	}
	var replicas sync.WaitGroup
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	began := make(chan struct{})
	begin := sync.OnceFunc(func() { close(began) })
	for n := range 3 {
		s := open(t, dsn)
		replicas.Go(func() {
			at := revision
			for i := 0; ; i++ {
				id := fmt.Sprint("replica", n, "-", i)
				next, err := s.Commit(t.Context(), at, []cognito.Record{record(id)})
				switch {
				case errors.Is(err, cognito.ErrConflict):
					if _, at, err = s.Load(t.Context()); err == nil {
						continue
					}
				case err == nil:
					mu.Lock()
					acknowledged[id] = true
					mu.Unlock()
					at = next
					begin()
					continue
				}
				if !strings.Contains(err.Error(), "its secrets are sealed under another key since this program began") {
					t.Errorf("replica %d: %v", n, err)
				}
				return
			}
		})
	}
	<-began
	n, err := first.Reseal(t.Context(), newSealer(t, 2))
	if err != nil || n < 1100 {
		t.Fatalf("%d sealed anew, %v", n, err)
	}
	replicas.Wait()
	if _, err := issuer.OpenPostgres(t.Context(), dsn, newSealer(t, 1)); !errors.Is(err, seal.ErrOtherKey) {
		t.Errorf("with the old key: %v", err)
	}
	s, err := issuer.OpenPostgres(t.Context(), dsn, newSealer(t, 2))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	records, _, err := s.Load(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, r := range records {
		there[r.ID] = true
	}
	for id := range acknowledged {
		if !there[id] {
			t.Errorf("%s was acknowledged and is gone", id)
		}
	}
	if len(records) != 1101+len(acknowledged) || n != 1100+len(acknowledged) {
		t.Errorf("%d records and %d sealed anew, want %d acknowledged beside 1100", len(records), n, len(acknowledged))
	}
}

func record(id string) cognito.Record {
	return cognito.Record{Kind: cognito.KindClient, PoolID: "p", ID: id, Body: []byte(`{"secret":"` + id + `"}`)}
}
