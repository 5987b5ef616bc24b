package mutant

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// library is the package whose rules are looked for.
const library = "github.com/countersign-dev/countersign"

// goPackage is what go list says of a package.
type goPackage struct {
	Dir, ImportPath, Name string
	GoFiles, CgoFiles     []string
	Deps                  []string
	Standard, DepOnly     bool
}

func (p goPackage) knowsRules() bool {
	return !p.Standard && (p.ImportPath == library || slices.Contains(p.Deps, library))
}

// loader parses and checks packages as far as rules are concerned: those that import the library, from their source; of all
// others only the name is known. That needs no compiled packages, and so no compiler of the release that built this program.
type loader struct {
	set      *token.FileSet
	packages map[string]goPackage
	checked  map[string]*checkedPackage
}

type checkedPackage struct {
	goPackage
	files []*ast.File
	names []string // of the files, absolute
	types *types.Package
	info  *types.Info
}

// load lists the packages of the patterns and everything they import.
func load(ctx context.Context, dir string, patterns []string) (*loader, error) {
	args := append([]string{"list", "-deps", "-json=Dir,ImportPath,Name,GoFiles,CgoFiles,Deps,Standard,DepOnly", "--"}, patterns...)
	out, err := goTool(ctx, dir, args...)
	if err != nil {
		return nil, err
	}
	l := &loader{set: token.NewFileSet(), packages: map[string]goPackage{}, checked: map[string]*checkedPackage{}}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return l, nil
		} else if err != nil {
			return nil, fmt.Errorf("mutant: go list: %w", err)
		}
		l.packages[p.ImportPath] = p
	}
}

// Import implements [types.Importer].
func (l *loader) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	p, known := l.packages[path]
	if known && p.knowsRules() {
		c, err := l.check(p)
		if err != nil {
			return nil, err
		}
		return c.types, nil
	}
	name := p.Name
	if name == "" {
		name = path[strings.LastIndexByte(path, '/')+1:]
	}
	empty := types.NewPackage(path, name)
	empty.MarkComplete()
	return empty, nil
}

// check parses a package and gives its expressions their types. What it does not understand has none: that is no rule.
func (l *loader) check(p goPackage) (*checkedPackage, error) {
	if c := l.checked[p.ImportPath]; c != nil {
		return c, nil
	}
	c := &checkedPackage{goPackage: p, info: &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{},
		Defs:  map[*ast.Ident]types.Object{},
		Uses:  map[*ast.Ident]types.Object{},
	}}
	for _, name := range slices.Concat(p.GoFiles, p.CgoFiles) {
		name = filepath.Join(p.Dir, name)
		file, err := parser.ParseFile(l.set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("mutant: %w", err)
		}
		c.files, c.names = append(c.files, file), append(c.names, name)
	}
	config := types.Config{
		Importer:         l,
		Error:            func(error) {}, // the empty packages make many
		FakeImportC:      true,
		IgnoreFuncBodies: p.DepOnly,
	}
	c.types, _ = config.Check(p.ImportPath, l.set, c.files, c.info)
	l.checked[p.ImportPath] = c
	return c, nil
}

// goTool runs the user's go.
func goTool(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = cleanEnv()
	cmd.WaitDelay = 5 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return nil, errors.New("mutant: there is no go here; install it from https://go.dev/dl")
	}
	if err != nil {
		return nil, fmt.Errorf("mutant: go %s: %w\n%s", args[0], err, tail(stdout.String()+stderr.String()))
	}
	return stdout.Bytes(), nil
}

// cleanEnv is the environment without what would make a test write the policy that a mutant has, or switch one on.
func cleanEnv() []string {
	return slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return name == "COUNTERSIGN_UPDATE" || name == mutantVariable || name == logVariable
	})
}

// maxTail bounds what is repeated of another program's output.
const maxTail = 4 << 10

// tail is the end of a text, from the begin of a line.
func tail(s string) string {
	s = strings.TrimSpace(s)
	if len(s) <= maxTail {
		return s
	}
	s = s[len(s)-maxTail:]
	_, s, _ = strings.Cut(s, "\n")
	return "…\n" + s
}
