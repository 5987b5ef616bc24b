package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/prove"
)

// Comparison is what differs between a report and an earlier one, of another time or another target.
type Comparison struct {
	File        string       `json:"file"` // of the earlier report
	Target      string       `json:"target"`
	At          time.Time    `json:"at"`
	Differences []Difference `json:"differences"`
}

// Difference is a case of which the two reports know different things.
type Difference struct {
	Route string `json:"route"`
	Case  string `json:"case"`
	Then  string `json:"then"`
	Now   string `json:"now"`
	Fails bool   `json:"fails"` // it is a row of its own, and no proof; otherwise both answers are right, or one of the two was not asked
}

// Compare adds what differs from the earlier report, which was read from the file. It becomes a row that is Different if the rule is
// another one, if of two answers not both are right, or if a case is not asked any more. What else differs is only named: two answers
// that are both right, and a case that one of the two runs could not ask.
func (r *Report) Compare(earlier Report, file string) {
	c := &Comparison{File: clean(file), Target: earlier.Target, At: earlier.At, Differences: []Difference{}}
	then := map[string]Row{}
	for _, row := range earlier.Rows {
		then[row.Route+"\x00"+row.Case] = row
	}
	var rows []Row
	for _, group := range r.groups() {
		rows = append(rows, group.rows...)
		for _, now := range group.rows {
			key := now.Route + "\x00" + now.Case
			old, found := then[key]
			delete(then, key)
			if d, differs := compare(old, now, found); differs {
				c.Differences = append(c.Differences, d)
				if d.Fails {
					rows = append(rows, now.differs(d, c.File))
				}
			}
		}
	}
	for _, old := range earlier.Rows {
		if _, left := then[old.Route+"\x00"+old.Case]; left {
			d := Difference{old.Route, old.Case, old.outcome(), "not a case any more", true}
			c.Differences = append(c.Differences, d)
			old.File, old.Line = "", 0
			rows = append(rows, old.differs(d, c.File))
		}
	}
	r.Rows, r.Compared = rows, c
}

// compare says whether the two differ. A case that only this run has stands in it as a row already.
func compare(old, now Row, found bool) (Difference, bool) {
	d := Difference{Route: now.Route, Case: now.Case, Then: "not a case yet", Now: now.outcome()}
	if !found {
		return d, true
	}
	d.Then = old.outcome()
	right := old.State == prove.Proved && now.State == prove.Proved
	d.Fails = old.asked() && now.asked() && !right
	if old.Rule != now.Rule {
		d.Then, d.Now, d.Fails = d.Then+" under "+old.Rule, d.Now+" under "+now.Rule, true
	}
	return d, d.Then != d.Now
}

func (r Row) asked() bool { return r.State == prove.Proved || r.State == prove.Different }

// outcome is what was found, short.
func (r Row) outcome() string {
	if r.asked() {
		return string(r.State) + ", " + r.Got
	}
	return string(r.State)
}

// differs is the row of a difference.
func (r Row) differs(d Difference, file string) Row {
	r.Kind, r.Case, r.State, r.Via, r.RefusedBy = KindComparison, r.Case+", as in "+file, prove.Different, "", ""
	r.Want, r.Got, r.Note, r.Look = d.Then, d.Now, "the two runs differ", prove.Look{}
	r.Clause = "the earlier report"
	return r
}

// Write writes the comparison for people: the differences that are in no row, and the count of them all.
func (c Comparison) Write(w io.Writer) error {
	var out strings.Builder
	failing := 0
	others := map[string][]string{} // cases by what they were and are
	for _, d := range c.Differences {
		if d.Fails {
			failing++
			continue
		}
		change := "then " + d.Then + ", now " + d.Now
		others[change] = append(others[change], d.Route+" / "+d.Case)
	}
	fmt.Fprintf(&out, "compared with %s (%s, %s): ", c.File, c.Target, c.At.UTC().Format(time.RFC3339))
	if len(c.Differences) == 0 {
		out.WriteString("no difference\n")
	} else {
		fmt.Fprintf(&out, "%s, and %d that are no fault\n", counted(failing, "difference"), len(c.Differences)-failing)
	}
	for _, change := range slices.Sorted(maps.Keys(others)) {
		fmt.Fprintf(&out, "  %s:\n", change)
		for _, name := range others[change] {
			fmt.Fprintf(&out, "    %s\n", name)
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
