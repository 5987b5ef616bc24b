package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/escape"
	"github.com/countersign-dev/countersign/prove"
)

// maxNamed bounds how many cases one annotation names.
const maxNamed = 10

// github writes a workflow command for each route that has something to say, and not for each case: GitHub shows ten annotations of a
// step, and one verifier that believes anybody differs in a hundred cases.
func (r Report) github(w io.Writer) error {
	var out strings.Builder
	for _, g := range r.groups() {
		different, failed := g.count(prove.Different), g.count(prove.NotRun)
		c := escape.Command{Name: "error", File: g.rows[0].File, Line: g.rows[0].Line}
		switch {
		case different > 0:
			c.Title = fmt.Sprintf("%s: %d of %s not as the policy says", g.route, different, counted(len(g.rows), "case"))
		case failed > 0:
			c.Name = "warning"
			c.Title = fmt.Sprintf("%s: %d of %s could not be run", g.route, failed, counted(len(g.rows), "case"))
		default:
			continue
		}
		c.Text = g.named()
		out.WriteString(c.String() + "\n")
	}
	for _, gap := range r.missing() {
		out.WriteString(escape.Command{Name: "warning", Title: "Not tried", Text: gap}.String() + "\n")
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// named are the first cases that are no proof, a line each.
func (g group) named() string {
	var lines []string
	more := 0
	for _, row := range g.rows {
		switch {
		case row.OK():
		case len(lines) == maxNamed:
			more++
		default:
			lines = append(lines, row.sentence())
		}
	}
	if more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, "\n")
}
