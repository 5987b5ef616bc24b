package issuer

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/countersign-dev/countersign/cognito"
)

// LimitPages makes the database full at n pages, which is how a full disk looks to SQLite.
func (s *SQLite) LimitPages(ctx context.Context, n int) error {
	_, err := s.write.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", n))
	return err
}

// ErrNewer is what a schema of a newer version gives.
var ErrNewer = errNewer

// SQLiteVersions is the newest schema version.
func SQLiteVersions() int { return len(migrations) }

// Checksum is what a row must say to be believed; the body is as stored.
func Checksum(revision int64, stored cognito.Record) uint32 {
	r := row{revision: revision, record: stored}
	return r.sum()
}

// ParseAuthorization returns the header in its one canonical spelling.
func ParseAuthorization(header string) (string, error) {
	a, err := parseAuthorization(header)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s Credential=%s/%s/%s/%s/%s, SignedHeaders=%s, Signature=%x", algorithm,
		a.accessKeyID, a.date, a.region, a.service, a.terminator, strings.Join(a.signedHeaders, ";"), a.signature), nil
}

// Pragmas returns how the writing connection is set up.
func (s *SQLite) Pragmas(ctx context.Context) (journal string, synchronous, fullfsync, foreignKeys int, err error) {
	err = s.write.QueryRowContext(ctx, `SELECT journal_mode, synchronous, fullfsync, foreign_keys
		FROM pragma_journal_mode, pragma_synchronous, pragma_fullfsync, pragma_foreign_keys`).
		Scan(&journal, &synchronous, &fullfsync, &foreignKeys)
	return journal, synchronous, fullfsync, foreignKeys, err
}

// InClear is Postgres.InClear of a DSN, without a server.
func InClear(dsn string) (bool, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return false, err
	}
	return inClear(config), nil
}
