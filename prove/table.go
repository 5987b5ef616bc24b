package prove

import (
	"bufio"
	"cmp"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Table says how a report is written for people.
type Table struct {
	Color bool // ANSI colours: only where a person looks, and has not set NO_COLOR
	ASCII bool // ok, FAIL, - and ? for terminals without the signs
	All   bool // every case on a line of its own, and not the proved bad tokens on one
}

type sign struct{ text, ascii, color string }

var signs = map[State]sign{
	Proved:     {"✓", "ok  ", "32"},
	Different:  {"✗", "FAIL", "31;1"},
	Unprovable: {"–", "-   ", "2"},
	NotRun:     {"?", "?   ", "33"},
}

// A difference is what many cases of a route have in common at a service that is not guarded at all, or that serves something else.
type difference struct {
	kind      Kind
	got, note string
}

// maxAlike is how many alike are named one by one: so few may be one mistake of a guard, whose names say which.
const maxAlike = 20

// line is one line of a route's block.
type line struct {
	state           State
	name, got, note string
}

// Write writes the report: a block for each route, and the counts.
func (t Table) Write(w io.Writer, r Report) error {
	out := bufio.NewWriter(w)
	blocks, width := t.blocks(r)
	for _, b := range blocks {
		out.WriteString(t.paint("1", b.route) + "  " + b.rule + "\n")
		for _, l := range b.lines {
			s := signs[l.state]
			mark := s.text
			if t.ASCII {
				mark = s.ascii
			}
			text := "  " + t.paint(s.color, mark) + " " + pad(l.name, width)
			for _, more := range []string{l.got, l.note} {
				if more != "" {
					text += "  " + more
				}
			}
			out.WriteString(strings.TrimRight(text, " ") + "\n")
		}
		out.WriteString("\n")
	}
	gaps := r.Gaps()
	for _, gap := range gaps {
		out.WriteString(t.paint("33", "not tried:") + " " + gap + "\n")
	}
	if len(gaps) > 0 {
		out.WriteString("\n")
	}
	verdict := map[int]string{0: "proved", 1: "NOT PROVED", 2: "COULD NOT RUN"}[r.ExitCode()]
	out.WriteString(r.Target + ": " + t.paint(map[int]string{0: "32;1", 1: "31;1", 2: "33;1"}[r.ExitCode()], verdict) + " (" + r.Summary() + ")\n")
	return out.Flush()
}

// block is a route with its lines.
type block struct {
	route, rule string
	lines       []line
}

func (t Table) blocks(r Report) (blocks []block, width int) {
	for start := 0; start < len(r.Rows); {
		end := start
		for end < len(r.Rows) && r.Rows[end].Route == r.Rows[start].Route && r.Rows[end].Rule == r.Rows[start].Rule {
			end++
		}
		b := block{route: r.Rows[start].Route, rule: r.Rows[start].Rule, lines: t.lines(r.Rows[start:end])}
		for _, l := range b.lines {
			width = max(width, utf8.RuneCountInString(l.name))
		}
		blocks, start = append(blocks, b), end
	}
	return blocks, width
}

// lines puts the rows that are many and alike on one line: seventy bad tokens that were refused are one piece of news, and each that was
// not is another.
func (t Table) lines(rows []Row) []line {
	var lines []line
	refused := map[Kind]int{}
	missing := map[string]int{} // by reason
	notRun := map[string]int{}  // by reason: one cause makes one line, and not one for each case
	alike := map[difference]int{}
	for _, row := range rows {
		switch row.State {
		case NotRun:
			notRun[row.Note]++
		case Different:
			alike[difference{row.Kind, row.Got, row.Note}]++
		}
	}
	for _, row := range rows {
		many := !t.All && (row.Kind == KindBadToken || row.Kind == KindDetour)
		switch {
		case many && row.State == Proved:
			refused[row.Kind]++
		case many && row.State == Unprovable && row.Kind == KindBadToken:
			missing[row.Note]++
		case !t.All && row.State == NotRun && notRun[row.Note] > 1:
			// told below
		case !t.All && row.State == Different && alike[difference{row.Kind, row.Got, row.Note}] > maxAlike:
			// told below
		case row.State == Different:
			lines = append(lines, line{row.State, row.Case, row.Got, "want " + row.Want + "; " + row.Note})
		default:
			lines = append(lines, line{row.State, row.Case, row.Got, row.Note})
		}
	}
	for _, d := range slices.SortedFunc(maps.Keys(alike), func(a, b difference) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.got, b.got), cmp.Compare(a.note, b.note))
	}) {
		if n := alike[d]; !t.All && n > maxAlike {
			word := string(d.kind)
			if d.kind == KindScope {
				word = "wrong scope"
			}
			lines = append(lines, line{Different, count(n, word), d.got, d.note + "; prove --all names them"})
		}
	}
	for _, kind := range []Kind{KindDetour, KindBadToken} {
		if refused[kind] > 0 {
			lines = append(lines, line{Proved, count(refused[kind], string(kind)) + " refused", "", ""})
		}
	}
	for _, reason := range slices.Sorted(maps.Keys(missing)) {
		lines = append(lines, line{Unprovable, count(missing[reason], string(KindBadToken)) + " not sent", "", reason})
	}
	for _, reason := range slices.Sorted(maps.Keys(notRun)) {
		if t.All || notRun[reason] == 1 {
			continue
		}
		lines = append(lines, line{NotRun, count(notRun[reason], "case") + " not run", "", reason})
	}
	return lines
}

func (t Table) paint(color, text string) string {
	if !t.Color {
		return text
	}
	return "\x1b[" + cmp.Or(color, "0") + "m" + text + "\x1b[0m"
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(width-utf8.RuneCountInString(s), 0))
}
