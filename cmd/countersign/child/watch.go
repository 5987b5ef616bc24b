package child

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// maxDirs bounds what is watched: a system lets a user watch some thousand directories.
const maxDirs = 4000

// settle is how long it is waited for more: an editor's save is several events, and a checkout is thousands.
const settle = 150 * time.Millisecond

// Watcher tells of changed files.
type Watcher struct {
	events *fsnotify.Watcher
	dirs   int
	wanted func(path string) bool
}

// Watch watches the directory and those beneath it for files that wanted accepts. Directories whose name begins with . or _, vendor,
// node_modules and testdata are left out, unless they are named by extra.
func Watch(dir string, wanted func(path string) bool, extra ...string) (*Watcher, error) {
	events, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("child: watch: %w", err)
	}
	w := &Watcher{events: events, wanted: wanted}
	if err := w.add(dir); err != nil {
		return nil, errors.Join(err, events.Close())
	}
	for _, one := range extra {
		if err := events.Add(one); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, errors.Join(fmt.Errorf("child: watch: %w", err), events.Close())
		}
	}
	return w, nil
}

func (w *Watcher) add(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil && path == dir:
			return fmt.Errorf("child: watch: %w", err)
		case err != nil || !entry.IsDir():
			return nil
		case path != dir && skipped(entry.Name()):
			return filepath.SkipDir
		}
		if w.dirs++; w.dirs > maxDirs {
			return fmt.Errorf("child: watch: %s has more than %d directories", dir, maxDirs)
		}
		if err := w.events.Add(path); err != nil {
			return fmt.Errorf("child: watch %s: %w", path, err)
		}
		return nil
	})
}

func skipped(name string) bool {
	return name == "vendor" || name == "node_modules" || name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

// Run calls changed with the files that changed, once for all that change together, until ctx ends.
func (w *Watcher) Run(ctx context.Context, changed func(paths []string)) error {
	defer w.events.Close()
	paths := map[string]bool{}
	var settled <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case event, open := <-w.events.Events:
			if !open {
				return nil
			}
			for _, path := range w.changedBy(event) {
				paths[path] = true
				settled = time.After(settle)
			}
		case err, open := <-w.events.Errors:
			if !open {
				return nil
			}
			return fmt.Errorf("child: watch: %w", err)
		case <-settled:
			var all []string
			for path := range paths {
				all = append(all, path)
			}
			clear(paths)
			settled = nil
			changed(all)
		}
	}
}

// changedBy is the file of the event, or the files of a directory that came into being, which is watched from now on.
func (w *Watcher) changedBy(event fsnotify.Event) []string {
	if event.Op == fsnotify.Chmod {
		return nil
	}
	var all []string
	if w.wanted(event.Name) {
		all = append(all, event.Name)
	}
	if event.Has(fsnotify.Create) && !skipped(filepath.Base(event.Name)) && w.add(event.Name) == nil {
		filepath.WalkDir(event.Name, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() && path != event.Name && w.wanted(path) {
				all = append(all, path)
			}
			return nil
		})
	}
	return all
}
