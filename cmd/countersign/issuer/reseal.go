package issuer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/countersign-dev/countersign/cmd/countersign/seal"
	"github.com/countersign-dev/countersign/cognito"
)

// errResealed is what a store says that was opened before its secrets were sealed under another key.
var errResealed = errors.New("its secrets are sealed under another key since this program began")

// sameKey compares the key that the database is sealed under now with the one that it was opened with: what this program wrote
// otherwise, the others could not read.
func sameKey(stored string, sealer *seal.Sealer) error {
	if stored != sealer.KeyID() {
		return fmt.Errorf("%w: key %s, and this program has key %s", errResealed, stored, sealer.KeyID())
	}
	return nil
}

// resealed is the row with its secret under another key; what is no secret it returns as it is.
func resealed(r row, from, to *seal.Sealer) (row, error) {
	record, err := fromRow(from, r)
	if err != nil || !record.Kind.Secret() || record.Deleted() {
		return r, err
	}
	return toRow(to, r.revision, record), nil
}

// Reseal seals every secret under another key, in one transaction, and returns how many there were. From then on only that key
// opens the store: this one, and every other that has it open, refuses to read and to write.
func (s *SQLite) Reseal(ctx context.Context, to *seal.Sealer) (int, error) {
	if s.closed.Load() {
		return 0, cognito.ErrClosed
	}
	if err := s.inPlace(); err != nil {
		return 0, explain("write to", s.path, err)
	}
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return 0, explain("write to", s.path, err)
	}
	defer tx.Rollback()
	n, err := s.reseal(ctx, tx, to)
	if err == nil {
		err = tx.Commit()
	}
	return n, explain("write to", s.path, err)
}

func (s *SQLite) reseal(ctx context.Context, tx *sql.Tx, to *seal.Sealer) (n int, err error) {
	if _, err := s.storedRevision(ctx, tx); err != nil {
		return 0, err
	}
	for last := int64(0); ; {
		rows, sequences, err := secretRows(ctx, tx, last)
		if err != nil {
			return 0, err
		}
		for i, r := range rows {
			if r, err = resealed(r, s.sealer, to); err != nil {
				return 0, err
			}
			last = sequences[i]
			if _, err := tx.ExecContext(ctx, `UPDATE records SET body = ?, checksum = ? WHERE sequence = ?`, r.record.Body, int64(r.checksum), last); err != nil {
				return 0, err
			}
		}
		if n += len(rows); len(rows) < chunk {
			_, err = tx.ExecContext(ctx, `UPDATE store SET key_id = ?`, to.KeyID())
			return n, err
		}
	}
}

// secretRows returns the next rows behind a place in the table: SQLite does not say what a query finds that is still read while
// its table changes.
func secretRows(ctx context.Context, tx *sql.Tx, after int64) (all []row, sequences []int64, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT sequence, revision, kind, pool, id, body, checksum FROM records
		WHERE sequence > ? AND body IS NOT NULL AND kind IN (?, ?) ORDER BY sequence LIMIT ?`, after, cognito.KindClient, cognito.KindKey, chunk)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r row
		var sequence int64
		if err := rows.Scan(&sequence, &r.revision, &r.record.Kind, &r.record.PoolID, &r.record.ID, &r.record.Body, &r.checksum); err != nil {
			return nil, nil, err
		}
		all, sequences = append(all, r), append(sequences, sequence)
	}
	return all, sequences, rows.Err()
}
