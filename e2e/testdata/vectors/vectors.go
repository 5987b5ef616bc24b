//go:build never

package vectors

// The import keeps the module in go.mod. It is never built, because it would embed 109 MB: the files are read from the module's directory.
import _ "github.com/c2sp/wycheproof"
