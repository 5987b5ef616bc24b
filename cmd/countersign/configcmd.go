package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/cmd/countersign/config"
)

func newConfig() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Check and show countersign.yaml",
		Long:  `Checks countersign.yaml, shows it as the other commands read it, and prints its JSON schema for editors.`,
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newConfigCheck(), newConfigShow(), newConfigSchema())
	return cmd
}

func newConfigCheck() *cobra.Command {
	var flags configFlags
	var output string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Say every mistake of the file, with its line",
		Long: `Reads the file with each of its environments, or with one that --env names, and prints every mistake with its line and column,
and what to write instead.

Exit codes: 0 no mistake, 1 there are mistakes, 2 the file could not be read.`,
		Example: `  countersign config check
  countersign config check --env prod --output json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkOutput(output, textOrJSON...); err != nil {
				return err
			}
			return runConfigCheck(flags, output, cmd.OutOrStdout())
		},
	}
	flags.add(cmd)
	addOutput(cmd, &output, textOrJSON...)
	return cmd
}

func newConfigShow() *cobra.Command {
	var flags configFlags
	var output string
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Print the effective file: an environment laid over it, defaults filled in",
		Long: `Prints the file as the other commands read it: the environment that --env names laid over it, and every default filled in.

Exit codes: 0 done, 2 the file has a mistake, or could not be read.`,
		Example: `  countersign config show --env prod
  diff <(countersign config show --env staging) <(countersign config show --env prod)`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkOutput(output, "yaml", "json"); err != nil {
				return err
			}
			c, err := flags.load()
			if err != nil {
				return err
			}
			text, err := c.YAML()
			if output == "json" {
				text, err = c.JSON()
			}
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
	flags.add(cmd)
	addOutput(cmd, &output, "yaml", "json")
	return cmd
}

func newConfigSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON schema of the file, for editors",
		Long: `Prints the JSON schema (draft 2020-12) of countersign.yaml. Editors complete and check the file with it.

Exit codes: 0 done, 2 it could not be written.`,
		Example: `  countersign config schema > countersign.schema.json`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(config.Schema())
			return err
		},
	}
}

func runConfigCheck(flags configFlags, format string, stdout io.Writer) error {
	file, err := config.Read(flags.file)
	var environments []string
	if err == nil {
		environments, err = checkedEnvironments(file, flags.env)
	}
	problems := config.AsProblems(err)
	if err != nil && problems == nil {
		return err
	}
	if format == "json" {
		err = writeProblems(stdout, flags.file, environments, problems)
	} else {
		err = printProblems(stdout, flags.file, environments, problems)
	}
	if err == nil && len(problems) > 0 {
		err = exitError(exitDifference)
	}
	return err
}

func checkedEnvironments(file *config.File, environment string) ([]string, error) {
	if environment == "" {
		return file.Environments(), file.Check()
	}
	_, err := file.Config(environment)
	return []string{environment}, err
}

func printProblems(w io.Writer, path string, environments []string, problems config.Problems) error {
	if len(problems) > 0 {
		_, err := fmt.Fprintln(w, problems)
		return err
	}
	of := ""
	if len(environments) > 0 {
		of = " (environments: " + strings.Join(environments, ", ") + ")"
	}
	_, err := fmt.Fprintf(w, "%s: no mistake%s\n", path, of)
	return err
}

// problemRow is one mistake, as --output json has it.
type problemRow struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Member  string `json:"member"`
	Problem string `json:"problem"`
}

func writeProblems(w io.Writer, path string, environments []string, problems config.Problems) error {
	out := struct {
		File         string       `json:"file"`
		Environments []string     `json:"environments"`
		Problems     []problemRow `json:"problems"`
	}{path, append([]string{}, environments...), []problemRow{}}
	for _, p := range problems {
		out.Problems = append(out.Problems, problemRow{p.Place.File, p.Place.Line, p.Place.Column, p.Path, p.Text})
	}
	text, err := json.MarshalIndent(out, "", "  ")
	return errors.Join(err, writeLine(w, text))
}

func writeLine(w io.Writer, text []byte) error {
	_, err := w.Write(append(text, '\n'))
	return err
}
