package issuer

import (
	"database/sql"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// These say what is wrong with a database file. errors.Is works on them through what [OpenSQLite] and the store return.
var (
	// ErrCorrupt says that the file is not a database or has damaged parts.
	ErrCorrupt = errors.New("the database is damaged")
	// ErrDiskFull says that there was no room for a write, which therefore did not happen.
	ErrDiskFull = errors.New("the disk is full")

	errForeign  = errors.New("it is the database of another program")
	errNewer    = errors.New("it was written by a newer version of this program")
	errOlder    = errors.New("a backup of an older version was restored")
	errWritable = errors.New("it cannot be opened for writing")
	errDisk     = errors.New("the disk reports an error")
	errMoved    = errors.New("the file was removed or replaced while it was open")
)

// advice is what a person does next, in the words of the operation that failed.
var advice = map[error]string{
	ErrCorrupt:  "nothing was changed; keep a copy of it and its -wal file, and restore a backup",
	ErrDiskFull: "nothing was written; make room and try again",
	errForeign:  "nothing was changed; name another file",
	errNewer:    "nothing was changed; use that version, or restore a backup from before it",
	errOlder:    "start this program again, which brings it up to date",
	errResealed: "start this program again with the key file that it is sealed under now",
	errWritable: "check the owner and the mode of the file and of its directory, and whether the file system is read-only",
	errMoved:    "nothing was written; stop every process that has it open, and put the right file there",
	errDisk:     "check that it has room and is healthy, then start again",
}

// explain wraps an error with the operation, the file, and, where the cause is known, the next step.
func explain(operation, path string, err error) error {
	if err == nil {
		return nil
	}
	cause := causeOf(err)
	if cause == nil {
		return fmt.Errorf("issuer: %s %s: %w", operation, path, err)
	}
	if errors.Is(err, cause) {
		return fmt.Errorf("issuer: %s %s: %w; %s", operation, path, err, advice[cause])
	}
	return fmt.Errorf("issuer: %s %s: %w (%w); %s", operation, path, cause, err, advice[cause])
}

func causeOf(err error) error {
	for cause := range advice {
		if errors.Is(err, cause) {
			return cause
		}
	}
	if errors.Is(err, sql.ErrNoRows) { // every row that is asked for singly is written when the database is made
		return ErrCorrupt
	}
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return nil
	}
	// The low byte is the class of the error, the rest says where SQLite met it.
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return ErrCorrupt
	case sqlite3.SQLITE_FULL:
		return ErrDiskFull
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return errWritable
	case sqlite3.SQLITE_IOERR: // also a full disk, where SQLite meets it in the index of its log
		return errDisk
	}
	return nil
}
