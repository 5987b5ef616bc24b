package main

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// mutation switches off one check.
type mutation struct {
	name   string // of the mutant
	clause string // that the check keeps
	edits  []edit // more than one where two lines keep the clause together
}

// edit is an exact change of one file. In the new text, OFF stands for the question whether this mutant is the selected one; without it
// the mutant would always be.
type edit struct {
	file string // by its path in the repository
	old  string // stands there exactly once
	new  string
}

// packages are the directories of the edited files.
func (m *mutation) packages() []string {
	var dirs []string
	for _, e := range m.edits {
		if dir := path.Dir(e.file); !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// place is an edit in its file.
type place struct {
	start, end int
	text       string
}

// apply makes all edits of one file. Each is found in the source as it stands, so that one does not hide another; the error names every one
// that cannot be made.
func apply(file, source string, all []mutation) (string, error) {
	var places []place
	var problems []error
	for _, m := range all {
		for _, e := range m.edits {
			if e.file != file {
				continue
			}
			switch n := strings.Count(source, e.old); {
			case n != 1:
				problems = append(problems, fmt.Errorf("%s: the text of %q is there %d times and must be once: %s", file, m.name, n, e.old))
			case !strings.Contains(e.new, "OFF"):
				problems = append(problems, fmt.Errorf("%s: the new text of %q does not ask OFF", file, m.name))
			default:
				start := strings.Index(source, e.old)
				places = append(places, place{start, start + len(e.old), strings.ReplaceAll(e.new, "OFF", fmt.Sprintf("mutantIs(%q)", m.name))})
			}
		}
	}
	slices.SortFunc(places, func(a, b place) int { return cmp.Compare(a.start, b.start) })
	var out strings.Builder
	end := 0
	for _, p := range places {
		if p.start < end {
			problems = append(problems, fmt.Errorf("%s: two edits overlap at: %s", file, source[p.start:p.end]))
			continue
		}
		out.WriteString(source[end:p.start] + p.text)
		end = p.end
	}
	out.WriteString(source[end:])
	return out.String(), errors.Join(problems...)
}
