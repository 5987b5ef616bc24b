package serve

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/issuer"
)

// lockPrivate is the lock of the file's directory: a file that is open cannot be replaced here.
func lockPrivate(path string) (release func(), err error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	for began := time.Now(); ; {
		lock, err := issuer.LockDir(filepath.Dir(path))
		if err == nil {
			return func() { lock.Close() }, nil
		}
		if !errors.Is(err, issuer.ErrLocked) || time.Since(began) > 10*time.Second {
			return nil, err
		}
		time.Sleep(20 * time.Millisecond)
	}
}
