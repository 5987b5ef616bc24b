package bench

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// Report is everything that was measured in one run.
type Report struct {
	Rows        []RowResult
	Tokens      int     // in the row of many
	TokenMemory float64 // bytes for each of them
	Environment Environment
}

// row finds a row by its ID.
func (r Report) row(id string) RowResult {
	for _, row := range r.Rows {
		if row.ID == id {
			return row
		}
	}
	return RowResult{}
}

// named finds our contenders by name, which is empty for one that is not there.
func (r RowResult) named(name string) Result {
	for _, c := range r.Results {
		if c.Name == name {
			return c
		}
	}
	return Result{}
}

func (r RowResult) floor() (Result, bool) {
	for _, c := range r.Results {
		if c.Floor {
			return c, true
		}
	}
	return Result{}, false
}

// fastestPeer is the peer with the best round.
func (r RowResult) fastestPeer() Result {
	var best Result
	for _, c := range r.Results {
		if !c.Ours && !c.Floor && c.Name != unprotected && (best.Name == "" || Best(c.One) < Best(best.One)) {
			best = c
		}
	}
	return best
}

// Write writes the report as Markdown.
func (r Report) Write(w io.Writer) error {
	var b strings.Builder
	b.WriteString(introduction)
	b.WriteString(r.Environment.String())
	if len(r.Rows) > 1 {
		r.writePromises(&b)
	}
	for _, row := range r.Rows {
		row.write(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r Report) writePromises(b *strings.Builder) {
	b.WriteString("\n## What is promised\n\n| | promised | measured | |\n|---|---|---|---|\n")
	for _, p := range r.promises() {
		mark := "kept"
		if !p.kept {
			mark = "**not kept**"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", p.what, p.limit, p.measured, mark)
	}
}

const introduction = `# Performance

Every figure of this page was measured in one run of ` + "`bench/run`" + `, which has the code of each line; ` + "`bench/run -write docs/performance.md`" + ` writes it
anew. The token is an RS256 access token of Cognito's shape and size. The peers are built as their own documentation says; those without a
middleware get the twenty lines that their users write. Each line of a table is measured once in every round, right after the others. A table
has the median of the rounds and the best of them on one core, and the best of those in which two cores did it at once. Ratios, scaling and promises are
of the best rounds: whatever else runs on the machine can only make a round longer. The program holds 64 MiB besides, as a small
service does, so that its garbage is collected as seldom as there.

`

func (r RowResult) write(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n", r.Title, r.About)
	floor, hasFloor := r.floor()
	ours := r.Results[0]
	b.WriteString("| | median | best | best on two cores | scaling | allocations | bytes | × countersign |")
	if hasFloor {
		b.WriteString(" × floor |")
	}
	b.WriteString("\n|---|--:|--:|--:|--:|--:|--:|--:|" + strings.Repeat("--:|", btoi(hasFloor)) + "\n")
	for _, c := range r.Results {
		fmt.Fprintf(b, "| %s | %s | %s | %s | %.2f | %s | %s | %s |", c.Name, duration(Median(c.One)), duration(Best(c.One)), duration(Best(c.Two)), c.scaling(),
			count(c.Allocs), count(c.Bytes), times(Best(c.One)/Best(ours.One)))
		if hasFloor {
			fmt.Fprintf(b, " %s |", times(Best(c.One)/Best(floor.One)))
		}
		b.WriteByte('\n')
	}
}

// scaling is how much more two cores do than one.
func (r Result) scaling() float64 {
	return Best(r.One) / Best(r.Two)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// duration is nanoseconds with three digits and a unit.
func duration(ns float64) string {
	switch {
	case ns >= 1e6:
		return digits(ns/1e6) + " ms"
	case ns >= 1e3:
		return digits(ns/1e3) + " µs"
	}
	return digits(ns) + " ns"
}

func times(f float64) string { return digits(f) }

func digits(f float64) string {
	switch {
	case f >= 100:
		return fmt.Sprintf("%.0f", f)
	case f >= 10:
		return fmt.Sprintf("%.1f", f)
	}
	return fmt.Sprintf("%.2f", f)
}

func count(f float64) string { return fmt.Sprintf("%.0f", math.Round(f)) }
