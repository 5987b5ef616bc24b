package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/countersign-dev/countersign/cmd/countersign/mutant"
)

func newMutate() *cobra.Command {
	var config mutant.Config
	var format string
	cmd := &cobra.Command{
		Use:   "mutate [PACKAGES]",
		Short: "Name the rules that no test would miss",
		Long: `Runs the tests of the packages (default: ./...) with each rule knocked out in turn, and names the rules whose loss no test
notices. The tests are built with an overlay: no file of yours is changed.

Exit codes: 0 every rule is tested, 1 one is not, 2 could not run, or a mutant could not be judged.`,
		Example: `  countersign mutate
  countersign mutate --run 'TestAPI|TestReader' ./internal/api
  countersign mutate --format json ./... > mutants.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			config.Dir, config.Packages = ".", args
			if len(args) == 0 {
				config.Packages = []string{"./..."}
			}
			if err := checkChoice("format", format, "table", "json"); err != nil {
				return err
			}
			if config.Timeout <= 0 {
				return fmt.Errorf("--timeout %s: a timeout is positive, as in 2m", config.Timeout)
			}
			if config.Parallel <= 0 {
				return fmt.Errorf("--parallel %d: at least one package is tested at once", config.Parallel)
			}
			return runMutate(cmd.Context(), config, format, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	addFormat(cmd, &format, "table", "json")
	flags.StringVar(&config.Run, "run", "", "run only the tests that match, as go test -run")
	flags.DurationVar(&config.Timeout, "timeout", 2*time.Minute, "how long the tests of one package may take for one mutant")
	flags.IntVar(&config.Parallel, "parallel", runtime.GOMAXPROCS(0), "how many packages are tested at once, at most; one package never beside itself")
	return cmd
}

func runMutate(ctx context.Context, config mutant.Config, format string, stdout, stderr io.Writer) error {
	if file, isFile := stderr.(*os.File); isFile && term.IsTerminal(int(file.Fd())) {
		config.Progress = func(done, all int) {
			fmt.Fprintf(stderr, "\r%d of %d mutants", done, all)
			if done == all {
				fmt.Fprint(stderr, "\r\x1b[K")
			}
		}
	}
	report, err := mutant.Run(ctx, config)
	if ctx.Err() != nil {
		err = errors.New("interrupted")
		if len(report.Rules) > 0 {
			err = errors.New("interrupted; the report has what was known by then")
		}
		if config.Progress != nil {
			fmt.Fprint(stderr, "\r\x1b[K")
		}
	}
	if len(report.Rules) == 0 && err != nil {
		return err
	}
	write := report.WriteTable
	if format == "json" {
		write = report.WriteJSON
	}
	if err := errors.Join(write(stdout), err); err != nil {
		return err
	}
	if code := report.ExitCode(); code != 0 {
		return exitError(code)
	}
	return nil
}
