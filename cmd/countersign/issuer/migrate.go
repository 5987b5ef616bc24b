package issuer

import (
	"context"
	"database/sql"
	"fmt"
)

// migrations are the steps from each schema version to the next; the database holds how many it has seen. They only go
// forward, and one that was released is never edited: a database somewhere has already run it.
var migrations = []string{
	// A record is replaced by writing it anew, so that sequence is the order of change, Load reads the table from front to
	// back, and deletions stay as rows without a body for those who ask what has changed.
	`CREATE TABLE store (
		one      INTEGER PRIMARY KEY CHECK (one = 1),
		revision INTEGER NOT NULL,
		key_id   TEXT    NOT NULL
	) STRICT;
	CREATE TABLE records (
		sequence INTEGER PRIMARY KEY,
		revision INTEGER NOT NULL,
		kind     TEXT    NOT NULL,
		pool     TEXT    NOT NULL,
		id       TEXT    NOT NULL,
		body     BLOB,
		checksum INTEGER NOT NULL,
		UNIQUE (kind, pool, id)
	) STRICT;
	CREATE INDEX records_by_revision ON records (revision);`,

	// A ring of the last revisions; see nextRevision.
	`ALTER TABLE store ADD COLUMN commits INTEGER NOT NULL DEFAULT 0;
	CREATE TABLE commits (
		slot     INTEGER PRIMARY KEY,
		revision INTEGER NOT NULL UNIQUE
	) STRICT;
	INSERT INTO commits (slot, revision) SELECT 0, revision FROM store WHERE revision > 0;`,
}

// schemaVersion returns 0 for an empty database, and refuses one that belongs to another program.
func schemaVersion(ctx context.Context, db *sql.DB) (int, error) {
	var tables, ours int
	err := db.QueryRowContext(ctx, `SELECT count(*), count(*) FILTER (WHERE name = 'countersign_schema') FROM sqlite_schema`).
		Scan(&tables, &ours)
	if err != nil || tables == 0 {
		return 0, err
	}
	if ours == 0 {
		return 0, errForeign
	}
	var version int
	err = db.QueryRowContext(ctx, `SELECT version FROM countersign_schema`).Scan(&version)
	if err == nil && version < 1 { // the transaction that made the table has left it at 1
		err = fmt.Errorf("%w: its schema has version %d", ErrCorrupt, version)
	}
	return version, err
}

// migrate brings the database from a version to the newest. Each step and its number are one transaction, so that a crash
// leaves the database before the step or after it.
func migrate(ctx context.Context, db *sql.DB, version int) error {
	if err := knownVersion(version, migrations); err != nil {
		return err
	}
	for ; version < len(migrations); version++ {
		if err := migrateOnce(ctx, db, version); err != nil {
			return fmt.Errorf("migrate from version %d: %w", version, err)
		}
	}
	return nil
}

func migrateOnce(ctx context.Context, db *sql.DB, version int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if version == 0 {
		const first = `CREATE TABLE countersign_schema (version INTEGER NOT NULL) STRICT;
			INSERT INTO countersign_schema VALUES (0);`
		if _, err := tx.ExecContext(ctx, first); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, migrations[version]); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE countersign_schema SET version = ?`, version+1); err != nil {
		return err
	}
	return tx.Commit()
}

// knownVersion refuses a schema that a newer version of this program has made.
func knownVersion(version int, migrations []string) error {
	if version > len(migrations) {
		return fmt.Errorf("%w: its schema has version %d, this program knows versions up to %d", errNewer, version, len(migrations))
	}
	return nil
}

// sameVersion is knownVersion for a store that is open: the schema is the newest since then, unless somebody has restored a
// backup that an older version of this program has made.
func sameVersion(version int, migrations []string) error {
	if version < len(migrations) {
		return fmt.Errorf("%w: its schema has version %d, this program needs version %d", errOlder, version, len(migrations))
	}
	return knownVersion(version, migrations)
}
