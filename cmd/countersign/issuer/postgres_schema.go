package issuer

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/countersign-dev/countersign/cmd/countersign/seal"
)

// postgresMigrations are the steps from each schema version to the next. They only go forward, and one that was released is
// never edited: a database somewhere has already run it.
var postgresMigrations = []string{
	// Keys compare byte by byte whatever the database's collation. The order of change is revision, then position, the place
	// inside the commit. countersign_commits is a ring of the last revisions; see nextRevision.
	`CREATE TABLE countersign_store (
		one      boolean PRIMARY KEY CHECK (one),
		version  integer NOT NULL,
		revision bigint  NOT NULL,
		commits  bigint  NOT NULL,
		key_id   text    NOT NULL
	);
	CREATE TABLE countersign_records (
		kind     text COLLATE "C" NOT NULL,
		pool     text COLLATE "C" NOT NULL,
		id       text COLLATE "C" NOT NULL,
		revision bigint  NOT NULL,
		position integer NOT NULL,
		body     bytea,
		checksum bigint  NOT NULL,
		PRIMARY KEY (kind, pool, id)
	);
	CREATE INDEX countersign_records_by_revision ON countersign_records (revision, position);
	CREATE TABLE countersign_commits (
		slot     integer PRIMARY KEY,
		revision bigint  NOT NULL UNIQUE
	);`,
}

// migrationLock is the advisory lock that replicas which start at once take in turn. The number is the program's own.
const migrationLock = 0x636f756e74657201

// migrate brings the schema to the newest version and holds the sealer to the key that the database was made with.
//
// A database that is up to date is only looked at, so that a replica also starts on a server that accepts no writes.
func (p *Postgres) migrate(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, loadLimit)
	defer cancel()
	version, key, err := storedSchema(ctx, p.pool)
	if err == nil && version < len(postgresMigrations) {
		if err = p.migrateInTurn(ctx); err == nil {
			version, key, err = storedSchema(ctx, p.pool)
		}
	}
	if err != nil {
		return err
	}
	if err := knownVersion(version, postgresMigrations); err != nil {
		return err
	}
	if key != p.sealer.KeyID() {
		return fmt.Errorf("key %s wanted, key %s given: %w", key, p.sealer.KeyID(), seal.ErrOtherKey)
	}
	return nil
}

// migrateInTurn holds the lock around the transaction and not inside it: inside one, PostgreSQL may answer from a cache
// that the table does not exist, although the replica that had the lock before has made it.
func (p *Postgres) migrateInTurn(ctx context.Context) error {
	return p.pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) error {
		if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, migrationLock); err != nil {
			return err
		}
		defer func() {
			// The lock also ends with the connection, which pgx closes when ctx ends.
			_ = within(context.WithoutCancel(ctx), connectTimeout, func(ctx context.Context) error {
				_, err := conn.Exec(ctx, `SELECT pg_advisory_unlock($1)`, migrationLock)
				return err
			})
		}()
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return p.migrateSteps(ctx, tx) })
	})
}

// migrateSteps takes all missing steps in one transaction: PostgreSQL undoes tables as it undoes rows, so that whatever
// interrupts it leaves the database as it was.
func (p *Postgres) migrateSteps(ctx context.Context, tx pgx.Tx) error {
	version, _, err := storedSchema(ctx, tx) // once more: another replica may have been faster
	if err != nil {
		return err
	}
	for step := version; step < len(postgresMigrations); step++ {
		if _, err := tx.Exec(ctx, postgresMigrations[step]); err != nil {
			return fmt.Errorf("migrate from version %d: %w", step, err)
		}
	}
	if version == 0 {
		_, err = tx.Exec(ctx, `INSERT INTO countersign_store (one, version, revision, commits, key_id) VALUES (true, $1, 0, 0, $2)`,
			len(postgresMigrations), p.sealer.KeyID())
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE countersign_store SET version = $1 WHERE version < $1`, len(postgresMigrations))
	return err
}

// A querier is a pool or a transaction.
type querier interface {
	QueryRow(ctx context.Context, query string, args ...any) pgx.Row
}

// storedSchema returns version 0 when there are no tables yet.
func storedSchema(ctx context.Context, q querier) (version int, key string, err error) {
	var there bool
	if err := q.QueryRow(ctx, `SELECT to_regclass('countersign_store') IS NOT NULL`).Scan(&there); err != nil || !there {
		return 0, "", err
	}
	err = q.QueryRow(ctx, `SELECT version, key_id FROM countersign_store`).Scan(&version, &key)
	if errors.Is(err, pgx.ErrNoRows) { // the row is written with the table
		err = fmt.Errorf("%w: countersign_store is empty", ErrCorrupt)
	}
	return version, key, err
}
