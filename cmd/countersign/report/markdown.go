package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/escape"
	"github.com/countersign-dev/countersign/prove"
)

// maxMarkdown bounds the summary: GitHub takes 1 MiB for a step, and shows nothing of one that is larger.
const maxMarkdown = 900 << 10

// columns are the questions that a proof asks of a route, in the order in which they are read.
var columns = []struct {
	kind        prove.Kind
	title, what string
}{
	{prove.KindNoToken, "No token", "is refused"},
	{prove.KindDetour, "Detours", "no token, spelt another way: not admitted"},
	{prove.KindBadToken, "Bad tokens", "forged, spoilt or misplaced: refused"},
	{prove.KindScope, "Wrong scope", "good token without the scope: refused"},
	{prove.KindAllowed, "Right caller", "is admitted"},
	{KindComparison, "As before", "differs from the earlier report"},
}

// cell is what was found of a route for one question.
type cell struct {
	Title                                      string
	Proved, Different, Unprovable, NotRun, All int
	Reason                                     string // of what cannot be proved, if nothing was
	compares                                   bool
}

func (g group) cells(compared bool) []cell {
	var cells []cell
	for _, column := range columns {
		if column.kind == KindComparison && !compared {
			continue
		}
		c := cell{Title: column.title, compares: column.kind == KindComparison}
		for _, row := range g.rows {
			if row.Kind != column.kind {
				continue
			}
			c.All++
			switch row.State {
			case prove.Proved:
				c.Proved++
			case prove.Different:
				c.Different++
			case prove.Unprovable:
				c.Unprovable++
				c.Reason = cmp.Or(c.Reason, row.Note)
			default:
				c.NotRun++
			}
		}
		cells = append(cells, c)
	}
	return cells
}

// Mark repeats the words for the eye.
func (c cell) Mark() string {
	switch {
	case c.Different > 0:
		return "✕"
	case c.NotRun > 0:
		return "?"
	case c.Proved > 0:
		return "✓"
	}
	return "–"
}

// Words says what was found.
func (c cell) Words() string {
	switch {
	case c.Different > 0:
		if c.Different == 1 {
			return fmt.Sprintf("1 of %d differs", c.All)
		}
		return fmt.Sprintf("%d of %d differ", c.Different, c.All)
	case c.NotRun > 0:
		return fmt.Sprintf("%d of %d not run", c.NotRun, c.All)
	case c.Proved > 0:
		return fmt.Sprintf("%d proved", c.Proved)
	case c.Unprovable > 0:
		return "not provable"
	}
	if c.compares {
		return "no difference"
	}
	return "nothing to ask"
}

// markdown is a job's summary: the verdict, the differences, and the matrix.
func (r Report) markdown(w io.Writer) error {
	out := &bounded{}
	headline := map[int]string{0: ":white_check_mark: Proved", 1: ":x: Not proved", 2: ":warning: Could not run"}[r.ExitCode()]
	out.line("### %s", headline)
	out.line("\n%s: %s.\n", escape.Code(r.Target), r.Proof().Summary())
	if text := r.Layered(); text != "" {
		out.line("Requests that must be %s.\n", text)
	}
	for _, gap := range r.Proof().Gaps() {
		out.line("Not tried: %s\n", escape.Code(gap))
	}
	if r.ExitCode() != 0 {
		out.line("| | route | case | want | got | where |\n|---|---|---|---|---|---|")
	}
	for _, row := range r.Rows {
		if row.OK() {
			continue
		}
		sign := map[prove.State]string{prove.Different: ":x:", prove.NotRun: ":warning:"}[row.State]
		got := cmp.Or(row.Got, string(row.State))
		if row.Note != "" {
			got += " (" + row.Note + ")"
		}
		out.line("| %s | %s | %s | %s | %s | %s |", sign, escape.Code(row.Route), escape.Code(row.Case), escape.Code(row.Want),
			escape.Code(got), escape.Code(row.where()))
	}
	r.markdownMatrix(out)
	if c := r.Compared; c != nil {
		out.line("\nCompared with %s (%s, %s): %s.", escape.Code(c.File), escape.Code(c.Target), c.At.UTC().Format(time.RFC3339),
			counted(len(c.Differences), "difference"))
	}
	return out.flush(w)
}

func (r Report) markdownMatrix(out *bounded) {
	groups := r.groups()
	if len(groups) == 0 {
		return
	}
	header, rule := "\n| route | rule |", "|---|---|"
	for _, c := range groups[0].cells(r.hasComparisons()) {
		header += " " + c.Title + " |"
		rule += "---|"
	}
	out.line("%s", header+"\n"+rule)
	for _, g := range groups {
		text := "| " + escape.Code(g.route) + " | " + escape.Code(g.rule) + " |"
		for _, c := range g.cells(r.hasComparisons()) {
			text += " " + c.Mark() + " " + c.Words() + " |"
		}
		out.line("%s", text)
	}
}

// hasComparisons says whether there is a column for them.
func (r Report) hasComparisons() bool {
	return slices.ContainsFunc(r.Rows, func(row Row) bool { return row.Kind == KindComparison })
}

func (r Row) where() string {
	if r.File == "" {
		return cmp.Or(r.Source, "-")
	}
	return fmt.Sprintf("%s:%d", r.File, r.Line)
}

// bounded is text that ends before it is too long, and says so.
type bounded struct {
	strings.Builder
	lost int
}

func (b *bounded) line(format string, args ...any) {
	text := fmt.Sprintf(format, args...) + "\n"
	if b.lost > 0 || b.Len()+len(text) > maxMarkdown {
		b.lost++
		return
	}
	b.WriteString(text)
}

func (b *bounded) flush(w io.Writer) error {
	if b.lost > 0 {
		fmt.Fprintf(&b.Builder, "\n%d lines more than fit here: see the report in another form.\n", b.lost)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
