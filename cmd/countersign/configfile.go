package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/cmd/countersign/config"
)

// configFlags are --file and --env, which every command takes that reads countersign.yaml.
type configFlags struct {
	file, env string
	cmd       *cobra.Command
}

func (f *configFlags) add(cmd *cobra.Command) { f.addAs(cmd, "the configuration file") }

func (f *configFlags) addAs(cmd *cobra.Command, usage string) {
	f.cmd = cmd
	flags := cmd.Flags()
	flags.StringVarP(&f.file, "file", "f", config.DefaultPath, usage)
	flags.StringVar(&f.env, "env", "", "environment of the file that is laid over it, such as dev or prod")
	cmd.RegisterFlagCompletionFunc("env", f.completeEnv) // it fails for a flag that is not there only
}

// named reports whether one of the flags is there, for commands that read the file only then.
func (f *configFlags) named() bool {
	return f.cmd != nil && (f.cmd.Flags().Changed("file") || f.cmd.Flags().Changed("env"))
}

// typed is a command about the same file and environment, as a person types it.
func (f *configFlags) typed(command string) string {
	words := []string{"countersign", command}
	if f.file != config.DefaultPath {
		words = append(words, "--file", f.file)
	}
	if f.env != "" {
		words = append(words, "--env", f.env)
	}
	return strings.Join(words, " ")
}

// load reads the file with the environment that the flags name. Many mistakes begin with a line that says how many.
func (f *configFlags) load() (*config.Config, error) {
	c, err := config.Load(f.file, f.env)
	if problems := config.AsProblems(err); len(problems) > 1 {
		return nil, fmt.Errorf("%s has %d mistakes:\n%w", f.file, len(problems), err)
	}
	return c, err
}

func (f *configFlags) completeEnv(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	file, err := config.Read(f.file)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return file.Environments(), cobra.ShellCompDirectiveNoFileComp
}
