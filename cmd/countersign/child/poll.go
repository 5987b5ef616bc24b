package child

import (
	"context"
	"os"
	"path/filepath"
	"time"
)

// Poller tells of changed files by looking at them again and again, where the system tells of no changes: on Windows' drives under
// WSL, on network mounts, and in containers whose files are another machine's.
type Poller struct {
	Files
	every time.Duration
	seen  map[string]stamp
}

// stamp is what a changed file has another of.
type stamp struct {
	size    int64
	changed time.Time
}

// Poll looks at the files for the first time.
func Poll(files Files, every time.Duration) (*Poller, error) {
	p := &Poller{Files: files, every: every}
	var err error
	p.seen, err = p.look()
	return p, err
}

// Run calls changed with the files that changed since the look before, until ctx ends.
func (p *Poller) Run(ctx context.Context, changed func(paths []string)) error {
	tick := time.NewTicker(p.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now, err := p.look()
		if err != nil {
			return err
		}
		if paths := p.differences(now); len(paths) > 0 {
			changed(paths)
		}
		p.seen = now
	}
}

// look stamps every file: which of them are wanted is asked of those that changed.
func (p *Poller) look() (map[string]stamp, error) {
	stamps, known := map[string]stamp{}, map[string]bool{}
	in := func(dir string) error {
		entries, err := os.ReadDir(dir)
		if err != nil { // it is gone, or nobody may read it
			return nil
		}
		for _, entry := range entries {
			if info, err := entry.Info(); err == nil && !info.IsDir() {
				stamps[filepath.Join(dir, entry.Name())] = stamp{info.Size(), info.ModTime()}
			}
		}
		return nil
	}
	for _, dir := range p.Trees {
		if err := walkDirs(dir, known, maxDirs, in); err != nil {
			return nil, err
		}
	}
	for _, dir := range p.Dirs {
		_ = in(dir) // it never fails
	}
	return stamps, nil
}

func (p *Poller) differences(now map[string]stamp) []string {
	var paths []string
	add := func(path string) {
		if p.Wanted(path) {
			paths = append(paths, path)
		}
	}
	for path, is := range now {
		if was, found := p.seen[path]; !found || was != is {
			add(path)
		}
	}
	for path := range p.seen {
		if _, found := now[path]; !found {
			add(path)
		}
	}
	return paths
}
