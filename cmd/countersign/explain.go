package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/cmd/countersign/dev"
)

func newExplain() *cobra.Command {
	var options explainOptions
	cmd := &cobra.Command{
		Use:   "explain [METHOD PATH]",
		Short: "Say why a token is refused: every check, what it wants and what the token has",
		Long: `Reads an access token from standard input and runs every check of the verification on it, in order; with METHOD and
PATH, the rule of that route too. The issuer and the resource are those of --issuer and --resource, of COUNTERSIGN_ISSUER and
COUNTERSIGN_RESOURCE, or of the running dev, whose policy names the routes unless --policy does.

With --decision ID it reads a service's log instead, and explains the line of that decision: a refusal's body has the id.

It shows what the token claims, never its signature.

Exit codes: 0 the token is let in, 1 it is refused, 2 could not run.`,
		Example: `  countersign token --client writeClient | countersign explain GET /api/demo/protectedRole/me
  countersign explain --decision 4b1f0a93c2d85e67 <service.log`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 0 && len(args) != 2 {
				return fmt.Errorf("explain takes a method and a path, as in: countersign explain GET /orders/7 (%d given); the token comes on standard input", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkChoice("format", options.format, textOrJSON...); err != nil {
				return err
			}
			if options.decision != "" {
				return explainDecision(cmd.InOrStdin(), options.decision, cmd.OutOrStdout())
			}
			hint(cmd.InOrStdin(), cmd.ErrOrStderr())
			return runExplain(cmd.Context(), options, args, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		return completeRunning(&options.state, func(_ context.Context, _ dev.State, r dev.Running) []string { return methodsAndPaths(r, args) })(cmd, args, typed)
	}
	options.state.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&options.issuer, "issuer", "", "issuer that the service trusts")
	flags.StringVar(&options.resource, "resource", "", "identifier of the service's resource server")
	flags.StringVar(&options.policy, "policy", "", "policy file, as countersigntest.Golden writes it, for the route's rule")
	flags.StringVar(&options.decision, "decision", "", "explain this decision from the log on standard input")
	addFormat(cmd, &options.format, textOrJSON...)
	return cmd
}

type explainOptions struct {
	state                              stateFlag
	issuer, resource, policy, decision string
	format                             string
}

// maxExplained bounds what is read as a token: far above what a guard accepts, so that one that is too large is explained.
const maxExplained = 1 << 20

// explainTimeout bounds the look at the running dev, and that at the issuer's keys. Whoever types a token in takes longer.
const explainTimeout = 15 * time.Second

// hint says what is waited for, where a person would see nothing happen.
func hint(stdin io.Reader, stderr io.Writer) {
	if file, ok := stdin.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		fmt.Fprintln(stderr, "the token comes on standard input: paste it, then Enter and Ctrl-D; or from a command: countersign token --client NAME | countersign explain")
	}
}

func runExplain(ctx context.Context, options explainOptions, route []string, stdin io.Reader, stdout io.Writer) error {
	find, cancel := context.WithTimeout(ctx, explainTimeout)
	defer cancel()
	config, policy, err := options.configure(find)
	if err != nil {
		return err
	}
	var found countersign.Route
	if len(route) == 2 {
		if found, err = findRoute(policy, route[0], route[1]); err != nil {
			return err
		}
	}
	input, err := io.ReadAll(io.LimitReader(stdin, maxExplained))
	if err != nil {
		return fmt.Errorf("standard input: %w", err)
	}
	token := bareToken(string(input))
	if token == "" {
		return errors.New("no token came on standard input, as in: countersign token --client readClient | countersign explain")
	}
	guard, err := countersign.New(config)
	if err != nil {
		return err
	}
	defer guard.Close()
	check, done := context.WithTimeout(ctx, explainTimeout)
	defer done()
	rule := countersign.Authenticated()
	if found.Pattern != "" {
		rule = found.Rule
	}
	explanation := guard.Explain(check, token, rule)
	if options.format == "json" {
		return writeExplanation(stdout, found, explanation)
	}
	if found.Pattern != "" {
		fmt.Fprintf(stdout, "%s  %s  %s\n\n", found.Pattern, rule, found.Source)
	}
	return printExplanation(stdout, explanation)
}

// configure is whose tokens are explained, and the policy that names the routes, if there is one. What no flag says is what the environment says, or else the
// running dev; what is said of a service by its policy file goes with --issuer.
func (o explainOptions) configure(ctx context.Context) (config countersign.Config, policy countersign.Policy, err error) {
	var document []byte
	switch {
	case o.issuer != "":
		config.Issuer = o.issuer
	case os.Getenv("COUNTERSIGN_ISSUER") != "":
		if config, err = countersign.ConfigFromEnv(); err != nil {
			return config, policy, err
		}
		// The variables may be those of `countersign env`: the routes are the running dev's then, too.
		if running, routes, err := o.fromDev(ctx); err == nil && running.Issuer == config.Issuer {
			document = routes
		}
	default:
		if config, document, err = o.fromDev(ctx); err != nil {
			return config, policy, err
		}
	}
	name := "of the running dev"
	if o.policy != "" {
		name = o.policy
		if document, err = os.ReadFile(o.policy); err != nil {
			return config, policy, fmt.Errorf("--policy: %w", err)
		}
	}
	if document != nil {
		if policy, err = countersign.ParsePolicy(document); err != nil {
			return config, policy, fmt.Errorf("policy %s: %w", name, err)
		}
	}
	if o.issuer != "" {
		config.Resource, config.Profile = policy.Resource, policy.Profile
	}
	config.Resource = cmp.Or(o.resource, config.Resource)
	if config.Resource == "" {
		return config, policy, errors.New("whose scopes are they? write --resource, or --policy with the policy file of the service")
	}
	return config, policy, nil
}

func (o explainOptions) fromDev(ctx context.Context) (countersign.Config, []byte, error) {
	state, err := o.state.state()
	if err != nil {
		return countersign.Config{}, nil, err
	}
	running, err := dev.Find(ctx, state)
	if err != nil {
		return countersign.Config{}, nil, fmt.Errorf("%w; or name the issuer with --issuer and --resource", err)
	}
	config := countersign.Config{Issuer: running.Issuer, Resource: running.Resource}
	if running.ProxyURL != "" { // the issuer's URL is one of AWS's, and the issuer is here
		if config.HTTPClient, err = running.HTTPClient(); err != nil {
			return countersign.Config{}, nil, err
		}
	}
	if !knowsPolicy(&running) {
		return config, nil, nil
	}
	return config, running.Policy, nil
}

// findRoute is the route that a request would reach, by net/http's own matching. The path may be a URL, for routes of one host.
func findRoute(policy countersign.Policy, method, path string) (countersign.Route, error) {
	address := path
	if strings.HasPrefix(path, "/") {
		address = "http://localhost" + path
	}
	req, err := http.NewRequest(method, address, nil)
	if err != nil || req.URL.Host == "" {
		return countersign.Route{}, fmt.Errorf("%s %s: not a method and a path, as GET /orders/7", method, path)
	}
	if req.URL.Path == "" {
		req.URL.Path = "/"
	}
	var mux http.ServeMux
	var known []string
	for _, route := range policy.Routes {
		if route.Pattern != "" { // a rule of Guard.Require has none
			register(&mux, route.Pattern)
			known = append(known, route.Pattern)
		}
	}
	if len(known) == 0 {
		return countersign.Route{}, errors.New("there is no policy that could name the route's rule; give one with --policy FILE")
	}
	_, pattern := mux.Handler(req)
	for _, route := range policy.Routes {
		if pattern != "" && route.Pattern == pattern {
			return route, nil
		}
	}
	return countersign.Route{}, fmt.Errorf("%s %s reaches no route; the policy has: %s", method, path, strings.Join(known, " · "))
}

// register leaves out what net/http panics about: the policy of two muxes may have one pattern twice.
func register(mux *http.ServeMux, pattern string) {
	defer func() { _ = recover() }()
	mux.Handle(pattern, http.NotFoundHandler())
}

// printExplanation prints the checks, the first refusal and what to do about it.
func printExplanation(w io.Writer, e countersign.Explanation) error {
	width := 0
	for _, check := range e.Checks {
		width = max(width, len(check.Name))
	}
	mark := map[bool]string{true: "✓", false: "✗"}
	if !isUTF8() {
		mark = map[bool]string{true: "ok  ", false: "FAIL"}
	}
	for _, check := range e.Checks {
		if check.OK {
			fmt.Fprintf(w, "  %s %-*s  %s\n", mark[true], width, check.Name, check.Got)
			continue
		}
		fmt.Fprintf(w, "  %s %-*s  want %s, got %s  (%s)\n", mark[false], width, check.Name, check.Want, check.Got, check.Clause)
	}
	reason := e.Refused()
	if reason == "" {
		fmt.Fprintln(w, "\nlet in")
		return nil
	}
	fmt.Fprintf(w, "\nrefused: %s. %s\n", string(reason), advice[reason])
	return exitError(exitDifference)
}
