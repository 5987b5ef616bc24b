package issuer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/countersign-dev/countersign/cmd/countersign/seal"
	"github.com/countersign-dev/countersign/cmd/countersign/wholefile"
)

// The files of a state directory.
const (
	KeyFile         = "seal.key"    // the key that seals the rest; back it up apart from it
	DatabaseFile    = "issuer.db"   // the records, and beside it SQLite's -wal and -shm
	CredentialsFile = "credentials" // for AWS' tools, sealed
)

// A State is an open state directory: everything that the issuer keeps, held by this process alone until [State.Close].
type State struct {
	Dir         string
	Sealer      *seal.Sealer
	Store       *SQLite
	Credentials Credentials

	lock *Lock
}

// OpenState opens the state directory dir, or makes it, with mode 0700. Another process that has it open is [ErrLocked].
//
// A directory that has lost a part is an error and stays as it is: a new key file beside an old database, or a new database
// beside old credentials, would look like a working start with everything gone.
func OpenState(ctx context.Context, dir string) (*State, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("issuer: state directory: %w; name another directory with --state", err)
	}
	// Whoever may write to the directory can replace the key file, the database and the certificate authority in it.
	if info, err := os.Stat(dir); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o022 != 0 {
		return nil, fmt.Errorf("issuer: others may write to the state directory %s (mode %04o); type: chmod go-w %s", dir, info.Mode().Perm(), dir)
	}
	lock, err := LockDir(dir)
	if err != nil {
		return nil, err
	}
	s := &State{Dir: dir, lock: lock}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close closes the store and lets another process have the directory.
func (s *State) Close() error {
	var err error
	if s.Store != nil {
		err = s.Store.Close()
	}
	return errors.Join(err, s.lock.Close())
}

// open makes the parts in an order in which each is the proof that the ones before it once were there.
func (s *State) open(ctx context.Context) error {
	key, database, credentials := s.path(KeyFile), s.path(DatabaseFile), s.path(CredentialsFile)
	if err := errors.Join(s.missing(key, database, credentials), s.missing(database, credentials)); err != nil {
		return err
	}
	var err error
	if s.Sealer, err = seal.OpenKeyFile(key); err != nil {
		return err
	}
	if s.Store, err = OpenSQLite(ctx, database, s.Sealer); err != nil {
		return err
	}
	if err := wholefile.SyncDir(s.Dir); err != nil { // the names of the database and its log
		return fmt.Errorf("issuer: state directory: %w", err)
	}
	s.Credentials, err = OpenCredentials(credentials, s.Sealer)
	return err
}

// missing is an error if a file is gone, or cut to nothing, although one of those made after it is there.
func (s *State) missing(file string, later ...string) error {
	info, err := os.Stat(file)
	if err == nil && info.Size() > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil // what is wrong with it otherwise, whoever opens it says
	}
	for _, path := range later {
		if info, err := os.Stat(path); err == nil && info.Size() > 0 {
			return fmt.Errorf("issuer: state directory %s has %s but no %s: restore that file from a backup, or move the directory away to begin anew",
				s.Dir, filepath.Base(path), filepath.Base(file))
		}
	}
	return nil
}

func (s *State) path(name string) string { return filepath.Join(s.Dir, name) }
