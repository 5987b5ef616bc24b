package cognito

import (
	"slices"
	"strings"
	"testing"
)

// TestCompatibilityNamesExist: a note or an exception for a name that is gone would say nothing, unseen.
func TestCompatibilityNamesExist(t *testing.T) {
	var names []string
	for _, f := range Compatibility() {
		names = append(names, f.Name)
		if f.Area == "" || f.Support == "" {
			t.Errorf("%+v", f)
		}
	}
	for name := range operationNotes {
		if !slices.Contains(names, name) {
			t.Errorf("a note for %s, which is no operation", name)
		}
	}
	for name := range settingNotes {
		if !slices.Contains(names, name) {
			t.Errorf("a note for %s, which is no setting", name)
		}
	}
	for _, name := range echoed {
		if !slices.Contains(names, name) {
			t.Errorf("%s is echoed and no setting", name)
		}
	}
}

// TestPatternsCompile: patterns are compiled when they are first used, which must not be in production.
func TestPatternsCompile(t *testing.T) {
	seen := 0
	var walk func(*shape)
	walk = func(s *shape) {
		if s == nil {
			return
		}
		if s.pattern != nil {
			s.pattern.compile()
			seen++
		}
		for _, m := range s.members {
			walk(m.shape)
		}
		walk(s.key)
		walk(s.elem)
	}
	for i := range operations {
		walk(operations[i].shape)
	}
	if seen < 100 {
		t.Errorf("%d patterns were found", seen)
	}
}

// TestCompatibilityAreasStandTogether: an area that comes twice is two tables of one name on the page.
func TestCompatibilityAreasStandTogether(t *testing.T) {
	last, seen := "", map[string]bool{}
	names := map[string]bool{}
	for _, f := range Compatibility() {
		if f.Area != last && seen[f.Area] {
			t.Errorf("%s stands in two places", f.Area)
		}
		last, seen[f.Area] = f.Area, true
		// What stands in angle brackets and not in backticks is HTML, and is not shown.
		if outside := strings.Split(f.Name+f.Note, "`"); strings.Contains(outside[0]+outside[len(outside)-1], "<") {
			t.Errorf("%s: %s has an angle bracket outside of code", f.Area, f.Name)
		}
		if name := f.Area + "\x00" + f.Name; names[name] {
			t.Errorf("%s: %s is listed twice", f.Area, f.Name)
		} else {
			names[name] = true
		}
	}
}
