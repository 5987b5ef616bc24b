package issuer

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/countersign-dev/countersign/cognito"
)

// commitStatement is a whole commit, so that no replica that freezes half-way holds a lock which the others wait for.
//
// The first part is the compare-and-swap: of replicas that are there at once one updates the row, and the others, which
// waited for its lock, see another revision and write nothing. It also refuses to write into a schema that a newer
// version of this program has made meanwhile, and under a key that is not that of the others any more. $1 the revision that the
// caller knows, $2 the next one, $3 the schema, $4 the size of the ring, $5 and following the records, $11 the id of the key. It
// returns a row when it has written.
const commitStatement = `
WITH moved AS (
	UPDATE countersign_store SET revision = $2, commits = commits + 1
	WHERE revision = $1 AND version = $3 AND key_id = $11
	RETURNING commits
), written AS (
	INSERT INTO countersign_records AS r (kind, pool, id, revision, position, body, checksum)
	SELECT c.kind, c.pool, c.id, $2, c.position, c.body, c.checksum
	FROM moved, unnest($5::text[], $6::text[], $7::text[], $8::integer[], $9::bytea[], $10::bigint[])
		AS c (kind, pool, id, position, body, checksum)
	ON CONFLICT (kind, pool, id) DO UPDATE
	SET revision = excluded.revision, position = excluded.position, body = excluded.body, checksum = excluded.checksum
)
INSERT INTO countersign_commits AS c (slot, revision)
SELECT commits % $4, $2 FROM moved
ON CONFLICT (slot) DO UPDATE SET revision = excluded.revision
RETURNING pg_notify('` + notifyChannel + `', $2::bigint::text)`

// durableStatement: with synchronous_commit off the server acknowledges what a crash of it loses, which the contract of a
// store forbids. The other settings say how far a commit has reached which standby; they are the operator's choice.
const durableStatement = `SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'`

// forgetStatement removes the marks of deletions that nobody can ask for any more, since the ring has forgotten every
// revision before them. $1 the size of the ring; each round of the ring does it once.
const forgetStatement = `DELETE FROM countersign_records WHERE body IS NULL
	AND revision <= (SELECT min(revision) FROM countersign_commits)
	AND EXISTS (SELECT FROM countersign_store WHERE commits % $1 = 0)`

// notifyChannel is where a commit is told. Notifications belong to a database; those of another schema's issuer in the same
// database only make a replica look once more than it had to.
const notifyChannel = "countersign_issuer"

// Commit implements [cognito.Store].
func (p *Postgres) Commit(ctx context.Context, revision int64, changes []cognito.Record) (int64, error) {
	if p.closed.Load() {
		return 0, cognito.ErrClosed
	}
	ctx, cancel := context.WithTimeout(ctx, operationLimit+time.Duration(len(changes))*time.Millisecond) // an import has thousands
	defer cancel()
	next := revision
	var err error
	if len(changes) > 0 {
		next = nextRevision(revision)
		c := p.columns(next, changes)
		err = p.attempt(ctx, func() error { return p.commit(ctx, revision, next, c) })
	} else {
		err = p.attempt(ctx, func() error { return p.at(ctx, revision) })
	}
	if err != nil {
		return 0, p.explain("write to", err)
	}
	return next, nil
}

// commit sends its statements at once. Without a BEGIN they are one transaction all the same, since the server commits
// at the end of what was sent together. It may be called again with the same revisions when the answer was lost.
func (p *Postgres) commit(ctx context.Context, revision, next int64, c columns) error {
	batch := &pgx.Batch{}
	batch.Queue(durableStatement)
	written := false
	batch.Queue(commitStatement, revision, next, len(postgresMigrations), ringSize,
		c.kinds, c.pools, c.ids, c.positions, c.bodies, c.checksums, p.sealer.KeyID()).Query(func(rows pgx.Rows) error {
		written = rows.Next()
		rows.Close()
		return rows.Err()
	})
	batch.Queue(forgetStatement, ringSize)
	err := p.pool.SendBatch(ctx, batch).Close()
	if err != nil && !isOvertaken(err) {
		return err
	}
	if err != nil || !written {
		return p.refusal(ctx, next)
	}
	return nil
}

// isOvertaken holds for a commit that another replica was faster than: where the database, or the user, has a
// default_transaction_isolation above read committed, the server says that in the place of updating no row.
func isOvertaken(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01") // serialization_failure, deadlock_detected
}

// refusal says why a commit has written nothing. If the store knows the new revision, the commit was written by an earlier
// attempt, whose answer was lost with its connection: nobody else makes the same number.
func (p *Postgres) refusal(ctx context.Context, next int64) error {
	if _, err := p.currentRevision(ctx, p.pool); err != nil {
		return err // of a newer version's schema, or of another key
	}
	return p.inHistory(ctx, p.pool, next)
}

// at is a commit of nothing.
func (p *Postgres) at(ctx context.Context, revision int64) error {
	current, err := p.currentRevision(ctx, p.pool)
	if err == nil && current != revision {
		err = cognito.ErrConflict
	}
	return err
}

// columns are the rows of a commit as the arguments of commitStatement.
type columns struct {
	kinds, pools, ids []string
	positions         []int32
	bodies            [][]byte
	checksums         []int64
}

// columns keeps the last change of each identity: one statement cannot write a row twice.
func (p *Postgres) columns(revision int64, changes []cognito.Record) (c columns) {
	type identity struct {
		kind     cognito.Kind
		pool, id string
	}
	last := make(map[identity]int, len(changes))
	for i, r := range changes {
		last[identity{r.Kind, r.PoolID, r.ID}] = i
	}
	for i, record := range changes {
		if last[identity{record.Kind, record.PoolID, record.ID}] != i {
			continue
		}
		r := toRow(p.sealer, revision, record)
		c.kinds = append(c.kinds, string(record.Kind))
		c.pools = append(c.pools, record.PoolID)
		c.ids = append(c.ids, record.ID)
		c.positions = append(c.positions, int32(i))
		c.bodies = append(c.bodies, r.record.Body) // nil is NULL: deleted
		c.checksums = append(c.checksums, int64(r.checksum))
	}
	return c
}
