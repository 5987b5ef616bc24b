package main

import (
	"fmt"
	"io"
	"sync"
	"text/tabwriter"
	"unicode/utf8"
)

// Widths of the report's columns. A longer text is cut.
const (
	nameWidth   = 48
	clauseWidth = 44
	killerWidth = 90
)

// report prints what becomes of each mutant as soon as it is known, so that a run shows that it goes on.
type report struct {
	out io.Writer

	mu        sync.Mutex
	survivors []mutation
}

func (r *report) add(m mutation, v verdict) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fate := "killed"
	if !v.killed {
		fate = "SURVIVED"
		r.survivors = append(r.survivors, m)
	}
	fmt.Fprintf(r.out, "%-8s  %s  %s  %5.1fs  %s\n", fate, column(m.name, nameWidth), column(m.clause, clauseWidth), v.took.Seconds(), cut(v.by, killerWidth))
}

// end repeats the survivors, with the places where they are.
func (r *report) end() (survivors int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.survivors {
		fmt.Fprintf(r.out, "\nSURVIVED: %s (%s)\n", m.name, m.clause)
		for _, e := range m.edits {
			fmt.Fprintf(r.out, "\t%s: no test needs: %s\n", e.file, e.old)
		}
	}
	return len(r.survivors)
}

// printTable prints the checks.
func printTable(out io.Writer, mutants []mutation) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, m := range mutants {
		fmt.Fprintf(w, "%s\t%s\t%s\n", m.name, m.clause, m.edits[0].file)
	}
	return w.Flush()
}

// column is s in exactly width characters.
func column(s string, width int) string {
	s = cut(s, width)
	return fmt.Sprintf("%s%*s", s, width-utf8.RuneCountInString(s), "")
}

func cut(s string, width int) string {
	if runes := []rune(s); len(runes) > width {
		return string(runes[:width-1]) + "…"
	}
	return s
}
