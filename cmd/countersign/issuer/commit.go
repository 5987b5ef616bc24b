package issuer

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/countersign-dev/countersign/cognito"
)

// Load implements [cognito.Store].
func (s *SQLite) Load(ctx context.Context) ([]cognito.Record, int64, error) {
	return s.snapshot(ctx, func(tx *sql.Tx, revision int64) ([]cognito.Record, error) {
		if err := checkRevision(ctx, tx, revision); err != nil {
			return nil, err
		}
		return s.rows(ctx, tx, `SELECT revision, kind, pool, id, body, checksum FROM records WHERE body IS NOT NULL`)
	})
}

// Changes implements [cognito.Store]. Of each record it returns the latest state.
func (s *SQLite) Changes(ctx context.Context, since int64) ([]cognito.Record, int64, error) {
	return s.snapshot(ctx, func(tx *sql.Tx, revision int64) ([]cognito.Record, error) {
		if since == revision {
			return nil, nil
		}
		if err := knownRevision(ctx, tx, since); err != nil {
			return nil, err
		}
		return s.rows(ctx, tx, `SELECT revision, kind, pool, id, body, checksum FROM records WHERE revision > ?
			ORDER BY revision, sequence`, since)
	})
}

// Commit implements [cognito.Store].
func (s *SQLite) Commit(ctx context.Context, revision int64, changes []cognito.Record) (int64, error) {
	if s.closed.Load() {
		return 0, cognito.ErrClosed
	}
	if err := s.inPlace(); err != nil {
		return 0, explain("write to", s.path, err)
	}
	next, err := s.commit(ctx, revision, changes)
	if errors.Is(err, cognito.ErrConflict) {
		return 0, err
	}
	return next, explain("write to", s.path, err)
}

func (s *SQLite) commit(ctx context.Context, revision int64, changes []cognito.Record) (int64, error) {
	tx, err := s.write.BeginTx(ctx, nil) // IMMEDIATE: the revision cannot change between the look and the write
	if err != nil {
		return 0, err
	}
	defer tx.Rollback()
	current, err := s.storedRevision(ctx, tx)
	if err != nil {
		return 0, err
	}
	if current != revision {
		return 0, cognito.ErrConflict
	}
	if len(changes) == 0 {
		return revision, nil
	}
	next := nextRevision(revision)
	if err := s.insert(ctx, tx, next, changes); err != nil {
		return 0, err
	}
	if err := advance(ctx, tx, next); err != nil {
		return 0, err
	}
	if err := tx.Commit(); err != nil {
		return 0, err
	}
	return next, nil
}

// insert replaces each record by a row at the end of the table. See migrations for why.
func (s *SQLite) insert(ctx context.Context, tx *sql.Tx, revision int64, changes []cognito.Record) error {
	statement, err := tx.PrepareContext(ctx, `INSERT OR REPLACE INTO records (revision, kind, pool, id, body, checksum)
		VALUES (?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer statement.Close()
	for _, c := range changes {
		r := toRow(s.sealer, revision, c)
		_, err := statement.ExecContext(ctx, revision, string(c.Kind), c.PoolID, c.ID, r.record.Body, int64(r.checksum))
		if err != nil {
			return err
		}
	}
	return nil
}

// snapshot reads records and the revision at which they stood together.
func (s *SQLite) snapshot(ctx context.Context, read func(*sql.Tx, int64) ([]cognito.Record, error)) ([]cognito.Record, int64, error) {
	if s.closed.Load() {
		return nil, 0, cognito.ErrClosed
	}
	if err := s.inPlace(); err != nil {
		return nil, 0, explain("read", s.path, err)
	}
	// A transaction that reads sees one state of the database in WAL mode, whatever is committed meanwhile.
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, 0, explain("read", s.path, err)
	}
	defer tx.Rollback()
	revision, err := s.storedRevision(ctx, tx)
	if err != nil {
		return nil, 0, explain("read", s.path, err)
	}
	records, err := read(tx, revision)
	if errors.Is(err, cognito.ErrConflict) {
		return nil, 0, err
	}
	if err != nil {
		return nil, 0, explain("read", s.path, err)
	}
	return records, revision, nil
}

func (s *SQLite) rows(ctx context.Context, tx *sql.Tx, query string, args ...any) ([]cognito.Record, error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	return openRows(s.sealer, func(r *row) (bool, error) {
		if !rows.Next() {
			return false, rows.Err()
		}
		return true, rows.Scan(&r.revision, &r.record.Kind, &r.record.PoolID, &r.record.ID, &r.record.Body, &r.checksum)
	})
}

// advance moves the store to the revision and puts that into the ring.
func advance(ctx context.Context, tx *sql.Tx, revision int64) error {
	var commits int64
	if err := tx.QueryRowContext(ctx, `UPDATE store SET revision = ?, commits = commits + 1 RETURNING commits`, revision).Scan(&commits); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO commits (slot, revision) VALUES (?, ?)`, commits%ringSize, revision)
	if err != nil || commits%ringSize != 0 {
		return err
	}
	// Nobody can ask for these deletions any more: the ring has forgotten every revision before them.
	_, err = tx.ExecContext(ctx, `DELETE FROM records WHERE body IS NULL AND revision <= (SELECT min(revision) FROM commits)`)
	return err
}

// storedRevision refuses a schema that a newer version of this program has made meanwhile, and secrets that are sealed under another
// key since then.
func (s *SQLite) storedRevision(ctx context.Context, tx *sql.Tx) (revision int64, err error) {
	var version int
	var key string
	if err := tx.QueryRowContext(ctx, `SELECT revision, key_id, version FROM store, countersign_schema`).Scan(&revision, &key, &version); err != nil {
		return 0, err
	}
	return revision, cmp.Or(sameVersion(version, migrations), sameKey(key, s.sealer))
}

// checkRevision finds a flipped bit in the store's revision, which no row's checksum covers: the ring has it too, and an index of it.
func checkRevision(ctx context.Context, tx *sql.Tx, revision int64) error {
	var known bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM commits WHERE revision = ?) OR NOT EXISTS (SELECT 1 FROM commits)`, revision).Scan(&known)
	if err == nil && !known {
		err = fmt.Errorf("%w: it stands at a revision that no commit has left", ErrCorrupt)
	}
	return err
}

// knownRevision returns [cognito.ErrConflict] for a revision above the store's own, of another history, or too long ago.
func knownRevision(ctx context.Context, tx *sql.Tx, revision int64) error {
	var known bool
	err := tx.QueryRowContext(ctx, `SELECT ? = 0 OR EXISTS (SELECT 1 FROM commits WHERE revision = ?)`, revision, revision).Scan(&known)
	if err == nil && !known {
		err = cognito.ErrConflict
	}
	return err
}
