package issuer

import (
	"context"
	"fmt"

	"github.com/countersign-dev/countersign/cognito"
)

// LimitPages makes the database full at n pages, which is how a full disk looks to SQLite.
func (s *SQLite) LimitPages(ctx context.Context, n int) error {
	_, err := s.write.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", n))
	return err
}

// Checksum is what a row must say to be believed; the body is as stored.
func Checksum(revision int64, stored cognito.Record) uint32 {
	r := row{revision: revision, record: stored}
	return r.sum()
}
