package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/countersign-dev/countersign/cmd/countersign/dev"
	"github.com/countersign-dev/countersign/prove"
)

// proveSystem proves a system that has just started, past its edge and through it, and returns the exit code: 0 when all is proved. What
// the service said meanwhile comes before the verdict, which is what people look for. Keep has both reports, that of the edge with no row
// where nothing was proved.
func proveSystem(ctx context.Context, system *dev.System, stdout io.Writer, keep func(direct, edge prove.Report) error) (int, error) {
	release := hold(system)
	report, err := system.Prove(ctx)
	if err != nil {
		release(true)
		return 0, err
	}
	edge, edgeErr := system.ProveEdge(ctx)
	code := report.ExitCode()
	// A difference is what to look at first, whatever else could not be run.
	if len(edge.Rows) > 0 && (code == 0 || edge.ExitCode() == exitDifference) {
		code = edge.ExitCode()
	}
	release(code != 0 || edgeErr != nil)
	if err := errors.Join(tableFor(stdout, false).Write(stdout, report), keep(report, edge), edgeErr); err != nil {
		return 0, err
	}
	// Through the edge the same is expected: one line, unless there is more to say.
	return code, printReport(stdout, edge, hasNews(edge, report))
}

// hasNews says whether something is wrong through the edge that is right past it, or wrong in another way.
func hasNews(edge, direct prove.Report) bool {
	known := map[string]prove.Row{}
	for _, row := range direct.Rows {
		known[row.Route+"\n"+row.Case] = row
	}
	return slices.ContainsFunc(edge.Rows, func(row prove.Row) bool {
		same := known[row.Route+"\n"+row.Case]
		return !row.OK() && (row.State != same.State || row.Got != same.Got)
	})
}

// printReport writes the table, or one line. A report of no route is nothing.
func printReport(w io.Writer, report prove.Report, whole bool) error {
	switch {
	case len(report.Rows) == 0:
		return nil
	case whole:
		return tableFor(w, false).Write(w, report)
	}
	verdict := "proved (" + report.Summary() + ")"
	switch report.ExitCode() {
	case exitDifference:
		verdict = "NOT PROVED (" + report.Summary() + "), as above"
	case exitCannotRun:
		verdict = "COULD NOT RUN (" + report.Summary() + "), as above"
	}
	_, err := fmt.Fprintf(w, "%s: %s\n", report.Target, verdict)
	return err
}
