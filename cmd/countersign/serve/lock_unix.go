//go:build !windows

package serve

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// lockPrivate keeps others who change the file with it from doing so at the same time, until release. Whoever had the lock before
// may have put another file in the place of this one, and then it is that one which has to be locked.
func lockPrivate(path string) (release func(), err error) {
	for {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		if err := flock(f); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		locked, err1 := f.Stat()
		named, err2 := os.Stat(path)
		if err1 == nil && err2 == nil && os.SameFile(locked, named) {
			return func() { f.Close() }, nil
		}
		f.Close()
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
	}
}

func flock(f *os.File) error {
	for {
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
