package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// leaves calls check for every command that does something, with what was typed to reach it.
func leaves(t *testing.T, cmd *cobra.Command, check func(*testing.T, *cobra.Command)) {
	if subs := cmd.Commands(); len(subs) > 0 {
		for _, sub := range subs {
			leaves(t, sub, check)
		}
		return
	}
	t.Run(strings.ReplaceAll(cmd.CommandPath(), " ", "_"), func(t *testing.T) { check(t, cmd) })
}

func TestEveryCommandHasAnExampleAndItsExitCodes(t *testing.T) {
	leaves(t, newRoot(), func(t *testing.T, cmd *cobra.Command) {
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
	leaves(t, newRoot(), func(t *testing.T, cmd *cobra.Command) {
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
