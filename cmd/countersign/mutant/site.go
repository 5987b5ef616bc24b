package mutant

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
)

// site is a place in the code where a rule is given to a route.
type site struct {
	id         int
	pkg        string // import path
	file       string // absolute
	line       int
	pattern    string // that stands beside it, if one does
	text       string // of the expression
	start, end int    // offsets in the file
}

// finder looks for the sites of one package.
type finder struct {
	set  *token.FileSet
	pkg  *checkedPackage
	rule types.Type
	lib  *types.Package

	passed map[types.Object]bool // parameters and range variables: the rule in them was given elsewhere
	sites  []site
}

func findSites(set *token.FileSet, pkg *checkedPackage, lib *types.Package) []site {
	object := lib.Scope().Lookup("Rule")
	if object == nil {
		return nil
	}
	f := &finder{set: set, pkg: pkg, rule: object.Type(), lib: lib, passed: map[types.Object]bool{}}
	for _, file := range pkg.files {
		ast.Inspect(file, f.notePassed)
	}
	for i, file := range pkg.files {
		var stack []ast.Node
		ast.Inspect(file, func(n ast.Node) bool {
			if n == nil {
				stack = stack[:len(stack)-1]
				return true
			}
			if e, ok := n.(ast.Expr); ok && f.isRule(e) && f.isGiven(e, stack) {
				f.add(e, stack, pkg.names[i])
			}
			stack = append(stack, n)
			return true
		})
	}
	return f.sites
}

func (f *finder) notePassed(n ast.Node) bool {
	note := func(e ast.Expr) {
		if name, ok := e.(*ast.Ident); ok && f.pkg.info.Defs[name] != nil {
			f.passed[f.pkg.info.Defs[name]] = true
		}
	}
	switch n := n.(type) {
	case *ast.FuncType:
		for _, field := range n.Params.List {
			for _, name := range field.Names {
				note(name)
			}
		}
	case *ast.RangeStmt:
		note(n.Key)
		note(n.Value)
	}
	return true
}

func (f *finder) isRule(e ast.Expr) bool {
	tv, ok := f.pkg.info.Types[e]
	return ok && tv.IsValue() && tv.Type != nil && types.Identical(tv.Type, f.rule)
}

// isGiven says whether the expression is the whole rule, at the place where somebody gives it away.
func (f *finder) isGiven(e ast.Expr, stack []ast.Node) bool {
	if _, paren := e.(*ast.ParenExpr); paren {
		return false // what is in it is looked at
	}
	switch parent := outer(stack).(type) {
	case *ast.CallExpr:
		if f.combines(parent) || !isArgument(parent, e) {
			return false
		}
		return !f.isPassedOn(e)
	case *ast.CompositeLit, *ast.KeyValueExpr:
		return !f.isPassedOn(e)
	case *ast.AssignStmt:
		// A rule that goes into a field or an element is given; one in a variable is where the variable is used.
		return assignsToPart(parent, e) && !f.isPassedOn(e)
	}
	return false
}

// outer is what the expression stands in, without parentheses.
func outer(stack []ast.Node) ast.Node {
	for i := len(stack) - 1; i >= 0; i-- {
		if _, paren := stack[i].(*ast.ParenExpr); !paren {
			return stack[i]
		}
	}
	return nil
}

func isArgument(call *ast.CallExpr, e ast.Expr) bool {
	for _, arg := range call.Args {
		if ast.Unparen(arg) == e {
			return true
		}
	}
	return false
}

func assignsToPart(assign *ast.AssignStmt, e ast.Expr) bool {
	for i, value := range assign.Rhs {
		if ast.Unparen(value) == e && i < len(assign.Lhs) {
			_, isName := assign.Lhs[i].(*ast.Ident)
			return !isName
		}
	}
	return false
}

// combines says whether the call makes a rule of a rule: And, Or, Report, UntilExpiry.
func (f *finder) combines(call *ast.CallExpr) bool {
	var name *ast.Ident
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		name = fun
	case *ast.SelectorExpr:
		name = fun.Sel
	default:
		return false
	}
	function, ok := f.pkg.info.Uses[name].(*types.Func)
	return ok && function.Pkg() == f.lib && f.isRule(call)
}

// isPassedOn says whether the expression only hands on a rule that was given elsewhere: a parameter, a field, an element.
func (f *finder) isPassedOn(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return f.passed[f.pkg.info.Uses[e]]
	case *ast.SelectorExpr:
		variable, ok := f.pkg.info.Uses[e.Sel].(*types.Var)
		return ok && variable.IsField()
	case *ast.IndexExpr, *ast.StarExpr:
		return true
	}
	return false
}

func (f *finder) add(e ast.Expr, stack []ast.Node, file string) {
	// Without the //line directives, which tell of another file.
	start, end := f.set.PositionFor(e.Pos(), false), f.set.PositionFor(e.End(), false)
	f.sites = append(f.sites, site{
		pkg: f.pkg.ImportPath, file: file, line: start.Line, pattern: f.patternBeside(stack), start: start.Offset, end: end.Offset,
	})
}

// patternBeside is the first constant text among the arguments of the call, or the elements of the literal.
func (f *finder) patternBeside(stack []ast.Node) string {
	for i := len(stack) - 1; i >= 0; i-- {
		var beside []ast.Expr
		switch n := stack[i].(type) {
		case *ast.ParenExpr:
			continue
		case *ast.KeyValueExpr:
			beside = []ast.Expr{n.Key}
		case *ast.CompositeLit:
			beside = n.Elts
		case *ast.CallExpr:
			beside = n.Args
		default:
			return ""
		}
		for _, e := range beside {
			if pair, ok := e.(*ast.KeyValueExpr); ok {
				e = pair.Value
			}
			if value := f.pkg.info.Types[e].Value; value != nil && value.Kind() == constant.String {
				return constant.StringVal(value)
			}
		}
		if _, isCall := stack[i].(*ast.CallExpr); isCall {
			return ""
		}
	}
	return ""
}
