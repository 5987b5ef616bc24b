// Package place finds the line of a repository at which a route is shown: that of its registration in Go, if the policy knows it
// and there is one such file, and otherwise that of its operation in the policy file. A wrong line is worse than none.
//
// Start with [New].
package place

import (
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/countersign-dev/countersign/cmd/countersign/document"
)

// Places knows the lines of one policy.
type Places struct {
	file    string
	lines   map[string]int // of the operations in the document, by pattern
	goFiles func() []string
}

// New reads the document of the policy file, whose path has slashes and is relative to the repository; an empty one is no
// file. goFiles lists the files in which routes may be registered, and is called once at most; nil is none.
func New(file string, document []byte, goFiles func() []string) Places {
	p := Places{file: file, lines: operationLines(document), goFiles: func() []string { return nil }}
	if goFiles != nil {
		p.goFiles = sync.OnceValue(goFiles)
	}
	return p
}

// Of is the place of the route with the pattern and the source, as the policy has them: its registration, its operation, or
// the first line of the policy file. If there is no file at all, it is empty and 0.
func (p Places) Of(pattern, source string) (file string, line int) {
	if file, line := p.registration(source); file != "" {
		return file, line
	}
	if line := p.lines[pattern]; line > 0 && p.file != "" {
		return p.file, line
	}
	return p.File()
}

// File is the place of what has no route: the first line of the policy file.
func (p Places) File() (file string, line int) {
	if p.file == "" {
		return "", 0
	}
	return p.file, 1
}

// registration finds "api.go:31". A policy has the base name only, and a wrong file is worse than none.
func (p Places) registration(source string) (file string, line int) {
	name, number, found := strings.Cut(source, ":")
	line, err := strconv.Atoi(number)
	if !found || err != nil || line < 1 {
		return "", 0
	}
	if p.file != "" && path.Base(p.file) == name { // a route of any team's OpenAPI document is registered there
		return p.file, line
	}
	var all []string
	for _, file := range p.goFiles() {
		if path.Base(file) == name {
			all = append(all, file)
		}
	}
	if len(all) > 1 {
		// Golden keeps the policy in the testdata of the package whose routes it is about.
		dir := strings.TrimSuffix(path.Dir(p.file), "testdata")
		all = slices.DeleteFunc(all, func(file string) bool { return path.Dir(file) != path.Clean(dir) })
	}
	if len(all) != 1 {
		return "", 0
	}
	return all[0], line
}

// IsServiceCode tells the files in which routes are registered from the others.
func IsServiceCode(name string) bool {
	if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
		return false
	}
	return !slices.ContainsFunc(strings.Split(path.Dir(name), "/"), skippedDir)
}

func skippedDir(name string) bool {
	return name == "vendor" || name == "testdata" || name == "node_modules" || len(name) > 1 && name[0] == '.' && name != ".."
}

// maxEntries bounds the walk through the user's tree, which may be his home directory.
const maxEntries = 50_000

// GoFilesHere lists the files of the current directory, and beneath it, in which routes may be registered.
func GoFilesHere() []string {
	var files []string
	seen := 0
	filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if seen++; seen > maxEntries {
			return filepath.SkipAll
		}
		if err != nil {
			return nil // a directory that cannot be read has no file to show
		}
		if entry.IsDir() && skippedDir(entry.Name()) {
			return filepath.SkipDir
		}
		if !entry.IsDir() && IsServiceCode(filepath.ToSlash(name)) {
			files = append(files, filepath.ToSlash(name))
		}
		return nil
	})
	return files
}

// operationLines finds the line of each operation in a policy document, in JSON or in YAML. One that cannot be read has none.
func operationLines(data []byte) map[string]int {
	found := map[string]int{}
	if len(data) == 0 {
		return found
	}
	root, err := document.Parse("", data)
	if err != nil {
		return found
	}
	paths := root.Get("paths")
	if paths == nil {
		return found
	}
	for _, path := range paths.Members {
		for _, operation := range path.Value.Members {
			found[strings.ToUpper(operation.Name)+" "+path.Name] = operation.Place.Line
		}
	}
	patternLines(paths, found)
	return found
}

// patternLines takes the patterns of operations that their path and their method do not say.
func patternLines(node *document.Node, found map[string]int) {
	for _, item := range node.Items {
		patternLines(item, found)
	}
	for _, member := range node.Members {
		pattern := member.Value.Text
		if member.Name == "x-countersign-pattern" && member.Value.Kind == document.String && found[pattern] == 0 {
			found[pattern] = member.Place.Line
		}
		patternLines(member.Value, found)
	}
}
