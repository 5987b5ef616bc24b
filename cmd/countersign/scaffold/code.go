package scaffold

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// code is what the directory has of Go already.
type code struct {
	exists bool
	name   string // of the package
	apis   []api  // functions that make an API of a guard, NewAPI first
}

// api is a function such as func NewAPI(guard *countersign.Guard) http.Handler.
type api struct{ name, file string }

// readCode reads the Go files of the directory itself; those beneath it are packages of their own.
func readCode(dir string) (code, error) {
	var c code
	names, err := filepath.Glob(filepath.Join(globEscape(dir), "*.go"))
	if err != nil {
		return c, fmt.Errorf("scaffold: %w", err)
	}
	set := token.NewFileSet()
	for _, name := range names {
		base := filepath.Base(name)
		if strings.HasSuffix(base, "_test.go") || strings.HasPrefix(base, "_") || strings.HasPrefix(base, ".") {
			continue
		}
		if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return c, fmt.Errorf("scaffold: %w", err)
		}
		c.exists, c.name = true, file.Name.Name
		c.apis = append(c.apis, apisOf(file, base)...)
	}
	slices.SortStableFunc(c.apis, func(a, b api) int {
		if (a.name == "NewAPI") != (b.name == "NewAPI") {
			if a.name == "NewAPI" {
				return -1
			}
			return 1
		}
		return strings.Compare(a.name, b.name)
	})
	return c, nil
}

// globEscape keeps a directory's own name from being a pattern. filepath.Match has no escape on Windows, where no name has these.
func globEscape(dir string) string {
	if os.PathSeparator == '\\' {
		return dir
	}
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(dir)
}

func apisOf(file *ast.File, name string) []api {
	guards, handlers := importName(file, Library), importName(file, "net/http")
	if guards == "" {
		return nil
	}
	var all []api
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || f.Recv != nil || f.Type.TypeParams != nil || f.Type.Params.NumFields() != 1 || f.Type.Results.NumFields() != 1 {
			continue
		}
		result := f.Type.Results.List[0].Type
		if isPointerTo(f.Type.Params.List[0].Type, guards, "Guard") &&
			(isPointerTo(result, guards, "Mux") || handlers != "" && isSelector(result, handlers, "Handler")) {
			all = append(all, api{f.Name.Name, name})
		}
	}
	return all
}

// importName is the name under which the file has the package, or empty.
func importName(file *ast.File, path string) string {
	for _, spec := range file.Imports {
		if got, err := strconv.Unquote(spec.Path.Value); err != nil || got != path {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path[strings.LastIndexByte(path, '/')+1:]
	}
	return ""
}

func isPointerTo(e ast.Expr, pkg, name string) bool {
	star, ok := e.(*ast.StarExpr)
	return ok && isSelector(star.X, pkg, name)
}

func isSelector(e ast.Expr, pkg, name string) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != name {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == pkg
}
