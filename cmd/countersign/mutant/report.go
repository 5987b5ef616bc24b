package mutant

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Verdict says what the tests had to say of a mutant.
type Verdict string

// The verdicts on a [Mutant].
const (
	Killed    Verdict = "killed"     // a test failed: the rule is missed
	Survived  Verdict = "survived"   // all tests passed
	NotJudged Verdict = "not judged" // something else went wrong
)

// Mutant is a change of a rule, and its fate.
type Mutant struct {
	Rule    string  `json:"rule"` // what the rule became
	Verdict Verdict `json:"verdict"`
	By      string  `json:"by,omitempty"`   // the package and the test that killed it
	Note    string  `json:"note,omitempty"` // why it was not judged, or how it died without a failing test
}

// Rule is a rule of the code that was tested.
type Rule struct {
	Pattern string   `json:"pattern,omitempty"` // of the route, where the code has it beside the rule
	File    string   `json:"file"`              // with slashes, relative to the directory if it is beneath it
	Line    int      `json:"line"`
	Rule    string   `json:"rule"`           // as Go code
	State   State    `json:"state"`          // the worst of its mutants
	Note    string   `json:"note,omitempty"` // where there are no mutants: why
	Mutants []Mutant `json:"mutants"`
}

// State is what is known about a rule.
type State string

// The states of a [Rule].
const (
	Tested   State = "tested"     // every mutant was killed
	Untested State = "untested"   // a mutant survived, or no test gives the rule to a route
	Public   State = "public"     // left alone: nothing is wider
	Unknown  State = "not judged" // none survived, and one was not judged
)

// Report is the outcome of a run.
type Report struct {
	Rules []Rule
}

// Count is how many rules are in the state.
func (r Report) Count(s State) int {
	n := 0
	for _, rule := range r.Rules {
		if rule.State == s {
			n++
		}
	}
	return n
}

// ExitCode is 0 if every rule is tested, 1 if one is not, and 2 if there is none of those but one that could not be judged.
func (r Report) ExitCode() int {
	switch {
	case r.Count(Untested) > 0:
		return 1
	case r.Count(Unknown) > 0:
		return 2
	}
	return 0
}

// Summary says how many rules are tested: "17 of 19 rules are tested". Public ones are not counted.
func (r Report) Summary() string {
	tested, all := r.Count(Tested), len(r.Rules)-r.Count(Public)
	s := fmt.Sprintf("%d of %d rules are tested", tested, all)
	if all == 1 {
		s = fmt.Sprintf("%d of 1 rule is tested", tested)
	}
	if n := r.Count(Unknown); n > 0 {
		s += fmt.Sprintf(", %d could not be judged", n)
	}
	if n := r.Count(Public); n > 0 {
		s += fmt.Sprintf(" (%d public, left alone)", n)
	}
	return s
}

// settle derives the state of a rule from its mutants.
func (r *Rule) settle() {
	r.State = Tested
	for _, m := range r.Mutants {
		switch {
		case m.Verdict == Survived:
			r.State = Untested
			return
		case m.Verdict == NotJudged:
			r.State = Unknown
		}
	}
}

func (r Rule) name() string {
	if r.Pattern == "" {
		return r.Rule
	}
	return r.Pattern
}

// WriteTable writes the report for people: every rule with the fate of its mutants, and at the end those that no test would miss.
func (r Report) WriteTable(w io.Writer) error {
	var out strings.Builder
	for _, rule := range r.Rules {
		fmt.Fprintf(&out, "%s   %s:%d   %s\n", rule.name(), rule.File, rule.Line, rule.Rule)
		for _, m := range rule.Mutants {
			why := m.By
			if m.Note != "" {
				why = strings.TrimSpace(why + " (" + indent(m.Note) + ")")
			}
			fmt.Fprintf(&out, "  %s\n", strings.TrimRight(fmt.Sprintf("%-11s %-32s %s", m.Verdict, m.Rule, why), " "))
		}
		if len(rule.Mutants) == 0 {
			fmt.Fprintf(&out, "  %-11s %s\n", rule.State, indent(rule.Note))
		}
	}
	fmt.Fprintf(&out, "\n%s\n", r.Summary())
	if r.Count(Untested) > 0 {
		out.WriteString("No test would miss:\n")
	}
	for _, rule := range r.Rules {
		if rule.State == Untested {
			fmt.Fprintf(&out, "  %s (%s:%d)\n", rule.name(), rule.File, rule.Line)
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// indent keeps the lines of a compiler's message under the one that they belong to.
func indent(s string) string { return strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n    ") }

// WriteJSON writes the report for programs. Members are added to it, never renamed; another meaning gets another version.
func (r Report) WriteJSON(w io.Writer) error {
	rules := r.Rules
	if rules == nil {
		rules = []Rule{}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		Version   int    `json:"version"`
		Summary   string `json:"summary"`
		Tested    int    `json:"tested"`
		Untested  int    `json:"untested"`
		Public    int    `json:"public"`
		NotJudged int    `json:"notJudged"`
		Rules     []Rule `json:"rules"`
	}{1, r.Summary(), r.Count(Tested), r.Count(Untested), r.Count(Public), r.Count(Unknown), rules})
}
