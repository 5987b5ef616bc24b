package grpcguard

import (
	"path"
	"runtime"
	"strconv"
)

// callerSource is file:line of who called New, for the errors of [Guard.Check]. The file is its base name: it must not differ between two
// people's machines.
func callerSource() string {
	if _, file, line, ok := runtime.Caller(2); ok {
		return path.Base(file) + ":" + strconv.Itoa(line)
	}
	return "unknown source"
}
