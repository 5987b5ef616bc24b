package child

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// maxDirs bounds what is watched: a system lets a user watch some thousand directories.
const maxDirs = 4000

// settle is how long it is waited for more: an editor's save is several events, and a checkout is thousands.
const settle = 150 * time.Millisecond

// Files says which files are watched. Paths are absolute.
type Files struct {
	// Trees are directories that are watched with all beneath them. Left out are those whose name begins with . or _, vendor,
	// node_modules and testdata, unless they stand here themselves.
	Trees []string
	// Dirs are directories that are watched without what is beneath them. They need not be there yet.
	Dirs   []string
	Wanted func(path string) bool
}

// Watcher tells of changed files.
type Watcher struct {
	Files
	events *fsnotify.Watcher
	limit  int // of directories
}

// Watch begins to watch. What changes from now on is told of when Run is called.
func Watch(files Files) (*Watcher, error) {
	events, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, watchError("", err)
	}
	w := &Watcher{Files: files, events: events, limit: maxDirs}
	for _, dir := range files.Trees {
		err = errors.Join(err, w.addTree(dir))
	}
	for _, dir := range files.Dirs {
		err = errors.Join(err, w.addDir(dir))
	}
	if err != nil {
		return nil, errors.Join(err, events.Close())
	}
	return w, nil
}

// watchError says what can be done where the system's own words mislead.
func watchError(path string, err error) error {
	if path != "" {
		path = " " + path
	}
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("child: watch%s: this system lets you watch no more directories (fs.inotify.max_user_watches)", path)
	case errors.Is(err, syscall.EMFILE):
		return fmt.Errorf("child: watch%s: this system lets you begin no more watches (fs.inotify.max_user_instances)", path)
	}
	return fmt.Errorf("child: watch%s: %w", path, err)
}

func (w *Watcher) addTree(dir string) error {
	known := map[string]bool{}
	for _, path := range w.events.WatchList() {
		known[path] = true
	}
	return walkDirs(dir, known, w.limit, func(path string) error {
		if err := w.events.Add(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return watchError(path, err)
		}
		return nil
	})
}

// walkDirs calls each for the directory and those beneath it that are not left out. Known has those that are watched already; there
// may be so many of them.
func walkDirs(dir string, known map[string]bool, limit int, each func(path string) error) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil && path == dir:
			return watchError("", err)
		case err != nil || !entry.IsDir():
			return nil
		case path != dir && skipped(entry.Name()):
			return filepath.SkipDir
		}
		if known[path] = true; len(known) > limit {
			return fmt.Errorf("child: watch: %s has more than %d directories", dir, limit)
		}
		return each(path)
	})
}

// addDir watches the directory or, while that is not there, the nearest one above it, which tells when the next comes into being.
func (w *Watcher) addDir(dir string) error {
	for {
		at := nearest(dir)
		if err := w.events.Add(at); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return watchError(at, err)
		}
		if nearest(dir) == at { // it may have come into being meanwhile
			return nil
		}
	}
}

// nearest is the directory, or the first of those above it that is there.
func nearest(dir string) string {
	for at := dir; ; at = filepath.Dir(at) {
		if info, err := os.Stat(at); err == nil && info.IsDir() || at == filepath.Dir(at) {
			return at
		}
	}
}

func skipped(name string) bool {
	return name == "vendor" || name == "node_modules" || name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

// Run calls changed with the files that changed, once for all that change together, until ctx ends.
func (w *Watcher) Run(ctx context.Context, changed func(paths []string)) error {
	defer w.events.Close()
	paths := map[string]bool{}
	var settled <-chan time.Time
	note := func(more []string) {
		for _, path := range more {
			paths[path] = true
			settled = time.After(settle)
		}
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case event, open := <-w.events.Events:
			if !open {
				return nil
			}
			note(w.changedBy(event))
		case err, open := <-w.events.Errors:
			switch {
			case !open:
				return nil
			case errors.Is(err, fsnotify.ErrEventOverflow):
				// More has changed than the system keeps, and nobody knows what: a checkout, while a proof was under way.
				all, err := w.all()
				if err != nil {
					return err
				}
				note(all)
			default:
				return watchError("", err)
			}
		case <-settled:
			settled = nil
			changed(slices.Collect(maps.Keys(paths)))
			clear(paths)
		}
	}
}

// all are the files that there are, with new directories among those that are watched.
func (w *Watcher) all() ([]string, error) {
	for _, dir := range w.Trees {
		if err := w.addTree(dir); err != nil {
			return nil, err
		}
	}
	for _, dir := range w.Dirs {
		if err := w.addDir(dir); err != nil {
			return nil, err
		}
	}
	var all []string
	for _, dir := range w.events.WatchList() {
		all = append(all, w.filesIn(dir)...)
	}
	return all, nil
}

// filesIn are the wanted files of a directory, without those of the directories in it.
func (w *Watcher) filesIn(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil { // it is gone
		return nil
	}
	var all []string
	for _, entry := range entries {
		if path := filepath.Join(dir, entry.Name()); !entry.IsDir() && w.Wanted(path) {
			all = append(all, path)
		}
	}
	return all
}

// changedBy is the file of the event, or the files of a directory that came into being, which is watched from now on.
func (w *Watcher) changedBy(event fsnotify.Event) []string {
	if event.Op == fsnotify.Chmod {
		return nil
	}
	var all []string
	if w.Wanted(event.Name) {
		all = append(all, event.Name)
	}
	for _, dir := range w.Dirs {
		if dir != event.Name && !strings.HasPrefix(dir, event.Name+string(filepath.Separator)) {
			continue
		}
		// It, or what leads to it, has come or gone.
		if w.addDir(dir) == nil {
			all = append(all, w.filesIn(dir)...)
		}
	}
	if event.Has(fsnotify.Create) && !skipped(filepath.Base(event.Name)) {
		all = append(all, w.born(event.Name)...)
	}
	return all
}

// born watches a directory that came into being, and returns the files that are in it already.
func (w *Watcher) born(dir string) []string {
	if info, err := os.Lstat(dir); err != nil || !info.IsDir() || w.addTree(dir) != nil {
		return nil
	}
	var all []string
	_ = walkDirs(dir, map[string]bool{}, w.limit, func(path string) error { // one that goes away meanwhile has nothing to tell
		all = append(all, w.filesIn(path)...)
		return nil
	})
	return all
}
