package scaffold

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/token"
	"go/version"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"
	"unicode"
)

// minimumGo is the release that the library needs.
const minimumGo = "1.25.0"

// module is the go.mod: what is there, and what has to be done to it.
type module struct {
	path string
	init bool     // there is none yet
	edit []string // arguments of go mod edit; empty if nothing is missing
	work string   // the go.work that the directory lies under, or empty
}

// goMod is what go mod edit -json says.
type goMod struct {
	Module  struct{ Path string }
	Go      string
	Require []struct{ Path, Version string }
	Replace []struct {
		Old, New struct{ Path, Version string }
	}
}

func readModule(ctx context.Context, dir string, cfg Config) (module, error) {
	m := module{path: cfg.Module}
	var mod goMod
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	switch {
	case errors.Is(err, os.ErrNotExist) && cfg.Module == "":
		return m, fmt.Errorf("scaffold: %s has no go.mod; name the module: --module example.com/you/service", dir)
	case errors.Is(err, os.ErrNotExist):
		m.init = true
	case err != nil:
		return m, fmt.Errorf("scaffold: %w", err)
	default:
		out, err := goTool(ctx, dir, nil, "mod", "edit", "-json")
		if err != nil {
			return m, err
		}
		if err := json.Unmarshal(out, &mod); err != nil {
			return m, fmt.Errorf("scaffold: go mod edit -json: %w", err)
		}
		if cfg.Module != "" && cfg.Module != mod.Module.Path {
			return m, fmt.Errorf("scaffold: go.mod says that the module is %s; leave --module away", mod.Module.Path)
		}
		m.path = mod.Module.Path
		if version.Compare("go"+mod.Go, "go"+minimumGo) < 0 {
			return m, fmt.Errorf("scaffold: go.mod says go %s, and the library needs %s: go mod edit -go=%s", mod.Go, minimumGo, minimumGo)
		}
	}
	if m.edit, err = edits(dir, cfg, mod); err != nil {
		return m, err
	}
	if out, err := goTool(ctx, existing(dir), nil, "env", "GOWORK"); err == nil {
		m.work = strings.TrimSpace(string(out))
	}
	return m, nil
}

// existing is the directory, or the nearest one above it that exists.
func existing(dir string) string {
	for {
		if info, err := os.Stat(dir); err == nil && info.IsDir() || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// edits says what go.mod lacks. What it has about the library is the user's word.
func edits(dir string, cfg Config, mod goMod) ([]string, error) {
	required, replaced := false, ""
	for _, r := range mod.Require {
		required = required || r.Path == Library
	}
	for _, r := range mod.Replace {
		if r.Old.Path == Library {
			replaced = r.New.Path
		}
	}
	if required && (cfg.Replace == "" || replaced != "") {
		return nil, nil
	}
	release, args := cfg.Version, []string{}
	if cfg.Replace != "" {
		target, err := replacement(dir, cfg.Replace)
		if err != nil {
			return nil, err
		}
		release, args = "v0.0.0", append(args, "-replace="+Library+"="+target)
	}
	if release == "" {
		return nil, fmt.Errorf("scaffold: this program was built from a checkout, so there is no published version of %s to require; "+
			"name the checkout: --replace %s", Library, ownCheckout())
	}
	if !required {
		args = append(args, "-require="+Library+"@"+release)
	}
	return args, nil
}

var moduleLine = regexp.MustCompile(`(?m)^module[ \t]+"?` + regexp.QuoteMeta(Library) + `"?[ \t]*(//.*)?$`)

// replacement is the path of a checkout as go.mod wants it: relative to the module, unless it was given absolute.
func replacement(dir, checkout string) (string, error) {
	content, err := os.ReadFile(filepath.Join(checkout, "go.mod"))
	if err != nil || !moduleLine.Match(content) {
		return "", fmt.Errorf("scaffold: --replace %s: that directory is no checkout of %s", checkout, Library)
	}
	if filepath.IsAbs(checkout) {
		return filepath.Clean(checkout), nil
	}
	checkout, err = filepath.Abs(checkout)
	if err != nil {
		return "", fmt.Errorf("scaffold: %w", err)
	}
	relative, err := filepath.Rel(dir, checkout)
	if err != nil {
		return "", fmt.Errorf("scaffold: %w", err)
	}
	if relative = filepath.ToSlash(relative); !strings.HasPrefix(relative, "../") && relative != ".." {
		relative = "./" + relative
	}
	return relative, nil
}

// ownCheckout is the directory that this program was built in, if that is still a checkout and the program was told of it: -trimpath leaves it out.
func ownCheckout() string {
	if _, file, _, ok := runtime.Caller(0); ok {
		dir := filepath.Join(filepath.Dir(file), "..", "..", "..")
		if target, err := replacement(".", dir); err == nil && filepath.IsAbs(target) && !strings.ContainsAny(target, " '\"") {
			return target
		}
	}
	return "PATH"
}

var majorVersion = regexp.MustCompile(`^v[0-9]+$`)

// packageName makes the last element of the module's path a package: example.com/you/order-service/v2 is orderservice.
func packageName(modulePath string) string {
	base := path.Base(modulePath)
	if majorVersion.MatchString(base) {
		base = path.Base(path.Dir(modulePath))
	}
	base, _, _ = strings.Cut(base, ".")
	var name strings.Builder
	for _, c := range strings.ToLower(base) {
		if unicode.IsLetter(c) || unicode.IsDigit(c) && name.Len() > 0 {
			name.WriteRune(c)
		}
	}
	// A package main cannot be imported by the program that serves it.
	if n := name.String(); token.IsIdentifier(n) && n != "main" {
		return n
	}
	return "service"
}

// goTool runs the user's go in the directory.
func goTool(ctx context.Context, dir string, env []string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	cmd.WaitDelay = 5 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return nil, errors.New("scaffold: there is no go here; install it from https://go.dev/dl")
	}
	if err != nil {
		return nil, fmt.Errorf("scaffold: go %s: %w\n%s%s", strings.Join(args, " "), err, stdout.String(), stderr.String())
	}
	return stdout.Bytes(), nil
}
