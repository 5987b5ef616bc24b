package main

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/cmd/countersign/dev"
)

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "countersign",
		Short: "Service-to-service authorization with OAuth 2.0 access tokens",
		Long: `Countersign runs and proves service-to-service authorization with OAuth 2.0 access tokens.

Exit codes: 0 done or proved, 1 a proof found a difference, 2 the command could not run.`,
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs, // see hearOut
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w; see: %s --help", err, cmd.CommandPath())
	})
	root.AddCommand(
		newDev(),
		newEnv(),
		newToken(),
		newProve(),
		newConfig(),
		newDiff(),
		newInit(),
		newMutate(),
		newExplain(),
		newProvision(),
		newRotate(),
		newManifests(),
		newCluster(),
		newAPIGateway(),
		newImage(),
		newDeploy(),
		newDestroy(),
		newIssuer(),
		newPool(),
		newCost(),
		newAgent(),
		newTokenproxy(),
		newDrill(),
		newVersion(),
	)
	setHelp(root)
	hearOut(root)
	return root
}

// otherWords are what other tools call what a command here does.
var otherWords = map[string][]string{
	"init": {"new", "create"}, "dev": {"up", "run", "start", "serve"}, "prove": {"test", "verify"}, "explain": {"decode", "inspect"},
	"config": {"validate", "lint"}, "provision": {"apply", "plan"}, "destroy": {"down", "delete"},
}

// hearOut lets every command that has commands of its own say what was probably meant by a word that is none of them.
func hearOut(cmd *cobra.Command) {
	subs := cmd.Commands()
	if len(subs) == 0 {
		return
	}
	for _, sub := range subs {
		if !cmd.HasParent() {
			sub.SuggestFor = otherWords[sub.Name()]
		}
	}
	cmd.SuggestionsMinimumDistance = 2
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		text := fmt.Sprintf("unknown command %q for %q", args[0], cmd.CommandPath())
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			text += " (did you mean " + strings.Join(near, " or ") + "?)"
		}
		return fmt.Errorf("%s; see: %s --help", text, cmd.CommandPath())
	}
	for _, sub := range subs {
		hearOut(sub)
	}
}

// one is the single argument of a command, which its usage calls what.
func one(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return fmt.Errorf("%s takes one %s (%d given); see: %s --help", cmd.Name(), what, len(args), cmd.CommandPath())
		}
		return nil
	}
}

// version is the module version that the Go toolchain stamped into the binary, or the commit that it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return "devel " + setting.Value
		}
	}
	return "devel"
}

// stateFlag is --state, which every command that talks to a running dev takes.
type stateFlag struct {
	dir string // "" for the default
	cmd *cobra.Command
}

func (f *stateFlag) add(cmd *cobra.Command) {
	f.cmd = cmd
	cmd.Flags().StringVar(&f.dir, "state", "", "state directory (default: countersign in the user's state directory)")
}

func (f *stateFlag) state() (dev.State, error) {
	switch {
	case f.dir != "":
		return dev.State(f.dir), nil
	case f.cmd.Flags().Changed("state"):
		// A script whose variable is not set means some directory, and not the user's own.
		return "", errors.New("--state is empty; name a directory, or leave the flag out for the default one")
	}
	return dev.DefaultState()
}
