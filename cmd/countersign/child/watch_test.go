package child_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/child"
)

// A watched directory, and what is told of it.
type watched struct {
	dir     string
	changes chan []string
}

// isText accepts what the tests write.
func isText(path string) bool {
	return strings.HasSuffix(path, ".go") || strings.HasSuffix(path, ".json")
}

// follow runs a watcher until the test has ended.
func follow(t *testing.T, dir string, run func(context.Context, func([]string)) error) *watched {
	t.Helper()
	w := &watched{dir, make(chan []string)}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, func(paths []string) {
			select {
			case w.changes <- paths:
			case <-ctx.Done():
			}
		})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return w
}

// await waits until the file is told of. Of earlier changes a slow machine may tell again, and together with it.
func (w *watched) await(t *testing.T, what, name string) {
	t.Helper()
	want, late := filepath.Join(w.dir, filepath.FromSlash(name)), time.After(5*time.Minute)
	for {
		select {
		case got := <-w.changes:
			for _, path := range got {
				if !isText(path) || strings.Contains(path, "node_modules") {
					t.Errorf("%s: %s was told of", what, path)
				}
			}
			if slices.Contains(got, want) {
				return
			}
		case <-late:
			t.Fatalf("%s: nothing was told of %s", what, want)
		}
	}
}

// tree is a module's directory, which is watched or looked at.
func tree(t *testing.T) (string, child.Files) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "api.go"), "package shop\n")
	write(t, filepath.Join(dir, "testdata", "policy.json"), "{}\n")
	write(t, filepath.Join(dir, "node_modules", "x.go"), "\n")
	return dir, child.Files{
		Trees: []string{dir}, Dirs: []string{filepath.Join(dir, "testdata"), filepath.Join(dir, "testdata", "more", "later")}, Wanted: isText,
	}
}

// change does to the files what their user does.
func change(t *testing.T, w *watched) {
	dir := w.dir
	for _, tt := range []struct {
		name   string
		change func()
		want   string
	}{
		{"a file is written", func() { write(t, filepath.Join(dir, "api.go"), "package shop // changed\n") }, "api.go"},
		{"a file is replaced, as editors do", func() {
			write(t, filepath.Join(dir, ".api.tmp"), "package shop // replaced\n")
			if err := os.Rename(filepath.Join(dir, ".api.tmp"), filepath.Join(dir, "api.go")); err != nil {
				t.Fatal(err)
			}
		}, "api.go"},
		{"a directory that is left out, and named", func() { write(t, filepath.Join(dir, "testdata", "policy.json"), "[1]\n") }, "testdata/policy.json"},
		{"a new package", func() { write(t, filepath.Join(dir, "internal", "store.go"), "package internal\n") }, "internal/store.go"},
		{"what is not wanted before what is", func() {
			write(t, filepath.Join(dir, "node_modules", "x.go"), "package x\n")
			write(t, filepath.Join(dir, "notes.txt"), "x")
			write(t, filepath.Join(dir, "internal", "store.go"), "package internal // changed\n")
		}, "internal/store.go"},
		{"a directory that is named, and comes into being", func() {
			write(t, filepath.Join(dir, "testdata", "more", "later", "policy.json"), "{}\n")
		}, "testdata/more/later/policy.json"},
		{"a directory that is named goes away", func() {
			if err := os.RemoveAll(filepath.Join(dir, "testdata")); err != nil {
				t.Fatal(err)
			}
		}, "testdata/policy.json"},
		{"and comes back", func() { write(t, filepath.Join(dir, "testdata", "policy.json"), "{}  \n") }, "testdata/policy.json"},
		{"and is still watched", func() { write(t, filepath.Join(dir, "testdata", "policy.json"), "[1, 2]\n") }, "testdata/policy.json"},
	} {
		tt.change()
		w.await(t, tt.name, tt.want)
	}
}

func TestChangesAreSeen(t *testing.T) {
	dir, files := tree(t)
	watcher, err := child.Watch(files)
	if err != nil {
		t.Fatal(err)
	}
	change(t, follow(t, dir, watcher.Run))
}

func TestChangesAreLookedFor(t *testing.T) {
	dir, files := tree(t)
	poller, err := child.Poll(files, 5*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	change(t, follow(t, dir, poller.Run))
}

// Where more has changed than the system keeps, all may have, and the watching goes on.
func TestChangesThatWereLost(t *testing.T) {
	dir, files := tree(t)
	watcher, err := child.Watch(files)
	if err != nil {
		t.Fatal(err)
	}
	w := follow(t, dir, watcher.Run)
	for range 2 {
		watcher.Overflow()
		w.await(t, "after an overflow", "testdata/policy.json")
	}
	write(t, filepath.Join(dir, "later", "store.go"), "package later\n")
	w.await(t, "a package after it", "later/store.go")
}

// A build that makes a directory anew each time does not use up what may be watched.
func TestDirectoriesThatComeAndGo(t *testing.T) {
	dir, files := tree(t)
	watcher, err := child.Watch(files)
	if err != nil {
		t.Fatal(err)
	}
	watcher.SetLimit(8)
	w := follow(t, dir, watcher.Run)
	for n := range 20 {
		name := fmt.Sprintf("dist/assets%d.go", n)
		write(t, filepath.Join(dir, filepath.FromSlash(name)), "package dist\n")
		w.await(t, "made anew", name)
		if err := os.RemoveAll(filepath.Join(dir, "dist")); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDirectoryThatIsNotThere(t *testing.T) {
	files := child.Files{Trees: []string{filepath.Join(t.TempDir(), "absent")}, Wanted: isText}
	if _, err := child.Watch(files); err == nil {
		t.Error("it is watched")
	}
	if _, err := child.Poll(files, time.Second); err == nil {
		t.Error("it is looked at")
	}
}
