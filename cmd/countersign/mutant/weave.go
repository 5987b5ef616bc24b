package mutant

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// helper is the Go file that each package with rules gets in the overlay.
//
//go:embed helper.go.txt
var helper string

// The variables that the helper reads.
const (
	mutantVariable = "COUNTERSIGN_MUTANT"     // "site kind need part rule"
	logVariable    = "COUNTERSIGN_MUTANT_LOG" // the file in which it notes which rules it has seen
	helperName     = "countersign_mutant_overlay.go"
)

// weave writes an overlay in which every site passes its rule through the helper, and returns the overlay's file for go's -overlay.
// The lines of the code keep their numbers.
func weave(dir string, packages map[string]*checkedPackage, sites []site) (string, error) {
	replace := map[string]string{}
	byFile := map[string][]site{}
	for _, s := range sites {
		byFile[s.file] = append(byFile[s.file], s)
		pkg := packages[s.pkg]
		replace[filepath.Join(pkg.Dir, helperName)] = filepath.Join(dir, "helper-"+pkg.Name+".go")
	}
	for _, target := range replace {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(target), "helper-"), ".go")
		if err := os.WriteFile(target, []byte(strings.Replace(helper, "PACKAGE", name, 1)), 0o600); err != nil {
			return "", fmt.Errorf("mutant: %w", err)
		}
	}
	n := 0
	for file, list := range byFile {
		source, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("mutant: %w", err)
		}
		n++
		target := filepath.Join(dir, "file-"+strconv.Itoa(n)+".go")
		if err := os.WriteFile(target, wrap(source, list), 0o600); err != nil {
			return "", fmt.Errorf("mutant: %w", err)
		}
		replace[file] = target
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", fmt.Errorf("mutant: %w", err)
	}
	name := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(name, overlay, 0o600); err != nil {
		return "", fmt.Errorf("mutant: %w", err)
	}
	return name, nil
}

// wrap puts a call around each site.
func wrap(source []byte, sites []site) []byte {
	type insertion struct {
		at   int
		open bool
		size int // of the expression: what begins together and is longer, is outside
		text string
	}
	var all []insertion
	for _, s := range sites {
		all = append(all,
			insertion{s.start, true, s.end - s.start, "countersignMutant(" + strconv.Itoa(s.id) + ", "},
			insertion{s.end, false, s.end - s.start, ")"})
	}
	slices.SortStableFunc(all, func(a, b insertion) int {
		switch {
		case a.at != b.at:
			return cmp.Compare(a.at, b.at)
		case a.open != b.open: // what ends here ends before anything begins
			if a.open {
				return 1
			}
			return -1
		case a.open:
			return cmp.Compare(b.size, a.size)
		}
		return cmp.Compare(a.size, b.size)
	})
	var out []byte
	last := 0
	for _, i := range all {
		out = append(append(out, source[last:i.at]...), i.text...)
		last = i.at
	}
	return append(out, source[last:]...)
}
