package prove

import (
	"fmt"
	"slices"
	"strings"
)

// questions are what a proof is expected to answer for a route, and cannot without the tokens or the leave for it.
var questions = []struct {
	kind Kind
	what string
}{
	{KindScope, "that a wrong scope is refused"},
	{KindAllowed, "that the right caller is let in"},
}

// The reasons for which a question stays open that another run could answer: with another client, or with leave to change things.
const (
	reasonNoOther   = "nobody can get a token that has another scope"
	reasonNoClient  = "there is no client to ask for a token"
	reasonMayNotAsk = "no client may ask for "
	reasonRefusals  = " that is admitted changes things, and only refusals are asked for"
)

func isGap(note string) bool {
	return note == reasonNoOther || note == reasonNoClient || strings.HasPrefix(note, reasonMayNotAsk) || strings.HasSuffix(note, reasonRefusals)
}

// Gaps says what was not tried of any route, and why: a service that checks no scope passes a proof whose only client has the right one. It has a line
// for each question and reason, with the number of its routes. What no run could try is none of them, such as the wrong scope for a rule that asks for no scope.
func (r Report) Gaps() []string {
	type gap struct{ what, why string }
	routes := map[gap]int{}
	var order []gap
	for start := 0; start < len(r.Rows); {
		end := start
		for end < len(r.Rows) && r.Rows[end].Route == r.Rows[start].Route && r.Rows[end].Rule == r.Rows[start].Rule {
			end++
		}
		for _, q := range questions {
			if why := openQuestion(r.Rows[start:end], q.kind); why != "" {
				g := gap{q.what, why}
				if routes[g]++; routes[g] == 1 {
					order = append(order, g)
				}
			}
		}
		start = end
	}
	var lines []string
	for _, g := range order {
		lines = append(lines, fmt.Sprintf("%s, for %s: %s", g.what, count(routes[g], "route"), g.why))
	}
	return lines
}

// openQuestion is why nothing was tried of a route for a kind of case; empty if something was, or if nobody could.
func openQuestion(rows []Row, kind Kind) (why string) {
	for _, row := range rows {
		// A near miss of the right scope is a wrong scope too.
		near := kind == KindScope && row.Kind == KindBadToken && strings.HasPrefix(row.Case, "403 ")
		switch {
		case row.Kind != kind && !near:
		case slices.Contains([]State{Proved, Different, NotRun}, row.State):
			return ""
		case !near && why == "" && isGap(row.Note):
			why = row.Note
		}
	}
	return why
}
