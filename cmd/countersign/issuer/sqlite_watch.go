package issuer

import (
	"context"
	"time"

	"github.com/countersign-dev/countersign/cognito"
)

// watchInterval is how often the data version is read, which takes some microseconds and no part of the disk.
const watchInterval = 100 * time.Millisecond

var _ cognito.Watcher = (*SQLite)(nil)

// Watch implements [cognito.Watcher]. Other processes that have the file open leave no message, but SQLite has a number
// that changes with each of their commits. Watching the file would not show them all: a commit writes to the log, and
// into parts of it that are there already.
func (s *SQLite) Watch(ctx context.Context, changed func()) error {
	if s.closed.Load() {
		return cognito.ErrClosed
	}
	conn, err := s.read.Conn(ctx) // one connection throughout: the number means nothing to another
	if err != nil {
		return explain("watch", s.path, err)
	}
	defer conn.Close()
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	for last := int64(-1); ; {
		var version int64
		if err := conn.QueryRowContext(ctx, `PRAGMA data_version`).Scan(&version); err != nil {
			return explain("watch", s.path, err)
		}
		if version != last {
			last = version
			changed()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}
