package main

import (
	"bytes"
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

	"github.com/countersign-dev/countersign/cmd/countersign/config"
	"github.com/countersign-dev/countersign/cmd/countersign/dev"
)

// app reads countersign.yaml. Without such a file there is none, and the demo runs.
func (o *devOptions) app(stderr io.Writer) (*dev.App, error) {
	c, err := o.readConfig()
	if errors.Is(err, fs.ErrNotExist) && !o.named {
		switch {
		case config.Above() != "": // the demo is not what is meant here
			return nil, err
		case len(o.command) > 0 || o.noRun:
			return nil, fmt.Errorf("there is no %s, which says whose scopes the service asks for; write one with: countersign init", config.DefaultPath)
		case o.config.env != "":
			return nil, fmt.Errorf("--env %s: there is no %s", o.config.env, config.DefaultPath)
		}
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	app := &dev.App{Config: c, Command: o.command, OwnStart: o.noRun, Output: stderr}
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

// changed does what the changed files ask for. The error is an anew, if it is to be begun anew.
func (o *devOptions) changed(ctx context.Context, system *dev.System, follow *follower, paths []string, stdout, stderr io.Writer) error {
	if cfg := o.App.Config; slices.Contains(paths, absolute(cfg.Path)) {
		app, err := o.app(stderr)
		switch {
		case err == nil && app == nil: // it is gone
			err = fmt.Errorf("there is no %s", cfg.Path)
			fallthrough
		case err != nil:
			fmt.Fprintf(stderr, "countersign: what was read before stays in force: %v\n", err)
		case sameConfig(cfg, app.Config):
			fmt.Fprintf(stderr, "countersign: %s says what it said before\n", cfg.Path)
		default:
			fmt.Fprintf(stdout, "\n%s has changed: the system begins anew\n\n", cfg.Path)
			return &anew{app}
		}
	}
	if o.noRun {
		o.showPolicy(ctx, system, stderr)
		return nil
	}
	if slices.ContainsFunc(paths, follow.sources.has) {
		system.Child().Restart() // it is proved when it is up
		return nil
	}
	if slices.Contains(paths, absolute(o.App.Config.Resolve(o.App.Config.Service.Policy))) && system.Child().State().Up {
		o.proveAgain(ctx, system, stdout, stderr)
	}
	return nil
}

// sameConfig reports whether two readings of countersign.yaml say the same: a comment is no reason to begin anew.
func sameConfig(a, b *config.Config) bool {
	before, err1 := a.YAML()
	now, err2 := b.YAML()
	return err1 == nil && err2 == nil && bytes.Equal(before, now)
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
