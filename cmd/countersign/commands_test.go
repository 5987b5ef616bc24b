package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// runnable calls check for every command that does something, in a test of its name. One with others below it is among them if it has
// flags: the rest of those print their help.
func runnable(t *testing.T, cmd *cobra.Command, check func(*testing.T, *cobra.Command)) {
	for _, sub := range cmd.Commands() {
		runnable(t, sub, check)
	}
	if cmd.HasSubCommands() && !cmd.Flags().HasFlags() {
		return
	}
	t.Run(strings.ReplaceAll(cmd.CommandPath(), " ", "_"), func(t *testing.T) { check(t, cmd) })
}

func TestEveryCommandHasAnExampleAndItsExitCodes(t *testing.T) {
	runnable(t, newRoot(), func(t *testing.T, cmd *cobra.Command) {
		if cmd.Example == "" {
			t.Error("the help has no example")
		}
		if !strings.Contains(cmd.Long, "Exit code") {
			t.Error("the help does not say the exit codes")
		}
	})
}

// Without values of its own a flag is completed with the names of files, which are none of its values.
func TestFlagsWithFixedValuesOfferThem(t *testing.T) {
	runnable(t, newRoot(), func(t *testing.T, cmd *cobra.Command) {
		for _, name := range []string{"output", "format", "ci"} {
			flag := cmd.Flags().Lookup(name)
			if flag == nil {
				continue
			}
			offer, ok := cmd.GetFlagCompletionFunc(name)
			if !ok {
				t.Errorf("--%s is completed with files", name)
				continue
			}
			if values, _ := offer(cmd, nil, ""); !slices.Contains(values, flag.DefValue) {
				t.Errorf("--%s offers %q, not its default %q", name, values, flag.DefValue)
			}
		}
	})
}
