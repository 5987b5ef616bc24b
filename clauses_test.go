package countersign_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strings"
	"testing"
)

// The table "What is checked" names for every check the clause and the file that keeps it; a reader who opens the file finds the clause.
func TestEveryClauseIsCitedWhereItIsKept(t *testing.T) {
	_, table, _ := strings.Cut(read(t, "docs/guard.md"), "| check | reason | clause | file |\n|---|---|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	comment := regexp.MustCompile(`\n\s*// ?`)
	rows, reasons := 0, ""
	for row := range strings.SplitSeq(strings.TrimSpace(table), "\n") {
		cells := strings.Split(row, "|")
		if len(cells) != 6 {
			t.Fatalf("a row of %d cells: %s", len(cells)-2, row)
		}
		rows++
		reasons += cells[2]
		file := strings.TrimSpace(cells[4])
		text := comment.ReplaceAllString(read(t, file), " ")
		for clause := range strings.SplitSeq(strings.TrimSpace(cells[3]), "; ") {
			name, section, _ := strings.Cut(clause, ", Section ")
			cited := regexp.MustCompile(regexp.QuoteMeta(name) + `, Sections? ([0-9.]+(, | and ))*` + regexp.QuoteMeta(section) + `([^0-9.]|\.[^0-9])`)
			if !cited.MatchString(text) {
				t.Errorf("%s does not cite %s", file, clause)
			}
		}
	}
	if rows < 20 {
		t.Errorf("%d rows", rows)
	}
	for reason := range allReasons(t) {
		if reason != "missing_token" && !strings.Contains(reasons, "`"+reason+"`") {
			t.Errorf("the table has no check for %s", reason)
		}
	}
}

// allReasons reads the constants of errors.go: the set is closed.
func allReasons(t *testing.T) map[string]bool {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if ident, typed := specType(spec); ok && typed && ident.Name == "Reason" {
			for _, value := range spec.Values {
				found[strings.Trim(value.(*ast.BasicLit).Value, `"`)] = true
			}
		}
		return true
	})
	return found
}

func specType(spec *ast.ValueSpec) (*ast.Ident, bool) {
	if spec == nil {
		return nil, false
	}
	ident, ok := spec.Type.(*ast.Ident)
	return ident, ok
}
