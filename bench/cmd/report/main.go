// Report measures the guard and the token client beside their peers and prints the tables of docs/performance.md.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/countersign-dev/countersign/bench"
)

func main() {
	rounds := flag.Int("rounds", 40, "measure each line this often")
	slice := flag.Duration("slice", 5*time.Millisecond, "for so long each time")
	tokens := flag.Int("tokens", 20000, "of the row of many live tokens")
	only := flag.String("row", "", "measure only the row with this `name`, such as FirstSight")
	write := flag.String("write", "", "write the report to this `file`, too")
	flag.Parse()
	if *rounds < 1 || *tokens < 1 || flag.NArg() > 0 || *only != "" && *write != "" {
		flag.Usage()
		os.Exit(2)
	}
	if err := report(bench.Options{Rounds: *rounds, Slice: *slice}, *tokens, *only, *write); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func report(o bench.Options, tokens int, only, file string) error {
	s, err := bench.NewSuite(tokens)
	if err != nil {
		return err
	}
	defer s.Close()
	r := bench.Report{Tokens: tokens, Environment: bench.NewEnvironment(o.Rounds)}
	rows, err := s.Rows()
	if err != nil {
		return err
	}
	for _, row := range rows {
		if only != "" && row.ID != only {
			continue
		}
		fmt.Fprintln(os.Stderr, row.Title)
		measured, err := bench.Measure(row, o)
		if err != nil {
			return err
		}
		r.Rows = append(r.Rows, measured)
		for _, c := range measured.Results {
			if c.Floor {
				r.Environment.Drift = slices.Max(c.One) / slices.Min(c.One)
			}
		}
	}
	if len(r.Rows) == 0 {
		return fmt.Errorf("there is no row %q", only)
	}
	if only == "" {
		if r.TokenMemory, err = s.TokenMemory(); err != nil {
			return err
		}
	}
	r.Environment.Load[1] = bench.LoadAverage()
	var page bytes.Buffer
	if err := r.Write(&page); err != nil {
		return err
	}
	if file != "" {
		if err := os.WriteFile(file, page.Bytes(), 0o644); err != nil {
			return err
		}
	}
	_, err = os.Stdout.Write(page.Bytes())
	return err
}
