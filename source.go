package countersign

import (
	"path"
	"runtime"
	"strconv"
	"strings"
)

// sayWho is what to write where a rule is missing.
const sayWho = `say who may call it: countersign.Scope("name"), countersign.Authenticated() or countersign.Public("why nobody needs a token")`

// startUp is the text of a panic at start-up: where the user's mistake is, what it is and what to write instead.
// A program with a wrong rule must not run, and an error that a caller may drop would let it.
func startUp(problem string) string { return startUpAt(callerSource(), problem) }

func startUpAt(source, problem string) string { return "countersign: " + source + ": " + problem }

// packagePrefix is how the functions of this package are named in a stack.
var packagePrefix = func() string {
	var pc [1]uintptr
	runtime.Callers(1, pc[:])
	frame, _ := runtime.CallersFrames(pc[:]).Next()
	// The frame is this closure, "path/countersign.init.func1" or the like.
	slash := strings.LastIndexByte(frame.Function, '/')
	dot := strings.IndexByte(frame.Function[slash+1:], '.')
	return frame.Function[:slash+1+dot+1]
}()

// registers is the nested module that registers on behalf of its user: its lines are not the user's either.
var registers = strings.TrimSuffix(packagePrefix, ".") + "/grpcguard."

// callerSource is file:line of the first caller outside this package. The file is its base name: the policy is
// committed, and must not differ between two people's machines.
func callerSource() string {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		frame, more := frames.Next()
		inside := strings.HasPrefix(frame.Function, packagePrefix) || strings.HasPrefix(frame.Function, registers)
		outside := !inside || strings.HasSuffix(frame.File, "_test.go")
		if frame.File != "" && outside {
			return path.Base(frame.File) + ":" + strconv.Itoa(frame.Line)
		}
		if !more {
			return "unknown source"
		}
	}
}
