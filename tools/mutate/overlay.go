package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// mutantVariable is the environment variable that selects a mutant. Its only reader is the file that is added to the edited packages.
const mutantVariable = "COUNTERSIGN_MUTANT"

const question = `package %s

import "os"

var selectedMutant = os.Getenv(%q)

func mutantIs(name string) bool { return selectedMutant == name }

func mutantOr[T any](off bool, is, instead T) T {
	if off {
		return instead
	}
	return is
}

var _ = mutantOr[int]
`

// writeOverlay writes the edited sources to dir, and returns the file that tells go build to read them in place of the tree's.
func writeOverlay(root, dir string, all []mutation) (string, error) {
	replace := map[string]string{}
	write := func(name, text string) error {
		to := filepath.Join(dir, strings.ReplaceAll(name, "/", "_"))
		replace[filepath.Join(root, filepath.FromSlash(name))] = to
		return os.WriteFile(to, []byte(text), 0o600)
	}
	var problems []error
	packages := map[string]string{} // directory -> package name
	for _, file := range files(all) {
		source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
		if err != nil {
			problems = append(problems, err)
			continue
		}
		text, err := apply(file, string(source), all)
		if err == nil {
			err = write(file, text)
		}
		if err != nil {
			problems = append(problems, err)
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, source, parser.PackageClauseOnly)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		packages[path.Dir(file)] = tree.Name.Name
	}
	for dir, name := range packages {
		if err := write(path.Join(dir, "mutant_question.go"), fmt.Sprintf(question, name, mutantVariable)); err != nil {
			problems = append(problems, err)
		}
	}
	if err := errors.Join(problems...); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, text, 0o600)
}

// files are the edited files, each once.
func files(all []mutation) []string {
	var names []string
	for _, m := range all {
		for _, e := range m.edits {
			if !slices.Contains(names, e.file) {
				names = append(names, e.file)
			}
		}
	}
	slices.Sort(names)
	return names
}
