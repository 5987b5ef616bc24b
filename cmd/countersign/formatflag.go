package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// addFormat adds --format with its values, the first of which is the default. Other commands call it --output: that is taken for it too.
func addFormat(cmd *cobra.Command, format *string, usage string, values ...string) {
	cmd.Flags().SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "output" {
			name = "format"
		}
		return pflag.NormalizedName(name)
	})
	cmd.Flags().StringVar(format, "format", values[0], usage+": "+strings.Join(values, ", "))
	complete(cmd, "format", values...)
}
