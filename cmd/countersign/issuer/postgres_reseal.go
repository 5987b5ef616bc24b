package issuer

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/countersign-dev/countersign/cmd/countersign/seal"
	"github.com/countersign-dev/countersign/cognito"
)

// Reseal is [SQLite.Reseal]. Commits of replicas wait for it, and are refused when it is done.
func (p *Postgres) Reseal(ctx context.Context, to *seal.Sealer) (n int, err error) {
	if p.closed.Load() {
		return 0, cognito.ErrClosed
	}
	ctx, cancel := context.WithTimeout(ctx, loadLimit)
	defer cancel()
	// At a stricter level the server would refuse it where a replica has just committed.
	err = pgx.BeginTxFunc(ctx, p.pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
		n, err = p.reseal(ctx, tx, to)
		return err
	})
	return n, p.explain("write to", err)
}

func (p *Postgres) reseal(ctx context.Context, tx pgx.Tx, to *seal.Sealer) (n int, err error) {
	if _, err := tx.Exec(ctx, durableStatement); err != nil {
		return 0, err
	}
	// The row that every commit changes: none is made until this transaction has ended.
	if _, err := tx.Exec(ctx, `SELECT FROM countersign_store FOR UPDATE`); err != nil {
		return 0, err
	}
	if _, err := p.currentRevision(ctx, tx); err != nil {
		return 0, err
	}
	for _, kind := range []cognito.Kind{cognito.KindClient, cognito.KindKey} {
		of, err := p.resealKind(ctx, tx, kind, to)
		if err != nil {
			return 0, err
		}
		n += of
	}
	if _, err := tx.Exec(ctx, `UPDATE countersign_store SET key_id = $1`, to.KeyID()); err != nil {
		return 0, err
	}
	_, err = tx.Exec(ctx, `SELECT pg_notify('`+notifyChannel+`', '')`) // whoever listens looks, and says in its log what has changed
	return n, err
}

func (p *Postgres) resealKind(ctx context.Context, tx pgx.Tx, kind cognito.Kind, to *seal.Sealer) (n int, err error) {
	for pool, id := "", ""; ; {
		rows, err := secretsAfter(ctx, tx, kind, pool, id)
		if err != nil {
			return 0, err
		}
		var c columns
		for _, r := range rows {
			if r, err = resealed(r, p.sealer, to); err != nil {
				return 0, err
			}
			c.pools, c.ids = append(c.pools, r.record.PoolID), append(c.ids, r.record.ID)
			c.bodies, c.checksums = append(c.bodies, r.record.Body), append(c.checksums, int64(r.checksum))
			pool, id = r.record.PoolID, r.record.ID
		}
		if _, err := tx.Exec(ctx, `UPDATE countersign_records AS r SET body = c.body, checksum = c.checksum
			FROM unnest($2::text[], $3::text[], $4::bytea[], $5::bigint[]) AS c (pool, id, body, checksum)
			WHERE r.kind = $1 AND r.pool = c.pool AND r.id = c.id`, string(kind), c.pools, c.ids, c.bodies, c.checksums); err != nil {
			return 0, fmt.Errorf("seal anew: %w", err)
		}
		if n += len(rows); len(rows) < chunk {
			return n, nil
		}
	}
}

// secretsAfter returns the next rows of a kind behind a record, in the order of the primary key.
func secretsAfter(ctx context.Context, tx pgx.Tx, kind cognito.Kind, pool, id string) ([]row, error) {
	found, err := tx.Query(ctx, selectRecords+`WHERE kind = $1 AND (pool, id) > ($2, $3) AND body IS NOT NULL ORDER BY pool, id LIMIT $4`,
		string(kind), pool, id, chunk)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(found, func(from pgx.CollectableRow) (r row, err error) {
		var checksum int64
		err = from.Scan(&r.revision, &r.record.Kind, &r.record.PoolID, &r.record.ID, &r.record.Body, &checksum)
		r.checksum = uint32(checksum)
		return r, err
	})
}
