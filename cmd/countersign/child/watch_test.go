package child_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/child"
)

func TestChangesAreSeen(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "api.go"), "package shop\n")
	write(t, filepath.Join(dir, "testdata", "policy.json"), "{}\n")
	write(t, filepath.Join(dir, "node_modules", "x.go"), "\n")
	watcher, err := child.Watch(dir, func(path string) bool {
		return strings.HasSuffix(path, ".go") || strings.HasSuffix(path, ".json")
	}, filepath.Join(dir, "testdata"), filepath.Join(dir, "absent"))
	if err != nil {
		t.Fatal(err)
	}
	changes := make(chan []string)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- watcher.Run(ctx, func(paths []string) { changes <- paths }) }()
	before := ""
	for _, tt := range []struct {
		name   string
		change func()
		want   string
	}{
		{"a file is written", func() { write(t, filepath.Join(dir, "api.go"), "package shop // changed\n") }, "api.go"},
		{"a file is replaced, as editors do", func() {
			write(t, filepath.Join(dir, ".api.tmp"), "package shop\n")
			if err := os.Rename(filepath.Join(dir, ".api.tmp"), filepath.Join(dir, "api.go")); err != nil {
				t.Fatal(err)
			}
		}, "api.go"},
		{"a directory that is left out, and named", func() { write(t, filepath.Join(dir, "testdata", "policy.json"), "[]\n") }, "testdata/policy.json"},
		{"a new package", func() { write(t, filepath.Join(dir, "internal", "store.go"), "package internal\n") }, "internal/store.go"},
		{"what is not wanted before what is", func() {
			write(t, filepath.Join(dir, "node_modules", "x.go"), "package x\n")
			write(t, filepath.Join(dir, "notes.txt"), "x")
			write(t, filepath.Join(dir, "internal", "store.go"), "package internal // changed\n")
		}, "internal/store.go"},
	} {
		tt.change()
		want := filepath.Join(dir, filepath.FromSlash(tt.want))
		for seen := false; !seen; {
			select {
			case got := <-changes:
				// A slow machine may tell of the change before in two parts, and of the second one together with this change.
				if slices.ContainsFunc(got, func(path string) bool { return path != want && path != before }) {
					t.Fatalf("%s: %q, want %s", tt.name, got, want)
				}
				seen = slices.Contains(got, want)
			case <-time.After(5 * time.Minute):
				t.Fatalf("%s: nothing was seen", tt.name)
			}
		}
		before = want
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestDirectoryThatIsNotThere(t *testing.T) {
	if _, err := child.Watch(filepath.Join(t.TempDir(), "absent"), nil); err == nil {
		t.Error("it is watched")
	}
}
