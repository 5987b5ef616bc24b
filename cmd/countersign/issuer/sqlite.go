package issuer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/countersign-dev/countersign/cmd/countersign/seal"
	"github.com/countersign-dev/countersign/cognito"
)

// SQLite is a [cognito.Store] in one file. [OpenSQLite] makes one.
//
// It writes through one connection, because SQLite has one writer anyway and a queue inside the process is fairer than
// its busy handler, and reads through others, which in WAL mode never wait for the writer.
type SQLite struct {
	path   string
	sealer *seal.Sealer
	write  *sql.DB
	read   *sql.DB
	file   os.FileInfo // of the file that is open, whatever has its name meanwhile
	closed atomic.Bool
}

var _ cognito.Store = (*SQLite)(nil)

// pragmas hold for every connection.
//
// synchronous=FULL syncs the write-ahead log at each commit. With NORMAL, which is usual in WAL mode, a commit that was
// already acknowledged may be gone after a power loss, and a client secret that AWS' tools have shown once cannot be
// asked for again. On macOS fsync leaves data in the drive's cache, hence fullfsync; elsewhere it changes nothing.
// journal_size_limit (16 MiB) gives the disk space of the log back after one large import.
const pragmas = "_pragma=busy_timeout(5000)&_pragma=synchronous(FULL)&_pragma=fullfsync(1)&_pragma=checkpoint_fullfsync(1)" +
	"&_pragma=journal_size_limit(16777216)&_pragma=foreign_keys(1)&_pragma=trusted_schema(0)"

// readers is how many connections read at once. Readers are a start, and replicas that catch up; tokens read no database.
const readers = 4

// OpenSQLite opens the database at path, creating it in a directory that exists, and brings its schema up to date. The
// sealer must be the one that sealed what the database holds. A file that it cannot use is left as it is.
func OpenSQLite(ctx context.Context, path string, sealer *seal.Sealer) (*SQLite, error) {
	if err := prepareFile(path); err != nil {
		return nil, err
	}
	dsn, err := dataSource(path)
	if err != nil {
		return nil, err
	}
	write, err := sql.Open("sqlite", dsn+"&_txlock=immediate")
	if err != nil {
		return nil, explain("open", path, err)
	}
	write.SetMaxOpenConns(1)
	read, err := sql.Open("sqlite", dsn+"&_pragma=query_only(1)")
	if err != nil {
		return nil, explain("open", path, errors.Join(err, write.Close()))
	}
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	s := &SQLite{path: path, sealer: sealer, write: write, read: read}
	if err := s.prepare(ctx); err != nil {
		return nil, explain("open", path, errors.Join(err, s.Close()))
	}
	if s.file, err = os.Stat(path); err != nil {
		return nil, explain("open", path, errors.Join(err, s.Close()))
	}
	return s, nil
}

// inPlace refuses to go on with a file that was removed, or replaced by another: what is written to it would be gone with the
// last process that has it open, although it was acknowledged.
func (s *SQLite) inPlace() error {
	now, err := os.Stat(s.path)
	if err == nil && !os.SameFile(now, s.file) || errors.Is(err, fs.ErrNotExist) {
		return errMoved
	}
	return nil // what else is wrong with it, SQLite says
}

// prepare looks before it writes: which program's file this is and of which version, then the journal mode and the
// schema, then whether the key fits.
func (s *SQLite) prepare(ctx context.Context) error {
	version, err := schemaVersion(ctx, s.write)
	if err != nil {
		return err
	}
	if err := checkIntegrity(ctx, s.write); err != nil {
		return err
	}
	if version <= len(migrations) {
		if err := useWAL(ctx, s.write); err != nil {
			return err
		}
	}
	if err := migrate(ctx, s.write, version); err != nil {
		return err
	}
	return s.checkKey(ctx)
}

// integrityLimit is the size up to which PRAGMA integrity_check at the start costs less than 10 ms, about 3,500 clients.
// A larger database relies on the checksum of each record, which Load verifies, and on SQLite meeting a page that makes no
// sense; what remains unseen there is a damaged index.
const integrityLimit = 4 << 20

func checkIntegrity(ctx context.Context, db *sql.DB) error {
	var size int64
	err := db.QueryRowContext(ctx, `SELECT page_count * page_size FROM pragma_page_count, pragma_page_size`).Scan(&size)
	if err != nil || size > integrityLimit {
		return err
	}
	var finding string
	if err := db.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&finding); err != nil {
		return err
	}
	if finding != "ok" {
		return fmt.Errorf("%w: %s", ErrCorrupt, finding)
	}
	return nil
}

// useWAL: with a write-ahead log a commit costs one sync instead of three, and readers see whole commits meanwhile.
func useWAL(ctx context.Context, db *sql.DB) error {
	var mode string
	if err := db.QueryRowContext(ctx, `PRAGMA journal_mode = WAL`).Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("no write-ahead log is possible here (journal mode %q); use a local file system", mode)
	}
	return nil
}

// checkKey finds the wrong key file at the start, and not at the first client that is asked for.
func (s *SQLite) checkKey(ctx context.Context) error {
	_, err := s.write.ExecContext(ctx, `INSERT INTO store (one, revision, key_id) SELECT 1, 0, ?
		WHERE NOT EXISTS (SELECT 1 FROM store) AND NOT EXISTS (SELECT 1 FROM records)`, s.sealer.KeyID())
	if err != nil {
		return err
	}
	var id string
	if err := s.write.QueryRowContext(ctx, `SELECT key_id FROM store`).Scan(&id); err != nil {
		return err
	}
	if id != s.sealer.KeyID() {
		return fmt.Errorf("key %s wanted, key %s given: %w", id, s.sealer.KeyID(), seal.ErrOtherKey)
	}
	return nil
}

// Close implements [cognito.Store]. It writes the log back into the database file.
func (s *SQLite) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	// The writer last: the last connection that closes is the one that checkpoints.
	return explain("close", s.path, errors.Join(s.read.Close(), s.write.Close()))
}

// prepareFile creates an empty file with a mode of its own choosing: SQLite would create it for others to read, and gives
// its log the mode of the database.
func prepareFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		return explain("create", path, errors.Join(f.Sync(), f.Close()))
	}
	if !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("issuer: create the database: %w; %s", err, advice[errWritable])
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("issuer: database: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("issuer: database %s is not a file (%s); move it away or name another", path, info.Mode().Type())
	}
	return nil
}

// dataSource escapes the path, in which a question mark would otherwise begin the options.
func dataSource(path string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("issuer: database %s: %w", path, err)
	}
	absolute = filepath.ToSlash(absolute)
	if !strings.HasPrefix(absolute, "/") { // a drive letter
		absolute = "/" + absolute
	}
	return (&url.URL{Scheme: "file", Path: absolute, RawQuery: pragmas}).String(), nil
}
