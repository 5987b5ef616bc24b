package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/countersign-dev/countersign/cmd/countersign/child"
)

// watchFlags are the flags of dev that say what else a service is made of, and how its changes are seen.
type watchFlags struct {
	more []string
	poll time.Duration
}

func (f *watchFlags) add(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.more, "watch", nil, "start the service again when these change too: a pattern of names such as '*.py', a file or a directory; repeatable")
	flags.DurationVar(&f.poll, "poll", 0, "look for changes so often, as in 1s, where the system tells of none: Windows' drives under WSL, network mounts")
}

// minPoll keeps the looking from being all that the machine does.
const minPoll = 100 * time.Millisecond

// check says every problem at once.
func (f *watchFlags) check() error {
	var problems []error
	if f.poll != 0 && f.poll < minPoll {
		problems = append(problems, fmt.Errorf("--poll %s: it is %s at least; write it as 1s", f.poll, minPoll))
	}
	for _, text := range f.more {
		_, bad := filepath.Match(text, "")
		_, absent := os.Stat(text)
		switch {
		case text == "" || bad != nil:
			problems = append(problems, fmt.Errorf("--watch %q: it is no pattern; write one such as '*.py', or name a file or a directory", text))
		case absent != nil && isPath(text) && !strings.ContainsAny(text, "*?["):
			problems = append(problems, fmt.Errorf("--watch: %w", absent))
		}
	}
	return errors.Join(problems...)
}

func isPath(text string) bool { return strings.ContainsAny(text, "/"+string(filepath.Separator)) }

// sources are the files that a service is made of.
type sources struct {
	module *child.Sources
	names  []string // patterns of names
	paths  []string // patterns of absolute paths
	dirs   []string // absolute
}

func newSources(root string, more []string) *sources {
	s := &sources{module: child.NewSources(root)}
	for _, text := range more {
		info, err := os.Stat(text)
		switch {
		case err == nil && info.IsDir():
			s.dirs = append(s.dirs, absolute(text))
		case err == nil || isPath(text):
			s.paths = append(s.paths, absolute(text))
		default:
			s.names = append(s.names, text)
		}
	}
	return s
}

// has reports whether the file is one of them. The files that editors keep beside one are not.
func (s *sources) has(path string) bool {
	if s.module.Has(path) {
		return true
	}
	base := filepath.Base(path)
	if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "#") || strings.HasSuffix(base, "~") {
		return false
	}
	matches := func(patterns []string, text string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool {
			ok, _ := filepath.Match(pattern, text) // a bad one was refused
			return ok
		})
	}
	return matches(s.names, base) || matches(s.paths, path) || slices.ContainsFunc(s.dirs, func(dir string) bool {
		return strings.HasPrefix(path, dir+string(filepath.Separator))
	})
}

// beside are the directories of the files that were named.
func (s *sources) beside() []string {
	var dirs []string
	for _, path := range s.paths {
		if dir := filepath.Dir(path); !strings.ContainsAny(dir, "*?[") {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// follower tells of what happens to the user's service and to its files. Of the demo nothing is told.
type follower struct {
	sources *sources
	changed chan []string
	failed  chan error
	service <-chan struct{}
	proved  int // the run of the service that was proved
	close   func()
}

// watch begins to watch, before the service is built: what is saved from then on is in the build, or is told of. A directory that
// cannot be watched, as one that is too large, is no reason not to run what is in it.
func (o *devOptions) watch() *follower {
	f := &follower{close: func() {}}
	if o.App == nil || o.once {
		return f
	}
	f.changed, f.failed = make(chan []string), make(chan error, 1)
	cfg := o.App.Config
	source, policy, root := absolute(cfg.Path), absolute(cfg.Resolve(cfg.Service.Policy)), moduleRoot(cfg.Dir())
	f.sources = newSources(root, o.watching.more)
	run, err := o.watching.begin(child.Files{
		Trees:  append([]string{root}, f.sources.dirs...),
		Dirs:   append([]string{filepath.Dir(source), filepath.Dir(policy)}, f.sources.beside()...),
		Wanted: func(path string) bool { return path == source || path == policy || f.sources.has(path) },
	})
	if err != nil {
		f.failed <- err
		return f
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := run(ctx, func(paths []string) {
			select {
			case f.changed <- paths:
			case <-ctx.Done():
			}
		})
		if err != nil {
			f.failed <- err
		}
	}()
	f.close = func() { stop(); <-done }
	return f
}

// begin watches, or looks again and again.
func (f *watchFlags) begin(files child.Files) (run func(context.Context, func([]string)) error, err error) {
	if f.poll > 0 {
		poller, err := child.Poll(files, f.poll)
		if err != nil {
			return nil, err
		}
		return poller.Run, nil
	}
	watcher, err := child.Watch(files)
	if err != nil {
		return nil, err
	}
	return watcher.Run, nil
}

// follow begins to listen to the service too.
func (f *follower) follow(service *child.Child) {
	if service == nil {
		return
	}
	f.service = service.Changed()
	if state := service.State(); state.Up {
		f.proved = state.Run
	}
}
