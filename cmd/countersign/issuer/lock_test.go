package issuer_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/issuer"
)

func TestLockDir(t *testing.T) {
	dir := t.TempDir()
	first, err := issuer.LockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = issuer.LockDir(dir)
	want := fmt.Sprintf("issuer: state directory %s: held by another process (process %d); stop that one first", dir, os.Getpid())
	if !errors.Is(err, issuer.ErrLocked) || !strings.HasPrefix(err.Error(), want) {
		t.Fatalf("got %v, want %q", err, want)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := issuer.LockDir(dir)
	if err != nil {
		t.Fatalf("after Close: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestLockDirWithoutDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none")
	if _, err := issuer.LockDir(dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v; want an error that names the directory", err)
	}
}
