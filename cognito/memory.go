package cognito

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"sync"
)

// A MemoryStore is a [Store] that lives as long as the process: for unit tests and for trying things out.
// Make one with [NewMemoryStore].
type MemoryStore struct {
	mu       sync.Mutex
	closed   bool
	revision int64
	sequence int64
	records  map[identity]stored
}

type identity struct {
	kind       Kind
	poolID, id string
}

// stored is the latest state of one record. Deleted records stay, so that Changes can tell of the deletion.
type stored struct {
	body     []byte
	revision int64
	sequence int64 // order among all changes, also inside one commit
}

// NewMemoryStore returns an empty store.
func NewMemoryStore() *MemoryStore {
	return &MemoryStore{records: make(map[identity]stored)}
}

// Load implements [Store].
func (s *MemoryStore) Load(ctx context.Context) ([]Record, int64, error) {
	all, revision, err := s.Changes(ctx, 0)
	return slices.DeleteFunc(all, Record.Deleted), revision, err
}

// Commit implements [Store].
func (s *MemoryStore) Commit(ctx context.Context, revision int64, changes []Record) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return 0, err
	}
	if revision != s.revision {
		return 0, ErrConflict
	}
	if len(changes) == 0 {
		return s.revision, nil
	}
	s.revision++
	for _, c := range changes {
		s.sequence++
		key := identity{c.Kind, c.PoolID, c.ID}
		s.records[key] = stored{bytes.Clone(c.Body), s.revision, s.sequence}
	}
	return s.revision, nil
}

// Changes implements [Store].
func (s *MemoryStore) Changes(ctx context.Context, since int64) ([]Record, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return nil, 0, err
	}
	if since > s.revision {
		return nil, 0, ErrConflict
	}
	if since == s.revision {
		return nil, s.revision, nil
	}
	return s.after(since), s.revision, nil
}

// Close implements [Store].
func (s *MemoryStore) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed, s.records = true, nil
	return nil
}

func (s *MemoryStore) usable(ctx context.Context) error {
	if s.closed {
		return ErrClosed
	}
	return ctx.Err()
}

// after returns the records that changed after the revision, in the order in which they changed.
func (s *MemoryStore) after(since int64) []Record {
	type change struct {
		Record
		sequence int64
	}
	var changes []change
	for key, r := range s.records {
		if r.revision > since {
			changes = append(changes, change{Record{key.kind, key.poolID, key.id, bytes.Clone(r.body)}, r.sequence})
		}
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Compare(a.sequence, b.sequence) })
	records := make([]Record, len(changes))
	for i, c := range changes {
		records[i] = c.Record
	}
	return records
}
