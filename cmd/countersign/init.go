package main

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/cmd/countersign/scaffold"
)

func newInit() *cobra.Command {
	var config scaffold.Config
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Begin a guarded service, or add the tests to one",
		Long: `Writes a service in DIR (default: this directory) whose every route says who may call it: its routes, its program, its tests,
its policy file, countersign.yaml and a CI job. The tests pass as they are.

Where there is code already, a function such as func NewAPI(guard *countersign.Guard) http.Handler gets its tests, its policy file,
countersign.yaml and the job; without such a function the lines to add are printed. A file that is there is never overwritten.

Exit codes: 0 written, 2 it could not be done, or lines that have to be added first were printed.`,
		Example: `  countersign init --module example.com/you/service
  countersign init --module example.com/you/service --replace ../countersign    # work on an unpublished checkout
  countersign init --ci gitlab`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("init takes one directory at most (%d given)", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			config.Dir = "."
			if len(args) == 1 {
				config.Dir = args[0]
			}
			return runInit(cmd.Context(), config, cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&config.Module, "module", "", "path of the new module, where there is no go.mod")
	flags.StringVar(&config.Resource, "resource", "https://api.example.com", "identifier of the resource server whose scopes the routes ask for")
	flags.StringVar(&config.Region, "region", "ap-southeast-1", "AWS region, for countersign.yaml")
	jobs := []string{scaffold.GitHub, scaffold.GitLab, scaffold.NoCI}
	flags.StringVar(&config.CI, "ci", scaffold.GitHub, "CI job: "+strings.Join(jobs, ", "))
	complete(cmd, "ci", jobs...)
	flags.StringVar(&config.Replace, "replace", "", "path of an unpublished checkout of the library, for a replace directive in go.mod")
	return cmd
}

func runInit(ctx context.Context, config scaffold.Config, stdout io.Writer) error {
	config.Version = libraryVersion()
	plan, err := scaffold.New(ctx, config)
	if err != nil {
		return err
	}
	if err := plan.Write(ctx, stdout); err != nil {
		return err
	}
	if plan.Incomplete() {
		return exitError(exitCannotRun)
	}
	return nil
}

// libraryVersion is the published version of the library in this program, or empty if it was built from a checkout.
func libraryVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, module := range info.Deps {
		if module.Path == scaffold.Library && module.Replace == nil && module.Version != "(devel)" && module.Version != "v0.0.0" {
			return module.Version
		}
	}
	return ""
}
