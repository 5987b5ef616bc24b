//go:build !windows

package issuer

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// tryLock uses flock, not fcntl: a POSIX record lock is lost as soon as any part of the process closes any descriptor of
// the file, and does not hold between two openers within one process.
func tryLock(f *os.File) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EWOULDBLOCK):
			return errWouldBlock
		}
		return err
	}
}
