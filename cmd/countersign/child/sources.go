package child

import (
	"bufio"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// Sources says which files a Go service is built of: Go files, go.mod and its like, and what //go:embed takes in.
type Sources struct {
	root string

	mu    sync.Mutex
	known map[string]bool // of other files than Go's: whether they are embedded
}

// maxKnown bounds what is remembered: a service may write any number of files.
const maxKnown = 10_000

// NewSources takes the directory of the module.
func NewSources(root string) *Sources { return &Sources{root: root, known: map[string]bool{}} }

// Has reports whether the file is one of the sources.
func (s *Sources) Has(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch base := filepath.Base(name); {
	case base == "go.mod", base == "go.sum", base == "go.work":
		return true
	case strings.HasPrefix(base, "."): // an editor's own
	case strings.HasSuffix(base, ".go"):
		clear(s.known) // it may embed other files now
		return !strings.HasSuffix(base, "_test.go")
	}
	embedded, found := s.known[name]
	if !found {
		if len(s.known) >= maxKnown {
			clear(s.known)
		}
		embedded = s.embeds(name)
		s.known[name] = embedded
	}
	return embedded
}

// embeds reports whether a Go file beside the file, or above it in the module, takes it in.
func (s *Sources) embeds(name string) bool {
	inModule, err := filepath.Rel(s.root, name)
	if err != nil || !filepath.IsLocal(inModule) {
		return false
	}
	for dir := filepath.Dir(name); ; dir = filepath.Dir(dir) {
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return false
		}
		for _, pattern := range patternsIn(dir) {
			if takesIn(pattern, filepath.ToSlash(rel)) {
				return true
			}
		}
		if dir == s.root || dir == filepath.Dir(dir) {
			return false
		}
	}
}

// patternsIn are those of the directory's Go files, without its tests.
func patternsIn(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var patterns []string
	for _, entry := range entries {
		name := entry.Name()
		if !entry.IsDir() && strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			patterns = append(patterns, patternsOf(filepath.Join(dir, name))...)
		}
	}
	return patterns
}

// patternsOf reads the //go:embed lines of a Go file.
func patternsOf(name string) []string {
	f, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	var patterns []string
	lines := bufio.NewScanner(f) // a line that is too long for it is no directive
	for lines.Scan() {
		rest, found := strings.CutPrefix(strings.TrimSpace(lines.Text()), "//go:embed")
		if !found || rest == "" || rest[0] != ' ' && rest[0] != '\t' {
			continue
		}
		for rest = strings.TrimSpace(rest); rest != ""; rest = strings.TrimSpace(rest) {
			if quoted, err := strconv.QuotedPrefix(rest); err == nil {
				pattern, _ := strconv.Unquote(quoted) // it has no error for a quoted prefix
				patterns, rest = append(patterns, pattern), rest[len(quoted):]
				continue
			}
			pattern := strings.Fields(rest)[0]
			patterns, rest = append(patterns, pattern), rest[len(pattern):]
		}
	}
	return patterns
}

// takesIn reports whether the pattern of a //go:embed matches the file, or a directory that it is in. Package embed: of a directory,
// files and directories that begin with . or _ are left out, unless the pattern begins with all:.
func takesIn(pattern, file string) bool {
	pattern, all := strings.CutPrefix(pattern, "all:")
	for at := file; at != "."; at = path.Dir(at) {
		if ok, _ := path.Match(pattern, at); !ok { // a bad pattern does not build
			continue
		}
		if at == file || all {
			return true
		}
		hidden := false
		for part := range strings.SplitSeq(file[len(at)+1:], "/") {
			hidden = hidden || strings.HasPrefix(part, ".") || strings.HasPrefix(part, "_")
		}
		return !hidden
	}
	return false
}
