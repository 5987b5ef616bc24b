package issuer_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/issuer"
	"github.com/countersign-dev/countersign/cmd/countersign/seal"
	"github.com/countersign-dev/countersign/cognito"
)

func closeState(t *testing.T, s *issuer.State) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// newState returns a closed state directory that holds one record, and its credentials.
func newState(t *testing.T) (dir string, c issuer.Credentials) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "state")
	s, err := issuer.OpenState(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Store.Commit(t.Context(), 0, []cognito.Record{{Kind: cognito.KindPool, PoolID: "p", ID: "p", Body: []byte(`{}`)}})
	if err != nil {
		t.Fatal(err)
	}
	closeState(t, s)
	return dir, s.Credentials
}

func TestOpenStateTwice(t *testing.T) {
	dir, credentials := newState(t)
	s, err := issuer.OpenState(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if s.Credentials != credentials {
		t.Error("the credentials changed at the second start")
	}
	if records, _, err := s.Store.Load(t.Context()); err != nil || len(records) != 1 {
		t.Errorf("%d records, %v; want 1", len(records), err)
	}
	if _, err := issuer.OpenState(t.Context(), dir); !errors.Is(err, issuer.ErrLocked) {
		t.Errorf("a second instance: %v, want ErrLocked", err)
	}
	closeState(t, s)
	if runtime.GOOS == "windows" {
		return // modes mean nothing there
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s has mode %v, %v; want 0600", entry.Name(), info.Mode(), err)
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory has mode %v, %v; want 0700", info.Mode(), err)
	}
}

func TestOpenStateRefusesDamage(t *testing.T) {
	remove := func(name string) func(string) error {
		return func(dir string) error { return os.Remove(filepath.Join(dir, name)) }
	}
	overwrite := func(name, content string) func(string) error {
		return func(dir string) error { return os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600) }
	}
	otherKey := func(dir string) error {
		path := filepath.Join(dir, issuer.KeyFile)
		_, err := seal.OpenKeyFile(path + ".other")
		return errors.Join(err, os.Rename(path+".other", path))
	}
	tests := []struct {
		name  string
		spoil func(dir string) error
		want  string
	}{
		{"the key file is gone", remove(issuer.KeyFile), "has issuer.db but no seal.key: restore that file"},
		{"the database is gone", remove(issuer.DatabaseFile), "has credentials but no issuer.db: restore that file"},
		{"the database is empty", overwrite(issuer.DatabaseFile, ""), "has credentials but no issuer.db"},
		{"the database is text", overwrite(issuer.DatabaseFile, strings.Repeat("text ", 1000)), "restore a backup"},
		{"the key file is damaged", overwrite(issuer.KeyFile, "x"), "seal.key is damaged"},
		{"the key file is of another directory", otherKey, "do not belong together"},
		{"the credentials are damaged", overwrite(issuer.CredentialsFile, "x"), "damaged, or moved here"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, _ := newState(t)
			if err := tt.spoil(dir); err != nil {
				t.Fatal(err)
			}
			before := contents(t, dir)
			s, err := issuer.OpenState(t.Context(), dir)
			if err == nil {
				closeState(t, s)
				t.Fatal("it opens")
			}
			if !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("got %v; want %q and the directory", err, tt.want)
			}
			if after := contents(t, dir); after != before {
				t.Errorf("the directory was changed:\nbefore %s\nafter  %s", before, after)
			}
		})
	}
}

// contents names the files of a directory and the digests of what they hold, but for the lock.
func contents(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, entry := range entries {
		if entry.Name() == "lock" {
			continue
		}
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %d %x; ", entry.Name(), len(content), content[:min(len(content), 40)])
	}
	return b.String()
}

func TestOpenStateFileInItsPlace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := issuer.OpenState(t.Context(), file); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v; want an error that names the path", err)
	}
}

func TestCredentials(t *testing.T) {
	dir, c := newState(t)
	if !regexp.MustCompile(`^AKIA[A-Z2-7]{16}$`).MatchString(c.AccessKeyID) {
		t.Errorf("access key id %q has not AWS' form", c.AccessKeyID)
	}
	if !regexp.MustCompile(`^[A-Za-z0-9/+]{40}$`).MatchString(c.SecretAccessKey.Reveal()) {
		t.Error("the secret access key has not AWS' form")
	}
	path := filepath.Join(dir, issuer.CredentialsFile)
	if content, err := os.ReadFile(path); err != nil || bytes.Contains(content, []byte(c.SecretAccessKey.Reveal())) {
		t.Errorf("the secret lies in the file in clear (%v)", err)
	}
	sealer, err := seal.ReadKeyFile(filepath.Join(dir, issuer.KeyFile))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := issuer.ReadCredentials(path, sealer); err != nil || got != c {
		t.Errorf("read by another command: %v, %v", got, err)
	}
	if _, err := issuer.ReadCredentials(path+"x", sealer); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a file: %v, want fs.ErrNotExist", err)
	}
}

func TestSecretIsNotPrinted(t *testing.T) {
	c := issuer.Credentials{AccessKeyID: "AKIA1", SecretAccessKey: "hidden"}
	encoded, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c), fmt.Sprintf("%q", c.SecretAccessKey),
		string(encoded), c.SecretAccessKey.LogValue().String()} {
		if strings.Contains(text, "hidden") || !strings.Contains(text, "redacted") {
			t.Errorf("%s", text)
		}
	}
}
