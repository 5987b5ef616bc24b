//go:build vectors

// Package vectors pins the test vectors of other people that the tests of e2e/peers read. It is a module of its own
// because Wycheproof's asks for a newer Go than this repository does, and it is never built: importing it would
// embed 109 MB. The import keeps it in go.mod.
package vectors

import _ "github.com/c2sp/wycheproof"
