package cognito

import (
	"context"
	"errors"
)

// A Kind says what a [Record] describes.
type Kind string

// The kinds of records that a [Service] stores.
const (
	KindPool           Kind = "pool"
	KindDomain         Kind = "domain"
	KindResourceServer Kind = "resource-server"
	KindClient         Kind = "client"
	KindKey            Kind = "key"
)

// Secret reports whether the Body of a record of this kind holds a secret: a client secret or a private key.
// A store that outlives the process must seal such a Body at rest.
func (k Kind) Secret() bool { return k == KindClient || k == KindKey }

// A Record is one stored thing. Kind, PoolID and ID together are its identity.
type Record struct {
	Kind   Kind
	PoolID string
	ID     string
	Body   []byte // JSON; empty means that the record is deleted
}

// Deleted reports whether the record says that there is nothing of this identity any more.
func (r Record) Deleted() bool { return len(r.Body) == 0 }

// ErrConflict is what [Store.Commit] returns when somebody else has committed since the given revision, and what
// [Store.Changes] returns for a revision that it has not reached or does not know.
var ErrConflict = errors.New("cognito: the store is at another revision")

// ErrClosed is what the methods of a closed [Store] return.
var ErrClosed = errors.New("cognito: the store is closed")

// A Store keeps the records of a [Service]. The service reads it whole when it starts and afterwards holds everything
// in memory: a token request never touches the store.
//
// A revision is a number that grows with each commit; an empty store is at revision 0. All methods may be called from
// several goroutines, and several services may share one store. A store copies what it is given and hands out copies.
// Package storetest holds every implementation to this contract.
type Store interface {
	// Load returns every record that is not deleted, in any order, and the revision at which they stood together.
	Load(ctx context.Context) ([]Record, int64, error)

	// Commit writes all the changes or none of them, and returns the new revision only when they will survive a crash.
	// A later change in the slice replaces an earlier one of the same identity; deleting what is not there is no error.
	// It returns [ErrConflict] and writes nothing when the store is not at the given revision.
	// After any other error the caller does not know whether the changes were written and must ask Changes.
	// Without changes it writes nothing and returns the revision that the store is at, under the same condition.
	Commit(ctx context.Context, revision int64, changes []Record) (int64, error)

	// Changes returns what was committed after the given revision, oldest commit first, deletions included, and the
	// revision that the caller has reached once it has applied them. Of a record that changed several times it
	// returns at least the latest state, where that came in order; earlier ones may be left out.
	// It returns [ErrConflict] for a revision that is not of its history, as after a restore from a backup, above all one
	// above its own, and may do so for one of long ago: Load again.
	Changes(ctx context.Context, since int64) ([]Record, int64, error)

	// Close releases the store. Everything after it returns an error.
	Close() error
}
