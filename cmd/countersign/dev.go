package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/cmd/countersign/dev"
)

func newDev() *cobra.Command {
	var state stateFlag
	var options devOptions
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run the whole system on this machine and prove every route",
		Long: `Runs an issuer that behaves as Amazon Cognito, a guarded demo service, an HTTPS edge in front of it and a page
that shows who may call what; proves every route of the service; and stays up until Ctrl-C.

All that it makes is kept in the state directory, and found there by the next start.`,
		Example: `  countersign dev
  countersign dev --once --state ./state    # in CI: prove and end with the exit code`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := state.state()
			if err != nil {
				return err
			}
			options.State = dir
			if state.dir != "" {
				// What is printed is typed in another terminal, which may be in another directory.
				if options.StateFlag, err = filepath.Abs(state.dir); err != nil {
					return err
				}
			}
			return runDev(cmd.Context(), options, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	state.add(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&options.once, "once", false, "prove, and end with exit code 0 (proved), 1 (difference) or 2 (could not run)")
	flags.BoolVar(&options.quiet, "quiet", false, "log no requests")
	flags.StringVar(&options.APIAddr, "api-addr", "localhost:8080", "address of the demo service")
	flags.StringVar(&options.EdgeAddr, "edge-addr", "localhost:8443", "address of the HTTPS edge")
	flags.StringVar(&options.IssuerAddr, "issuer-addr", "localhost:8081", "address of the issuer, the cognito-idp JSON API and the page")
	flags.StringSliceVar(&options.allow, "allow", nil, "networks that may connect to the edge beside this machine, as 10.0.0.0/8; it answers for the name localhost only")
	return cmd
}

type devOptions struct {
	dev.Config
	once, quiet bool
	allow       []string
}

func runDev(ctx context.Context, options devOptions, stdout, stderr io.Writer) (err error) {
	if options.Allow, err = parseNetworks(options.allow); err != nil {
		return err
	}
	// What happens before the system is up and proved is told by the table; the log begins after it.
	gate := newLogGate(slog.NewTextHandler(stderr, nil))
	options.Logger = slog.New(gate)
	system, err := dev.Start(ctx, options.Config)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return errors.New("interrupted before the system was up")
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, system.Close()) }()
	printSystem(stdout, system.Running)
	code, err := proveSystem(ctx, system, stdout)
	switch {
	case ctx.Err() != nil && !options.once:
		return sayStopping(stdout)
	case err != nil:
		return err
	case options.once && code != 0:
		return exitError(code)
	case options.once:
		return nil
	}
	printNext(stdout, options.StateFlag)
	if !options.quiet {
		gate.open()
	}
	select {
	case <-ctx.Done():
		return sayStopping(stdout)
	case err := <-system.Failed():
		return err
	}
}

func sayStopping(w io.Writer) error {
	_, err := fmt.Fprintln(w, "\nstopping: requests under way are answered first")
	return err
}

func parseNetworks(texts []string) ([]netip.Prefix, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	// The proof at the start comes from this machine.
	networks := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	for _, text := range texts {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("--allow %s: not a network; write it as 10.0.0.0/8 or 192.0.2.1/32", text)
		}
		networks = append(networks, network)
	}
	return networks, nil
}
