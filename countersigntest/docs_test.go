package countersigntest_test

import (
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/prove"
)

// The pages name what there is: every exported name of these two packages in them exists.
func TestDocsNameWhatExists(t *testing.T) {
	names := map[string]map[string]bool{"countersigntest": exported(t, "."), "prove": exported(t, "../prove")}
	found := 0
	for _, page := range []string{"../docs/testing.md", "../docs/prove.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\b(countersigntest|prove)\.([A-Z]\w*)`).FindAllStringSubmatch(string(text), -1) {
			if found++; !names[m[1]][m[2]] {
				t.Errorf("%s: there is no %s", page, m[0])
			}
		}
		for _, m := range regexp.MustCompile("`(Config|Report)\\.([A-Z]\\w*)`").FindAllStringSubmatch(string(text), -1) {
			if found++; !names["prove"][m[1]+"."+m[2]] {
				t.Errorf("%s: there is no prove.%s.%s", page, m[1], m[2])
			}
		}
		if n := regexp.MustCompile(`(\d+) bad tokens`).FindStringSubmatch(string(text)); n != nil && n[1] != fmt.Sprint(len(prove.BadTokens())) {
			t.Errorf("%s: %s, and there are %d", page, n[0], len(prove.BadTokens()))
		}
	}
	if found < 15 {
		t.Errorf("only %d names were found", found)
	}
}

// exported are the names of a package, with the fields and methods of its types.
func exported(t *testing.T, dir string) map[string]bool {
	t.Helper()
	fset := token.NewFileSet()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var trees []*ast.File
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(fset, file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		trees = append(trees, tree)
	}
	pkg, err := doc.NewFromFiles(fset, trees, "example.com/x")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, f := range pkg.Funcs {
		names[f.Name] = true
	}
	for _, typ := range pkg.Types {
		names[typ.Name] = true
		for _, f := range typ.Funcs {
			names[f.Name] = true
		}
		for _, m := range typ.Methods {
			names[typ.Name+"."+m.Name] = true
		}
		for _, spec := range typ.Decl.Specs {
			if s, ok := spec.(*ast.TypeSpec).Type.(*ast.StructType); ok {
				for _, field := range s.Fields.List {
					for _, name := range field.Names {
						names[typ.Name+"."+name.Name] = true
					}
				}
			}
		}
	}
	return names
}
