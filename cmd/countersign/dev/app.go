package dev

import (
	"context"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/child"
	"github.com/countersign-dev/countersign/cmd/countersign/config"
	"github.com/countersign-dev/countersign/cmd/countersign/issuer"
)

// App is a user's own service, which the system runs in place of the demo.
type App struct {
	Config  *config.Config    // countersign.yaml: the pool, the scopes and the clients, and how the service is reached
	Command []string          // how it is started, as typed; empty builds and runs service.main
	Output  io.Writer         // the service's own lines
	Notice  func(text string) // a line for people about the service's life

	// OwnStart says that the user starts it: the system runs and watches nothing, and has no [System.Child].
	OwnStart bool
}

// CredentialsVariable is the directory in which the service finds the credentials of its clients, each in a directory of the client's
// name with the files client_id and client_secret: as the pods have them.
const CredentialsVariable = "COUNTERSIGN_CREDENTIALS_DIR"

// Check says what is wrong with the command, before anything is started for it.
func (a *App) Check() error {
	if a.OwnStart {
		return nil
	}
	command, _, err := a.command()
	if err != nil {
		return err
	}
	_, err = exec.LookPath(command[0])
	switch {
	case err == nil:
		return nil
	case len(command) == 1 && strings.Contains(command[0], " "):
		return fmt.Errorf("%q is no program; a line of shell is typed as: countersign dev -- sh -c %[1]q", command[0])
	}
	return fmt.Errorf("the service cannot be started: %w", err)
}

// String is what runs, for people: "orders (go run ./cmd/orders)".
func (a *App) String() string {
	what := "yours to start"
	if !a.OwnStart {
		command, _, err := a.command()
		if err != nil {
			return a.Config.Service.Name
		}
		what = strings.Join(command, " ")
	}
	from := a.Config.Path
	if a.Config.Environment != "" {
		from += ", environment " + a.Config.Environment
	}
	return fmt.Sprintf("%s (%s; %s)", a.Config.Service.Name, what, from)
}

// command is what runs, and the directory that it is typed in.
func (a *App) command() (command []string, dir string, err error) {
	if len(a.Command) > 0 {
		return a.Command, "", nil
	}
	service := a.Config.Service
	if !isProgram(a.Config.Resolve(service.Main)) {
		return nil, "", a.Config.Problem("service.main", "%s is no Go program; correct it, or name the command, as in: countersign dev -- npm start", service.Main)
	}
	return []string{"go", "run", service.Main}, a.Config.Dir(), nil
}

// isProgram says whether the directory has a package main. go build makes a file of another package too, and nobody can run it.
func isProgram(dir string) bool {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return false
	}
	return slices.ContainsFunc(names, func(name string) bool {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.PackageClauseOnly)
		return err == nil && file.Name.Name == "main"
	})
}

// openApp starts the service. It knows the issuer by its URL only, as in production, and finds its address in ADDR or PORT.
func (s *System) openApp(ctx context.Context, app *App, l net.Listener) error {
	if err := s.writeCredentials(ctx); err != nil {
		return err
	}
	s.app = app
	// The service listens here itself: that the address was free is all that was asked.
	addr := l.Addr().String()
	if err := l.Close(); err != nil || app.OwnStart {
		return err
	}
	command, dir, err := app.command()
	if err != nil {
		return err
	}
	bin := s.state.path("bin")
	if err := os.MkdirAll(bin, 0o700); err != nil {
		return fmt.Errorf("state directory: %w", err)
	}
	s.teardown.Add(func() error { return os.RemoveAll(bin) })
	s.child, err = child.Start(child.Config{
		Name: app.Config.Service.Name, Command: command, Dir: dir, Env: s.appEnv(app, addr), RunEnv: s.proxyEnv(),
		Addr: addr, Ready: app.Config.Service.Ready, Bin: bin,
		Output: app.Output, Notice: app.Notice, Grace: s.drain,
	})
	if err != nil {
		return err
	}
	s.teardown.Add(s.child.Close)
	return nil
}

// serviceAddr is the API's address, with a port where a service of the user's has any: it listens there itself, after this program has
// listened to see that nobody does.
func serviceAddr(cfg Config) (string, error) {
	host, port, err := net.SplitHostPort(cfg.APIAddr)
	if cfg.App == nil || err != nil || port != "0" { // what is wrong with it is said where it is listened on
		return cfg.APIAddr, nil
	}
	return child.FreeAddr(host)
}

// appEnv is the service's environment: what its pods would have by the file, under the user's own, under what the system says.
func (s *System) appEnv(app *App, addr string) []string {
	env := []string{"PYTHONUNBUFFERED=1"} // what a Python program prints would otherwise be seen much later, or never
	for _, name := range slices.Sorted(maps.Keys(app.Config.Kubernetes.Env)) {
		env = append(env, name+"="+app.Config.Kubernetes.Env[name])
	}
	env = append(env, os.Environ()...)
	return append(env,
		"COUNTERSIGN_ISSUER="+s.Running.Issuer,
		"COUNTERSIGN_RESOURCE="+s.Running.Resource,
		CredentialsVariable+"="+s.Running.CredentialsDir,
		"ADDR="+addr,
		"PORT="+addr[strings.LastIndexByte(addr, ':')+1:],
	)
}

// credentialsDir is where those of the service's clients are. The service may run in another directory.
func (s State) credentialsDir() string {
	dir := s.path("credentials.d")
	if absolute, err := filepath.Abs(dir); err == nil {
		return absolute
	}
	return dir
}

// writeCredentials gives the service the credentials of the file's clients, for as long as the system runs. The place that the file
// names for them is left alone: it may hold those of another pool.
func (s *System) writeCredentials(ctx context.Context) error {
	clients, err := s.appClients(ctx)
	if err != nil {
		return err
	}
	dir := s.Running.CredentialsDir
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("state directory: %w", err)
	}
	s.teardown.Add(func() error { return os.RemoveAll(dir) })
	for _, client := range clients {
		if err := writeCredential(filepath.Join(dir, fileName(client.Name)), client); err != nil {
			return fmt.Errorf("state directory: %w", err)
		}
	}
	return nil
}

func (s *System) appClients(ctx context.Context) ([]Client, error) {
	admin, err := OpenAdmin(s.state, s.Running)
	if err != nil {
		return nil, err
	}
	all, err := admin.Clients(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(c Client) bool {
		return c.Secret == "" || !slices.Contains(s.Running.Clients, c.Name)
	}), nil
}

// fileName is the client's name as a directory. Cognito lets a name be "..".
func fileName(name string) string {
	if !fs.ValidPath(name) || name == "." {
		return "_"
	}
	return name
}

func writeCredential(dir string, client Client) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for name, value := range map[string]issuer.Secret{"client_id": issuer.Secret(client.ID), "client_secret": client.Secret} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(value.Reveal()), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// Child is the user's service, and nil where the demo runs.
func (s *System) Child() *child.Child { return s.child }

// away says why the edge has nobody to ask. What a compiler or a service says is not for its callers.
func (s *System) away() string {
	state := s.child.State()
	switch {
	case state.Up:
		return ""
	case state.Why == "":
		return "the service is being started"
	}
	return "the service is not up; the output of countersign dev says why"
}
