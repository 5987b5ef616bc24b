package issuer

import (
	"cmp"
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/countersign-dev/countersign/cognito"
)

const selectRecords = `SELECT revision, kind, pool, id, body, checksum FROM countersign_records `

// Load implements [cognito.Store].
func (p *Postgres) Load(ctx context.Context) ([]cognito.Record, int64, error) {
	return p.snapshot(ctx, func(ctx context.Context, tx pgx.Tx, _ int64) ([]cognito.Record, error) {
		return p.records(ctx, tx, selectRecords+`WHERE body IS NOT NULL`)
	})
}

// Changes implements [cognito.Store]. Of each record it returns the latest state. A replica asks often and learns nothing
// most of the time; that takes one statement.
func (p *Postgres) Changes(ctx context.Context, since int64) ([]cognito.Record, int64, error) {
	if revision, err := p.revision(ctx); err != nil || revision == since {
		return nil, revision, err
	}
	return p.snapshot(ctx, func(ctx context.Context, tx pgx.Tx, revision int64) ([]cognito.Record, error) {
		if since == revision {
			return nil, nil
		}
		if err := p.inHistory(ctx, tx, since); err != nil {
			return nil, err
		}
		return p.records(ctx, tx, selectRecords+`WHERE revision > $1 ORDER BY revision, position`, since)
	})
}

// inHistory returns [cognito.ErrConflict] for a revision above the store's own, of another history, or too long ago.
func (p *Postgres) inHistory(ctx context.Context, q querier, revision int64) error {
	var known bool
	err := q.QueryRow(ctx, `SELECT $1::bigint = 0 OR EXISTS (SELECT FROM countersign_commits WHERE revision = $1)`, revision).Scan(&known)
	if err == nil && !known {
		err = cognito.ErrConflict
	}
	return err
}

// revision is where the store stands.
func (p *Postgres) revision(ctx context.Context) (revision int64, err error) {
	if p.closed.Load() {
		return 0, cognito.ErrClosed
	}
	ctx, cancel := context.WithTimeout(ctx, operationLimit)
	defer cancel()
	err = p.attempt(ctx, func() error {
		revision, err = p.currentRevision(ctx, p.pool)
		return err
	})
	return revision, p.explain("read", err)
}

// currentRevision refuses a schema that a newer version of this program has made meanwhile, and secrets that are sealed under another
// key since then.
func (p *Postgres) currentRevision(ctx context.Context, q querier) (revision int64, err error) {
	var version int
	var key string
	if err := q.QueryRow(ctx, `SELECT revision, version, key_id FROM countersign_store`).Scan(&revision, &version, &key); err != nil {
		return 0, err
	}
	return revision, cmp.Or(sameVersion(version, postgresMigrations), sameKey(key, p.sealer))
}

// snapshot reads records and the revision at which they stood together.
func (p *Postgres) snapshot(ctx context.Context,
	read func(context.Context, pgx.Tx, int64) ([]cognito.Record, error)) (records []cognito.Record, revision int64, err error) {
	if p.closed.Load() {
		return nil, 0, cognito.ErrClosed
	}
	ctx, cancel := context.WithTimeout(ctx, loadLimit)
	defer cancel()
	// A transaction of this level sees one state of the database, whatever is committed meanwhile.
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = p.attempt(ctx, func() error {
		return pgx.BeginTxFunc(ctx, p.pool, options, func(tx pgx.Tx) error {
			if revision, err = p.currentRevision(ctx, tx); err != nil {
				return err
			}
			records, err = read(ctx, tx, revision)
			return err
		})
	})
	if err != nil {
		return nil, 0, p.explain("read", err)
	}
	return records, revision, nil
}

func (p *Postgres) records(ctx context.Context, tx pgx.Tx, query string, args ...any) ([]cognito.Record, error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	return openRows(p.sealer, func(r *row) (bool, error) {
		if !rows.Next() {
			return false, rows.Err()
		}
		var checksum int64
		err := rows.Scan(&r.revision, &r.record.Kind, &r.record.PoolID, &r.record.ID, &r.record.Body, &checksum)
		r.checksum = uint32(checksum)
		return true, err
	})
}
