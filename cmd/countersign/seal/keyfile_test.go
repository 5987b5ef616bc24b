package seal_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/seal"
)

func TestOpenKeyFileCreatesOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "seal.key")
	first, err := seal.OpenKeyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	second, err := seal.OpenKeyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := second.Open(first.Seal([]byte("secret"), nil), nil); err != nil || string(got) != "secret" {
		t.Errorf("after a second start: %q, %v", got, err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("the directory holds %v, %v; want the key file alone", entries, err)
	}
	if runtime.GOOS == "windows" {
		return // modes mean nothing there
	}
	for name, want := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): 0o700 | fs.ModeDir} {
		if info, err := os.Stat(name); err != nil || info.Mode() != want {
			t.Errorf("%s: mode %v, %v; want %v", name, info.Mode(), err, want)
		}
	}
}

func TestOpenKeyFileAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seal.key")
	ids := make([]string, 16)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			s, err := seal.OpenKeyFile(path)
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = s.KeyID()
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("processes that start at once use different keys: %q", ids)
		}
	}
}

func TestReadKeyFileWithout(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seal.key")
	if _, err := seal.ReadKeyFile(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading made a file: %v", err)
	}
}

func TestReadMountedKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seal.key")
	if _, err := seal.OpenKeyFile(path); err != nil {
		t.Fatal(err)
	}
	for mode, refused := range map[fs.FileMode]bool{0o600: false, 0o440: false, 0o444: true, 0o460: true} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := seal.ReadMountedKeyFile(path); (err != nil) != (refused && runtime.GOOS != "windows") {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
}

func TestOpenKeyFileRefuses(t *testing.T) {
	good := filepath.Join(t.TempDir(), "seal.key")
	if _, err := seal.OpenKeyFile(good); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Clone(content)
	if changed[20] = 'A'; content[20] == 'A' {
		changed[20] = 'B'
	}
	tests := []struct {
		name    string
		content []byte
		mode    fs.FileMode
		want    string
	}{
		{"others may read it", content, 0o644, "has mode 0644, so that other users may use it; type: chmod 600 "},
		{"the group may read it", content, 0o640, "has mode 0640"},
		{"empty", nil, 0o600, "is damaged (empty)"},
		{"cut short", content[:30], 0o600, "is damaged (cut short, or more than one line)"},
		{"changed", changed, 0o600, "is damaged (its digest does not match)"},
		{"another file", []byte("-----BEGIN PRIVATE KEY-----\n"), 0o600, "is damaged (it does not begin with countersign-key-1)"},
		{"two keys", append(bytes.Clone(content), content...), 0o600, "is damaged (cut short, or more than one line)"},
		{"huge", make([]byte, 1<<20), 0o600, "is damaged (too long)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if runtime.GOOS == "windows" && tt.mode != 0o600 {
				return
			}
			path := filepath.Join(t.TempDir(), "it's a key")
			if err := errors.Join(os.WriteFile(path, tt.content, 0o600), os.Chmod(path, tt.mode)); err != nil {
				t.Fatal(err)
			}
			_, err := seal.OpenKeyFile(path)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path) {
				t.Fatalf("got %v; want %q and the path", err, tt.want)
			}
			if secret := strings.Split(string(content), ":")[1]; strings.Contains(err.Error(), secret[:8]) {
				t.Errorf("%q shows the key", err)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, tt.content) {
				t.Errorf("the refused file was changed: %v", err)
			}
		})
	}
}

func TestOpenKeyFileDirectoryInItsPlace(t *testing.T) {
	path := t.TempDir()
	if _, err := seal.OpenKeyFile(path); err == nil || !strings.Contains(err.Error(), path+" is not a file") {
		t.Errorf("got %v", err)
	}
}

func TestOpenKeyFileNoDirectoryPossible(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := seal.OpenKeyFile(filepath.Join(file, "seal.key")); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v", err)
	}
}
