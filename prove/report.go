package prove

import (
	"errors"
	"fmt"
	"strings"
)

// State is what is known about a case after a run.
type State string

// The states of a [Row].
const (
	Proved     State = "proved"     // the answer was the demanded one
	Different  State = "different"  // it was another one
	Unprovable State = "unprovable" // there is nothing that could be sent, whoever runs it here
	NotRun     State = "not run"    // something failed on the way: neither proved nor different
)

// Row is the outcome of one [Case].
type Row struct {
	Route  string `json:"route"`            // the pattern
	Rule   string `json:"rule"`             // as Go code
	Source string `json:"source,omitempty"` // file:line of the registration, where the policy knows it
	Case   string `json:"case"`
	Kind   Kind   `json:"kind"`
	Clause string `json:"clause"`
	State  State  `json:"state"`
	Want   string `json:"want"`
	Got    string `json:"got,omitempty"`
	Note   string `json:"note,omitempty"` // why, unless it was proved as demanded
	Look   Look   `json:"look,omitzero"`  // of the answer
}

// OK reports whether the row is no reason to fail: it was proved, or it cannot be.
func (r Row) OK() bool { return r.State == Proved || r.State == Unprovable }

// Report is the outcome of a run: one row for each case, in the order of [Plan]. It never has a token in it.
type Report struct {
	Target string `json:"target"`
	Rows   []Row  `json:"rows"`
	Tokens int    `json:"tokens"`           // that were asked of the issuer
	Strict bool   `json:"strict,omitempty"` // [Config.Strict]
}

// Count is how many rows are in the state.
func (r Report) Count(s State) int {
	n := 0
	for _, row := range r.Rows {
		if row.State == s {
			n++
		}
	}
	return n
}

// OK reports whether everything that can be proved was proved.
func (r Report) OK() bool { return r.ExitCode() == 0 }

// ExitCode is 0 if everything that can be proved was proved, 1 if there is a difference, and 2 if there is none
// but something could not be run, or nothing was proved at all, or, if the report is strict, it has [Report.Gaps].
func (r Report) ExitCode() int {
	switch {
	case r.Count(Different) > 0:
		return 1
	case r.Count(NotRun) > 0 || r.Count(Proved) == 0 || r.Strict && len(r.Gaps()) > 0:
		return 2
	}
	return 0
}

// Err is nil if OK is true, and otherwise names route, case, want and got of each difference, one on a line.
func (r Report) Err() error {
	if r.OK() {
		return nil
	}
	lines := []string{"prove: " + r.Summary()}
	for _, row := range r.Rows {
		if !row.OK() {
			lines = append(lines, row.String())
		}
	}
	if r.Strict {
		for _, gap := range r.Gaps() {
			lines = append(lines, "not tried: "+gap)
		}
	}
	return errors.New(strings.Join(lines, "\n"))
}

// String says route, case, want and got on one line.
func (r Row) String() string {
	got := r.Got
	if got == "" {
		got = string(r.State)
	}
	if r.Note != "" {
		got += " (" + r.Note + ")"
	}
	return fmt.Sprintf("%s / %s: want %s, got %s", r.Route, r.Case, r.Want, got)
}

// Summary is the last line of the table.
func (r Report) Summary() string {
	routes := map[string]bool{}
	for _, row := range r.Rows {
		routes[row.Route] = true
	}
	parts := []string{count(len(routes), "route"), count(len(r.Rows), "case")}
	for _, s := range []State{Proved, Different, Unprovable, NotRun} {
		if n := r.Count(s); n > 0 || s == Proved {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	return strings.Join(append(parts, count(r.Tokens, "token")), ", ")
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
