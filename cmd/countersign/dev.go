package main

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/cmd/countersign/dev"
)

func newDev() *cobra.Command {
	var state stateFlag
	var options devOptions
	cmd := &cobra.Command{
		Use:   "dev [-- COMMAND]",
		Short: "Run the whole system on this machine and prove every route",
		Long: `Runs an issuer that behaves as Amazon Cognito, a guarded service, an HTTPS edge in front of it and a page that shows who may
call what; proves every route of the service; and stays up until Ctrl-C.

Where there is a countersign.yaml, the issuer has its user pool, scopes and clients, and the service is the user's own: COMMAND,
or service.main, which is built and run. It listens where the variables ADDR and PORT say, and is built and started again when
Go files, the policy or countersign.yaml change. With --no-run it is yours to start, in a debugger for one. Without such a file the
service is a demo.

All that it makes is kept in the state directory, and found there by the next start.

Exit codes of --once: 0 proved, 1 a proof found a difference, 2 something could not be run.`,
		Example: `  countersign dev
  countersign dev -- go run ./cmd/orders
  countersign dev --once --state ./state    # in CI: prove and end with the exit code
  countersign dev --once --report junit=prove.xml`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && cmd.ArgsLenAtDash() != 0 {
				return fmt.Errorf("dev takes no argument %q; the command of a service stands after --, as in: countersign dev -- go run ./cmd/orders", args[0])
			}
			if options.noRun && (len(args) > 0 || options.once) {
				return errors.New("--no-run starts no service and proves none; leave out the command, and --once")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
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
			if err := options.steering.into(&options.Config, options.once); err != nil {
				return err
			}
			if err := errors.Join(options.watching.check(), options.checkReport()); err != nil {
				return err
			}
			options.command = args
			options.named = cmd.Flags().Changed("file")
			options.apiNamed = cmd.Flags().Changed("api-addr")
			return runDev(cmd.Context(), options, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	state.add(cmd)
	options.config.add(cmd)
	flags := cmd.Flags()
	flags.Lookup("env").Usage = "environment of the file (default: dev, if the file has one)"
	flags.BoolVar(&options.once, "once", false, "prove, and end with exit code 0 (proved), 1 (difference) or 2 (could not run)")
	flags.BoolVar(&options.noRun, "no-run", false, "start no service of your own, and prove none: it is yours to start, as in a debugger")
	flags.BoolVar(&options.quiet, "quiet", false, "log no requests")
	flags.StringVar(&options.APIAddr, "api-addr", "localhost:8080", "address of the service (default for a service of your own: 127.0.0.1 and service.port)")
	flags.StringVar(&options.EdgeAddr, "edge-addr", "localhost:8443", "address of the HTTPS edge")
	flags.StringVar(&options.IssuerAddr, "issuer-addr", "localhost:8081", "address of the issuer, the cognito-idp JSON API and the page")
	flags.StringSliceVar(&options.allow, "allow", nil, "networks that may connect to the edge beside this machine, such as 10.0.0.0/8; it answers for the name localhost only")
	options.steering.add(flags)
	options.watching.add(flags)
	options.addReport(flags)
	return cmd
}

type devOptions struct {
	dev.Config
	once, quiet bool
	noRun       bool
	allow       []string
	config      configFlags
	steering    steeringFlags
	watching    watchFlags
	reports     reportOptions // those of --report alone
	named       bool          // whether --file was typed
	apiNamed    bool          // whether --api-addr was
	command     []string      // of the user's service
	gate        *logGate      // of the session
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
		if network != network.Masked() {
			return nil, fmt.Errorf("--allow %s: it has bits after its prefix; write %s", text, network.Masked())
		}
		if network.Addr().Is4In6() {
			return nil, fmt.Errorf("--allow %s: it is IPv4 written as IPv6, and peers are compared as IPv4; write the IPv4 network", text)
		}
		networks = append(networks, network)
	}
	return networks, nil
}

// anew ends a session whose file has changed: the next one begins with what it says now.
type anew struct{ app *dev.App }

func (*anew) Error() string { return "begin anew" }
