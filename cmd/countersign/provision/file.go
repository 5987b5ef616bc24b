package provision

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/wholefile"
)

const maxCredential = 64 << 10 // bytes; Secrets Manager's bound too

// file keeps a credential in a file that its owner alone may read.
type file struct {
	path   string
	hidden string // directory that gets a .gitignore; "" for none
}

func (f file) String() string { return filepath.ToSlash(f.path) }

func (f file) Read(context.Context) (Stored, error) {
	opened, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return Stored{}, nil
	}
	if err != nil {
		return Stored{}, err
	}
	defer opened.Close()
	info, err := opened.Stat()
	if err != nil {
		return Stored{}, err
	}
	stored := Stored{Found: true}
	if !info.Mode().IsRegular() {
		stored.Foreign = "is not a regular file"
		return stored, nil
	}
	if mode := info.Mode().Perm(); mode != 0o600 && runtime.GOOS != "windows" {
		stored.Loose = fmt.Sprintf("mode %04o", mode)
	}
	data, err := io.ReadAll(io.LimitReader(opened, maxCredential+1))
	if err != nil {
		return Stored{}, err
	}
	if stored.Credential, err = decodeCredential(data); err != nil || len(data) > maxCredential {
		stored.Foreign = "is " + errNotACredential.Error()
	}
	stored.Pending = stored.Credential.pending()
	return stored, nil
}

func (f file) Write(_ context.Context, _ Stored, c Credential) error {
	data, err := c.encode()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return err
	}
	if err := f.hide(); err != nil {
		return err
	}
	return wholefile.Replace(f.path, data, 0o600) // a reader sees the old credential or the new one
}

// Stage keeps the next secret as the second one, which clients try only when the first is refused.
func (f file) Stage(ctx context.Context, before Stored, next Credential) error {
	return f.Write(ctx, before, before.Credential.staged(next))
}

// Promote swaps the two.
func (f file) Promote(ctx context.Context, before Stored) error {
	return f.Write(ctx, before, *before.Pending)
}

// Soak: clientcredentials.File reads the file for each token request; what was read a moment ago may still be on its way.
func (f file) Soak() time.Duration { return time.Minute }

// hide keeps the directory out of git before there is anything in it to commit.
func (f file) hide() error {
	if f.hidden == "" {
		return nil
	}
	ignore := filepath.Join(f.hidden, ".gitignore")
	if _, err := os.Lstat(ignore); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return wholefile.Replace(ignore, []byte("# Credentials of app clients, written by countersign.\n*\n"), 0o600)
}
