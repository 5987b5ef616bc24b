package issuer

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ErrLocked says that another process holds the state directory.
var ErrLocked = errors.New("held by another process")

// errWouldBlock is what the platform's tryLock returns when somebody else holds the lock.
var errWouldBlock = errors.New("would block")

// A Lock holds a state directory for this process. It ends with [Lock.Close] or with the process, however that dies:
// the operating system keeps it, so that there is no stale lock to remove by hand.
type Lock struct{ file *os.File }

// LockDir takes the exclusive lock of a directory that exists, or returns [ErrLocked] with the id of the process that
// holds it. It does not wait.
func LockDir(dir string) (*Lock, error) {
	path := filepath.Join(dir, "lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("issuer: lock the state directory: %w; check the owner and the mode of the directory", err)
	}
	if err := tryLock(f); err != nil {
		defer f.Close()
		if errors.Is(err, errWouldBlock) {
			return nil, fmt.Errorf("issuer: state directory %s: %w%s; stop that one first, or use another directory",
				dir, ErrLocked, holder(f))
		}
		return nil, fmt.Errorf("issuer: lock %s: %w (the directory must be on a file system with locks)", path, err)
	}
	// The id is for the message above and nothing else; that it is written is no condition of holding the lock.
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return &Lock{f}, nil
}

// Close gives the directory back. The file stays: removing it would let a process that has just opened it lock a file
// that nobody else sees.
func (l *Lock) Close() error {
	if err := l.file.Close(); err != nil {
		return fmt.Errorf("issuer: unlock the state directory: %w", err)
	}
	return nil
}

func holder(f *os.File) string {
	text, _ := io.ReadAll(io.NewSectionReader(f, 0, 32))
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil { // between its lock and its id
		return ""
	}
	return fmt.Sprintf(" (process %d)", pid)
}
