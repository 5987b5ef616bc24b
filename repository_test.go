package countersign_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/countersign-dev/countersign"

// arrows is the import direction: a package of this repository may import those of its row, and the standard library.
// Minting and verifying do not know each other: they are two readings of the same RFCs, and test each other.
var arrows = map[string][]string{
	"":                       {"internal/jose", "internal/oauth"},
	"clientcredentials":      {"internal/jose", "internal/oauth"}, // a client assertion is a signed JWT
	"cognito":                {"internal/jose", "internal/oauth"},
	"cognito/storetest":      {"cognito"},
	"countersigntest":        {"", "cognito", "prove"},
	"examples/demo":          {""},
	"examples/demo/cmd/demo": {"", "examples/demo"},
	"internal/jose":          {},
	"internal/oauth":         {},
	"prove":                  {"", "internal/jose", "internal/oauth"},
	"prove/zoo":              {"internal/jose", "internal/oauth"},
	"cmd/countersign":        {"", "clientcredentials", "cognito", "prove", "cmd/countersign/..."},
	"cmd/countersign/...":    {"", "clientcredentials", "cognito", "cognito/storetest", "prove", "examples/demo", "cmd/countersign/..."},
}

// testArrows are what tests may import beyond that.
var testArrows = map[string][]string{
	"":                  {""},
	"clientcredentials": {"clientcredentials"},
	"cognito":           {"cognito/storetest"},
	"examples/demo":     {"countersigntest"},
	"prove":             {"cognito", "countersigntest"},
}

func TestImportDirection(t *testing.T) {
	for file, imports := range importsOfTree(t) {
		from := path.Dir(file)
		if from == "." {
			from = ""
		}
		row := from
		if strings.HasPrefix(from, "cmd/countersign/") {
			row = "cmd/countersign/..."
		}
		allowed, listed := arrows[row]
		if !listed {
			t.Errorf("%s: package %q has no row in the table of import directions", file, from)
			continue
		}
		inTest := strings.HasSuffix(file, "_test.go")
		for _, name := range imports {
			to, ours := strings.CutPrefix(name, module)
			if !ours {
				if strings.Contains(strings.Split(name, "/")[0], ".") && !strings.HasPrefix(from, "cmd/countersign") {
					t.Errorf("%s imports %s: the library has no dependencies", file, name)
				}
				continue
			}
			to = strings.TrimPrefix(to, "/")
			if to == from && inTest || permits(allowed, to) || inTest && permits(testArrows[row], to) {
				continue
			}
			t.Errorf("%s imports %q: the table of import directions has no such arrow", file, to)
		}
	}
}

func permits(allowed []string, to string) bool {
	return slices.ContainsFunc(allowed, func(pattern string) bool {
		if prefix, tree := strings.CutSuffix(pattern, "..."); tree {
			return strings.HasPrefix(to, prefix)
		}
		return pattern == to
	})
}

func TestEveryPackageHasADocComment(t *testing.T) {
	documented := map[string]bool{}
	walkGo(t, func(file string) {
		if strings.HasSuffix(file, "_test.go") {
			return
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			t.Fatal(err)
		}
		documented[path.Dir(file)] = documented[path.Dir(file)] || tree.Doc != nil
	})
	for dir, has := range documented {
		if !has {
			t.Errorf("%s: no package comment", dir)
		}
	}
}

func TestTheLibraryRequiresNothing(t *testing.T) {
	data, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"require", "replace", "toolchain"} {
		if strings.Contains(string(data), word) {
			t.Errorf("go.mod has a %s directive, which would reach into a user's build", word)
		}
	}
}

func importsOfTree(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	walkGo(t, func(file string) {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range tree.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			found[file] = append(found[file], name)
		}
	})
	if len(found) < 10 {
		t.Fatalf("only %d files with imports were found: the test looks in the wrong place", len(found))
	}
	return found
}

// walkGo calls visit with each Go file of the repository's two modules, by its slash-separated path.
func walkGo(t *testing.T, visit func(file string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			hidden := name != "." && strings.HasPrefix(entry.Name(), ".")
			if hidden || entry.Name() == "testdata" || entry.Name() == "tools" || isOtherModule(name) {
				return filepath.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(name, ".go") {
			visit(filepath.ToSlash(name))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// isOtherModule reports whether the directory is a module that stands outside the workspace.
func isOtherModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil && dir != "." && filepath.ToSlash(dir) != "cmd/countersign"
}
