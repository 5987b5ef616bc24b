// Package wholefile writes a file so that it has its name only when all of it is on the disk: whoever reads it sees what was there
// before or what is there now, also after a crash and a loss of power.
//
// It locks nothing: of two that write at once, one is last. Start with [Replace].
package wholefile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// Replace writes the file, in the place of one that is there. If it fails before the file has its name, the earlier one stays.
func Replace(path string, content []byte, mode fs.FileMode) error {
	return write(path, content, mode, os.Rename)
}

// Create writes a file that must not be there yet: otherwise the error is [fs.ErrExist], and the file stays as it is.
func Create(path string, content []byte, mode fs.FileMode) error {
	return write(path, content, mode, os.Link) // a link to a name that exists fails, where a rename would replace it
}

func write(path string, content []byte, mode fs.FileMode, name func(temporary, path string) error) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".new-*") // O_EXCL, and mode 0600: nobody else reads a secret while it is written
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	if err == nil && mode != 0o600 {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := name(f.Name(), path); err != nil {
		return err
	}
	return SyncDir(dir)
}

// SyncDir makes the names in a directory durable.
func SyncDir(dir string) error {
	if runtime.GOOS == "windows" { // NTFS journals names itself, and a directory cannot be synced there
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil // a file system that has no such thing
	}
	return errors.Join(err, d.Close())
}
