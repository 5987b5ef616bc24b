package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Listen makes the socket, and its directory if only that is missing. One that an agent left behind that was killed is replaced; one that somebody answers on is an
// error, as is a directory in which everybody could put a socket of their own in its place. A socket that is removed while
// it is listened on is made again, and logger is told.
func Listen(path string, mode fs.FileMode, logger *slog.Logger) (net.Listener, error) {
	if err := seal(); err != nil {
		return nil, fmt.Errorf("agent: %w", err)
	}
	if err := makeDirectory(filepath.Dir(path)); err != nil {
		return nil, err
	}
	if err := removeStale(path); err != nil {
		return nil, err
	}
	l, err := newListener(path, mode, logger)
	if err != nil {
		return nil, err // and not a nil *listener in an interface
	}
	return l, nil
}

// makeDirectory makes a directory that only the agent's user may write to. Where the parent is missing too, checkDirectory says
// what to do.
func makeDirectory(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	err := os.Mkdir(dir, 0o755)
	if err == nil {
		err = os.Chmod(dir, 0o755) // whatever the umask: the socket's mode says who may connect
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("agent: the socket's directory: %w; make it first, for the agent's user only to write", err)
	}
	return nil
}

func checkDirectory(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("agent: the socket's directory: %w; make it first, for the agent's user only to write", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("agent: %s is not a directory", dir)
	}
	if mode := info.Mode(); mode.Perm()&0o002 != 0 && mode&fs.ModeSticky == 0 {
		return fmt.Errorf("agent: everybody can write to %s, and so replace the socket; run: chmod o-w %s", dir, dir)
	}
	return nil
}

// removeStale removes a socket that nobody answers on.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("agent: %w", err)
	case info.Mode()&fs.ModeSocket == 0:
		return fmt.Errorf("agent: %s is there and is not a socket; name another path, or remove it", path)
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		_ = conn.Close()
		return fmt.Errorf("agent: somebody answers on %s already; stop that agent first", path)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("agent: %w", err)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("agent: the socket of an agent that is gone: %w", err)
	}
	return nil
}
