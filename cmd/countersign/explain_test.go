package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"github.com/countersign-dev/countersign"
)

// TestAdviceKnowsEveryReason reads the reasons from the library's source, so that a new one cannot be forgotten here.
func TestAdviceKnowsEveryReason(t *testing.T) {
	tree, err := parser.ParseFile(token.NewFileSet(), "../../errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(tree, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != "Reason" {
			return true
		}
		value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		found++
		if advice[countersign.Reason(value)] == "" {
			t.Errorf("no advice for the reason %s", value)
		}
		return true
	})
	if found == 0 || found != len(advice) {
		t.Errorf("%d reasons in the source, %d in the table", found, len(advice))
	}
}
