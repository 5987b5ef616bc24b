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
	"cognito":                {"internal/jose", "internal/oauth", "internal/status"},
	"cognito/storetest":      {"cognito"},
	"countersigntest":        {"", "cognito", "prove"},
	"examples/demo":          {""},
	"examples/demo/cmd/demo": {"", "examples/demo"},
	"internal/jose":          {},
	"internal/oauth":         {},
	"internal/status":        {},
	"prove":                  {"", "internal/jose", "internal/oauth"},
	"cmd/countersign":        {"", "clientcredentials", "cognito", "prove", "cmd/countersign/..."},
	"cmd/countersign/...":    {"", "clientcredentials", "cognito", "prove", "examples/demo", "internal/status", "cmd/countersign/..."},
}

// testArrows are what tests may import beyond that.
var testArrows = map[string][]string{
	"cognito":             {"cognito/storetest"},
	"cmd/countersign/...": {"cognito/storetest"},
	"examples/demo":       {"countersigntest"},
}

// forTests are the packages that tests are written with. Nothing else may import testing, which would bring its flags into a program.
var forTests = []string{"cognito/storetest", "countersigntest", "cmd/countersign/sarif/sariftest"}

func TestImportDirection(t *testing.T) {
	unused := map[string]bool{}
	for _, table := range []map[string][]string{arrows, testArrows} {
		for row, list := range table {
			for _, to := range list {
				unused[row+" -> "+to] = true
			}
		}
	}
	for file, imports := range importsOfTree(t) {
		row, from := rowOf(file)
		if _, listed := arrows[row]; !listed {
			t.Errorf("%s: package %q has no row in the table of import directions", file, from)
			continue
		}
		inTest := strings.HasSuffix(file, "_test.go")
		allowed := arrows[row]
		if inTest {
			allowed = append(slices.Clone(allowed), testArrows[row]...)
		}
		for _, name := range imports {
			to, ours := strings.CutPrefix(name, module)
			if !ours {
				checkForeign(t, file, from, name, inTest)
				continue
			}
			to = strings.TrimPrefix(to, "/")
			if to == from && inTest {
				continue
			}
			at := slices.IndexFunc(allowed, func(pattern string) bool { return permits(pattern, to) })
			if at < 0 {
				t.Errorf("%s imports %q: the table of import directions has no such arrow", file, to)
				continue
			}
			delete(unused, row+" -> "+allowed[at])
		}
	}
	for arrow := range unused {
		t.Errorf("nothing needs the arrow %s", arrow)
	}
}

// rowOf is the row of a file in the table, and the directory of its package.
func rowOf(file string) (row, from string) {
	switch from = path.Dir(file); {
	case from == ".":
		return "", ""
	case strings.HasPrefix(from, "cmd/countersign/"):
		return "cmd/countersign/...", from
	}
	return from, from
}

// checkForeign checks an import from elsewhere: the library has the standard library and nothing else.
func checkForeign(t *testing.T, file, from, name string, inTest bool) {
	t.Helper()
	if strings.Contains(strings.Split(name, "/")[0], ".") && !strings.HasPrefix(from, "cmd/countersign") {
		t.Errorf("%s imports %s: the library has no dependencies", file, name)
	}
	if name == "testing" && !inTest && !slices.Contains(forTests, from) {
		t.Errorf("%s imports testing, which is for tests", file)
	}
}

func permits(pattern, to string) bool {
	if prefix, tree := strings.CutSuffix(pattern, "..."); tree {
		return strings.HasPrefix(to, prefix)
	}
	return pattern == to
}

func TestEveryPackageHasADocComment(t *testing.T) {
	documented := map[string]bool{}
	walkGo(t, true, func(file string) {
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
	walkGo(t, false, func(file string) {
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

// walkGo calls visit with each Go file of the workspace's two modules, or of all modules, by its slash-separated path.
func walkGo(t *testing.T, all bool, visit func(file string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			hidden := name != "." && strings.HasPrefix(entry.Name(), ".")
			if hidden || entry.Name() == "testdata" || !all && isOtherModule(name) {
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
