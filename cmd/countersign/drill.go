package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/cmd/countersign/drill"
)

func newDrill() *cobra.Command {
	var cfg drill.Config
	var output string
	cmd := &cobra.Command{
		Use:   "drill NAME",
		Short: "Replace secrets and keys under load, and count the calls that fail",
		Long: `Runs a load through a system of its own, on free ports, while something happens to it, and counts what fails. The drills:

  rotate-secret  the client's second secret is added, published, seen in use, and the first one removed
  rotate-keys    the issuer's key is replaced, with and without being published first
  issuer-outage  the issuer refuses, breaks connections and does not answer
  clock-skew     the clocks of the service and of the pods differ from the issuer's
  everything     the first three at once, with Cognito's quotas and 16 % of the issuer's answers late, refused or broken

Issuer, service and token client are those that run in production; of a token's life the client is told what --life says, so
that a minute sees the renewals of a day. Nothing outside this process is touched.

Exit codes: 0 no call failed, 1 a call failed or not all happened that should, 2 the drill could not run.`,
		Example: `  countersign drill rotate-secret
  countersign drill issuer-outage --for 6m              # long enough for renewals to fall into the outage
  countersign drill rotate-keys --rate 100 --output json`,
		Args:      oneDrill,
		ValidArgs: drill.Names(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDrill(cmd.Context(), args[0], cfg, output, cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&cfg.Rate, "rate", 500, "API requests a second, of all pods together")
	flags.IntVar(&cfg.Pods, "pods", 20, "programs that call, each with a token of its own")
	flags.DurationVar(&cfg.Duration, "for", 0, "how long the drill lasts (default 1m; 6m for everything)")
	flags.DurationVar(&cfg.Life, "life", 0, "life of a token, 20s to 5m (default: 20s for rotate-secret and rotate-keys, 5m for the others)")
	flags.StringVar(&cfg.Chaos, "chaos", "", "faults of the issuer in percent, as "+drill.Faults+" (default: none; these for everything)")
	flags.BoolVar(&cfg.Quotas, "quotas", false, "refuse token requests beyond Cognito's quotas (always for everything)")
	flags.DurationVar(&cfg.Outage, "outage", 20*time.Second, "how long the issuer is away in issuer-outage")
	flags.DurationVar(&cfg.Skew, "skew", 45*time.Second, "how far the clocks differ in clock-skew")
	addOutput(cmd, &output, textOrJSON...)
	return cmd
}

func oneDrill(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("name one drill of %q, as in: countersign drill rotate-secret", drill.Names())
	}
	return nil
}

func runDrill(ctx context.Context, name string, cfg drill.Config, output string, stdout io.Writer) error {
	if err := checkOutput(output, textOrJSON...); err != nil {
		return err
	}
	if cfg.Rate <= 0 || cfg.Pods <= 0 {
		return errors.New("--rate and --pods are positive")
	}
	cfg, err := cfg.For(name)
	if err != nil {
		return err
	}
	if output == "text" {
		fmt.Fprintf(stdout, "drill %s: %d pods, %d requests a second, for %v\n\n", name, cfg.Pods, cfg.Rate, cfg.Duration)
		cfg.Step = func(at time.Duration, what string) { fmt.Fprintf(stdout, "%6.1fs  %s\n", at.Seconds(), what) }
	}
	report, err := drill.Run(ctx, name, cfg)
	if err != nil {
		return err
	}
	if output == "json" {
		err = encodeIndented(stdout, report)
	} else {
		_, err = fmt.Fprintf(stdout, "\n%s", report)
	}
	if err == nil && !report.OK() {
		return exitError(exitDifference)
	}
	return err
}
