package report_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "r.json")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link.json")
	if err := os.Symlink("r.json", link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, link, filepath.Join(dir, "new.json")} {
		if err := small().WriteFile(name, "json"); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(name)
		if err != nil || string(got) != written(t, small(), "json") {
			t.Errorf("%s: %v", name, err)
		}
		if info, err := os.Stat(name); err != nil || info.Mode() != 0o644 {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Error("the link was replaced, and not the file that it points to")
	}
	if err := small().WriteFile(path, "tap"); err == nil || !strings.HasPrefix(err.Error(), "report: ") {
		t.Errorf("a format that does not exist: %v", err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != written(t, small(), "json") {
		t.Error("what could not be written replaced what was there")
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) > 0 {
		t.Errorf("files are left: %q", left)
	}
}

func TestWriteFileRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, path := range map[string]string{
		"a directory": dir, "no directory": filepath.Join(dir, "none", "r.json"), "a device": os.DevNull,
	} {
		if err := small().WriteFile(path, "json"); err == nil || !strings.HasPrefix(err.Error(), "report: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
