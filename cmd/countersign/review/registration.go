package review

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"strconv"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/place"
)

// A policy that Golden wrote has no lines of registrations, because they move. So they are looked for in the code of the same
// tree, as it is written: a call whose first argument is the pattern, in a file that imports the library.

// The bounds of the search. Beyond them a change is shown in the policy file.
const (
	maxFiles  = 500
	maxSource = 1 << 20
)

const library = "github.com/countersign-dev/countersign"

// registrations finds, for each pattern that is registered in one place of the package of the policy file or beneath it, that place. A
// pattern with two places has none: a wrong line is worse than none.
func (s Side) registrations() map[string]registration {
	if s.goFiles == nil || s.read == nil {
		return nil
	}
	// Golden keeps the policy in the testdata of the package whose routes it is about.
	dir := path.Clean(strings.TrimSuffix(path.Dir(s.Path), "testdata"))
	found, ambiguous := map[string]registration{}, map[string]bool{}
	files := 0
	for _, name := range s.goFiles() {
		if dir != "." && !strings.HasPrefix(name, dir+"/") || !place.IsServiceCode(name) {
			continue
		}
		if files++; files > maxFiles {
			return nil
		}
		source, err := s.read(name)
		if err != nil || !bytes.Contains(source, []byte(library)) {
			continue
		}
		for pattern, lines := range callsWithText(source) {
			_, twice := found[pattern]
			ambiguous[pattern] = ambiguous[pattern] || twice || len(lines) > 1
			found[pattern] = registration{name, lines[0]}
		}
	}
	for pattern := range ambiguous {
		if ambiguous[pattern] {
			delete(found, pattern)
		}
	}
	return found
}

type registration struct {
	file string
	line int
}

// callsWithText is the lines of the calls with at least two arguments of which the first is a text, by that text.
func callsWithText(source []byte) map[string][]int {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "", source, parser.SkipObjectResolution)
	if err != nil {
		return nil
	}
	lines := map[string][]int{}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) < 2 {
			return true
		}
		literal, ok := call.Args[0].(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return true
		}
		if text, err := strconv.Unquote(literal.Value); err == nil {
			lines[text] = append(lines[text], set.PositionFor(call.Pos(), false).Line)
		}
		return true
	})
	return lines
}
