package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/child"
	"github.com/countersign-dev/countersign/cmd/countersign/config"
	"github.com/countersign-dev/countersign/cmd/countersign/dev"
)

// app reads countersign.yaml. Without such a file there is none, and the demo runs.
func (o *devOptions) app(stderr io.Writer) (*dev.App, error) {
	c, err := o.readConfig()
	if errors.Is(err, fs.ErrNotExist) && !o.named {
		switch {
		case len(o.command) > 0:
			return nil, fmt.Errorf("there is no %s, which says whose scopes the service asks for; write one with: countersign init", config.DefaultPath)
		case o.config.env != "":
			return nil, fmt.Errorf("--env %s: there is no %s", o.config.env, config.DefaultPath)
		}
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	app := &dev.App{Config: c, Command: o.command, Output: stderr}
	if !o.once { // there the reason is the error that it ends with
		app.Notice = func(text string) { fmt.Fprintf(stderr, "countersign: %s\n", text) }
	}
	return app, app.Check()
}

// readConfig reads the file with the environment that is named, or with dev if there is one.
func (o *devOptions) readConfig() (*config.Config, error) {
	flags := o.config
	if flags.env == "" {
		file, err := config.Read(flags.file)
		if err != nil {
			return nil, err
		}
		if slices.Contains(file.Environments(), "dev") {
			flags.env = "dev"
		}
	}
	return flags.load()
}

// address is that of the user's service, where none is typed. It is one of the two of localhost: what listens on the name localhost listens on
// one of its two addresses, and another user's program could take the other.
func (o *devOptions) address() {
	if o.App != nil && !o.apiNamed {
		o.APIAddr = net.JoinHostPort(dev.Loopback(), strconv.Itoa(o.App.Config.Service.Port))
	}
}

// follower tells of what happens to the user's service and to its files. Of the demo nothing is told.
type follower struct {
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
	source, policy := absolute(cfg.Path), absolute(cfg.Resolve(cfg.Service.Policy))
	watcher, err := child.Watch(moduleRoot(cfg.Dir()), func(path string) bool {
		path = absolute(path)
		return path == source || path == policy || isSource(path)
	}, filepath.Dir(source), filepath.Dir(policy))
	if err != nil {
		f.failed <- err
		return f
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := watcher.Run(ctx, func(paths []string) {
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

// changed does what the changed files ask for. The error is errAnew, if it is to be begun anew.
func (o *devOptions) changed(ctx context.Context, system *dev.System, paths []string, stdout, stderr io.Writer) error {
	cfg := o.App.Config
	is := func(name string) bool {
		return slices.ContainsFunc(paths, func(path string) bool { return absolute(path) == absolute(name) })
	}
	if is(cfg.Path) {
		if _, err := o.readConfig(); err != nil {
			fmt.Fprintf(stderr, "countersign: what was read before stays in force: %v\n", err)
			return nil
		}
		fmt.Fprintf(stdout, "\n%s has changed: the system begins anew\n\n", cfg.Path)
		return errAnew
	}
	if slices.ContainsFunc(paths, isSource) {
		system.Child().Restart() // it is proved when it is up
		return nil
	}
	if system.Child().State().Up {
		o.proveAgain(ctx, system, stdout, stderr)
	}
	return nil
}

// isSource says which files a service is built of.
func isSource(path string) bool {
	switch base := filepath.Base(path); base {
	case "go.mod", "go.sum", "go.work":
		return true
	default:
		return strings.HasSuffix(base, ".go") && !strings.HasSuffix(base, "_test.go") && !strings.HasPrefix(base, ".")
	}
}

// moduleRoot is the directory of the go.mod that the directory lies under, or the directory itself.
func moduleRoot(dir string) string {
	for at := absolute(dir); ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			return absolute(dir)
		}
	}
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
