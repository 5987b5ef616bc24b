package mutant

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/countersign-dev/countersign"
)

// sighting is what the helper noted: a test gave this rule to the site.
type sighting struct {
	Site           int
	Rule           string
	Public, Report bool
	Needs          []countersign.Need
}

// breed is a change of a rule that a test should notice.
type breed struct {
	kind       string
	need, part int
	text       string // the rule that it makes, as Go code
}

// variable is what the helper is asked with.
func (b breed) variable(s sighting) string {
	return strings.Join([]string{strconv.Itoa(s.Site), b.kind, strconv.Itoa(b.need), strconv.Itoa(b.part), s.Rule}, " ")
}

// breeds lists the mutants of a rule. A public rule has none: nothing is wider.
func (s sighting) breeds() []breed {
	if s.Public || len(s.Needs) == 0 {
		return nil
	}
	all := []breed{{kind: "public", text: `Public("mutant")`}}
	if s.Report || s.anyToken() {
		return all
	}
	all = append(all, breed{kind: "authenticated", text: "Authenticated()"})
	for i, need := range s.Needs {
		parts := len(need.Scopes)
		if need.Client != "" {
			parts++
		}
		if parts < 2 {
			continue // without its only part it is Authenticated()
		}
		for j := range parts {
			what := fmt.Sprintf("client %q", need.Client)
			if j < len(need.Scopes) {
				what = fmt.Sprintf("scope %q", need.Scopes[j])
			}
			all = append(all, breed{kind: "drop", need: i, part: j, text: "without " + what})
		}
	}
	if len(s.Needs) > 1 {
		all = append(all, breed{kind: "foreign", text: `or Scope("countersign.mutant")`})
	}
	return all
}

// anyToken reports whether the rule is content with any valid token already.
func (s sighting) anyToken() bool {
	for _, need := range s.Needs {
		if len(need.Scopes) == 0 && need.Client == "" {
			return true
		}
	}
	return false
}
