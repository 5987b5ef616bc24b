package image

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime/debug"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// program is one main package, as the go command sees it.
type program struct {
	Name       string // "main"
	ImportPath string
	Error      *struct{ Err string }
}

// binary is the program, built for one platform.
type binary struct {
	platform v1.Platform
	data     []byte
	info     *debug.BuildInfo
}

// findProgram asks the go command what the package is, so that a library is refused before it is built for every platform.
func findProgram(ctx context.Context, cfg Config) (program, error) {
	out, err := goCommand(ctx, cfg, nil, "list", "-e", "-json=Name,ImportPath,Error", "--", cfg.Package)
	if err != nil {
		return program{}, err
	}
	dec := json.NewDecoder(bytes.NewReader(out))
	var found program
	if err := dec.Decode(&found); err != nil {
		return program{}, fmt.Errorf("%s names no Go package in %s", cfg.Package, cfg.Dir)
	}
	switch {
	case dec.More():
		return program{}, fmt.Errorf("%s names several packages; an image holds one program, as in ./cmd/orders", cfg.Package)
	case found.Error != nil:
		return program{}, fmt.Errorf("%s: %s", cfg.Package, strings.TrimSpace(found.Error.Err))
	case found.Name != "main":
		return program{}, fmt.Errorf("%s is package %s, a library; name the directory of a main package, as in ./cmd/orders", cfg.Package, found.Name)
	}
	return found, nil
}

// compile builds the program for one platform.
func compile(ctx context.Context, cfg Config, platform v1.Platform) (binary, error) {
	dir, err := os.MkdirTemp("", "countersign-image-")
	if err != nil {
		return binary{}, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "program")
	// -trimpath takes this machine's directories out of the binary; -s -w leaves out what only a debugger reads. Panics keep their lines.
	flags := strings.TrimSpace("-s -w " + cfg.LDFlags)
	if _, err := goCommand(ctx, cfg, buildEnv(platform), "build", "-trimpath", "-ldflags", flags, "-o", file, "--", cfg.Package); err != nil {
		return binary{}, fmt.Errorf("%s: %w", platform, err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return binary{}, err
	}
	info, err := buildinfo.Read(bytes.NewReader(data))
	if err != nil {
		return binary{}, fmt.Errorf("%s: the binary says nothing about its build: %w", platform, err)
	}
	return binary{platform, data, info}, nil
}

// goCommand runs the user's own go command in the directory and returns its standard output.
func goCommand(ctx context.Context, cfg Config, env []string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = cfg.Dir
	cmd.Env = append(cmd.Environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	switch {
	case err == nil:
		return stdout.Bytes(), nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("the go command is not on PATH; install Go from https://go.dev/dl")
	}
	text := strings.TrimSpace(stderr.String())
	if strings.Contains(text, "error obtaining VCS status") {
		text += "\ngit does not answer for this directory, often since it belongs to another user: git config --global --add safe.directory DIR; " +
			"or build without a version: GOFLAGS=-buildvcs=false"
	}
	if strings.Contains(text, "build constraints exclude all Go files") {
		text += "\nan image is built without cgo, for it has no C library: look for import \"C\" in that package, and for a tag that its files ask for"
	}
	return nil, fmt.Errorf("go %s: %w\n%s", args[0], err, text)
}

// timeZones returns the archive of time zones of the user's Go, or nil where it has none, as Debian's does not.
func timeZones(ctx context.Context, cfg Config) ([]byte, error) {
	out, err := goCommand(ctx, cfg, nil, "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	f, err := os.Open(filepath.Join(strings.TrimSpace(string(out)), "lib", "time", "zoneinfo.zip"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 8<<20))
}

// programName is the name of the binary in the image.
func programName(importPath string) string {
	name := path.Base(importPath)
	// The last element of a module's path may be its major version: example.com/orders/v2.
	if len(name) > 1 && name[0] == 'v' && strings.Trim(name[1:], "0123456789") == "" {
		name = path.Base(path.Dir(importPath))
	}
	return name
}
