package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/cmd/countersign/provision"
	"github.com/countersign-dev/countersign/cmd/countersign/rotate"
)

func newRotate() *cobra.Command {
	var o rotateOptions
	cmd := &cobra.Command{
		Use:   "rotate CLIENT",
		Short: "Replace the secret of an app client while its service runs",
		Long: `Gives an app client of countersign.yaml a second secret, stores it where the file says, proves it by a token, makes it
the first one, waits until running services have read it, and removes the old one. At each moment the stored credentials
work. When it is cut off, run it again: it goes on where it stopped.

Exit codes: 0 the client has one secret, a new one; 2 the command could not run, or stopped half-way.`,
		Example: `  countersign rotate reader --env prod
  countersign rotate reader --local --soak 0s`,
		Args: one("CLIENT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(o.output, textOrJSON...); err != nil {
				return err
			}
			o.soakSet = cmd.Flags().Changed("soak")
			return o.run(cmd.Context(), args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
		ValidArgsFunction: o.completeClient,
	}
	o.targetFlags.add(cmd)
	flags := cmd.Flags()
	flags.DurationVar(&o.soak, "soak", 0, "how long the old secret lives on (default: 1m for a file, 5m for Kubernetes, 1h for Secrets Manager)")
	flags.DurationVar(&o.patience, "patience", time.Minute, "longest wait until Cognito takes the new secret")
	addOutput(cmd, &o.output, textOrJSON...)
	return cmd
}

type rotateOptions struct {
	targetFlags
	soak, patience time.Duration
	soakSet        bool
	output         string
}

func (o *rotateOptions) run(ctx context.Context, name string, stdout, stderr io.Writer) error {
	if o.soak < 0 || o.patience <= 0 {
		return fmt.Errorf("--soak is not negative, and --patience is longer than nothing")
	}
	if !o.soakSet {
		o.soak = -1
	}
	t, err := o.open(ctx)
	if err != nil {
		return err
	}
	release, err := lockWork("rotate", o.file, append(o.scope(), name)...)
	if err != nil {
		return err
	}
	defer release()
	client, err := provision.FindClient(ctx, t.Target, t.want, t.places, name)
	if err != nil {
		return err
	}
	say := func(text string) { fmt.Fprintln(stderr, text) }
	result, err := rotate.Run(ctx, rotate.Config{
		Target: t.Target, Client: client, Soak: o.soak, Patience: o.patience, Said: say, Waiting: say,
	})
	if err != nil {
		return err
	}
	if o.output == "json" {
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(result)
	}
	_, err = fmt.Fprintf(stdout, "%s has one secret, a new one, in %s\n", result.Client, result.Place)
	return err
}

// completeClient offers the clients of the file.
func (o *rotateOptions) completeClient(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	cfg, err := o.load()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, c := range cfg.Clients {
		names = append(names, c.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
