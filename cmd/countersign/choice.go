package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// textOrJSON are the forms in which most commands print what came of them.
var textOrJSON = []string{"text", "json"}

// addOutput adds --output with its forms, the first of which is the default.
func addOutput(cmd *cobra.Command, output *string, forms ...string) {
	cmd.Flags().StringVar(output, "output", forms[0], "form of the output: "+inWords(forms, "or"))
	complete(cmd, "output", forms...)
}

// checkOutput comes before the work: a result that cannot be shown is one that is lost.
func checkOutput(output string, forms ...string) error {
	return checkChoice("output", output, forms...)
}

// addFormat adds --format with its values, the first of which is the default. Other commands call it --output: that is taken for it too.
func addFormat(cmd *cobra.Command, format *string, values ...string) {
	cmd.Flags().SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "output" {
			name = "format"
		}
		return pflag.NormalizedName(name)
	})
	cmd.Flags().StringVar(format, "format", values[0], "form of the output: "+inWords(values, "or"))
	complete(cmd, "format", values...)
}

// checkChoice holds a flag that takes one of a few words to them.
func checkChoice(flag, value string, values ...string) error {
	if slices.Contains(values, value) {
		return nil
	}
	return fmt.Errorf("--%s %s: there are %s", flag, cmp.Or(value, `""`), inWords(values, "and"))
}

// complete offers the values of a flag to the shell.
func complete(cmd *cobra.Command, flag string, values ...string) {
	cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)) // it fails for a flag that is not there only
}

// inWords writes a list as a sentence has it: "text, markdown and json".
func inWords(words []string, conjunction string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " " + conjunction + " " + words[last]
}
