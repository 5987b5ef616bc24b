package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/cmd/countersign/callers"
	"github.com/countersign-dev/countersign/cmd/countersign/dev"
	"github.com/countersign-dev/countersign/cmd/countersign/seen"
	"github.com/countersign-dev/countersign/prove"
)

func newProve() *cobra.Command {
	var options proveOptions
	cmd := &cobra.Command{
		Use:   "prove [URL]",
		Short: "Prove every route of a service: no token 401, wrong scope 403, right scope admitted",
		Long: `Sends every case of the policy to the service at URL and compares the answers: no token, each wrong scope, the
right scope, and the bad tokens. The policy and the tokens are the running dev's, unless they are named.

--policy takes what countersigntest.Golden wrote, or any team's OpenAPI 3.0 or 3.1 document, in JSON or YAML; the service may be in any
language. With --issuer, and --client or --clients, the tokens are those of any issuer, and no dev has to run.

With --env or --file, countersign.yaml says the rest: the URL is its public host, the policy is service.policy, and the tokens are those
of its clients, whose credentials countersign provision stored. Any other flag, and a URL, comes before the file.

On another machine, nothing is sent that POST, PUT, PATCH or DELETE would have to admit, unless --allow-writes says so; with --probe the
guard of the service is asked for its decision instead.

With --through and --direct the same cases go through the edge and past it, and what only the edge protects is a difference.
With --report the result is also written for other programs, and for people who were not there.

What could not be tried for want of a client is said above the verdict; with --strict it is no proof.

Exit codes: 0 proved, 1 a difference, 2 could not run, or was interrupted.`,
		Example: `  countersign prove http://localhost:8080
  countersign prove https://api.example.com --policy testdata/authorization.json --clients clients.yaml --strict --wait 2m
  countersign prove --env staging
  countersign prove https://localhost:8443 --beneath /api/demo
  countersign prove https://api.example.com --policy openapi.yaml --issuer https://issuer.example.com --client reader=READER --client writer=WRITER
  countersign prove https://api.example.com --policy openapi.yaml --clients clients.yaml --rate 5 --seen access.log
  countersign prove http://localhost:8080 --report junit=prove.xml --report html=prove.html --report json=local.json
  countersign prove https://api.example.com --compare local.json
  countersign prove --through https://edge.example.com --direct http://pod:8080`,
		Args: options.check,
		RunE: func(cmd *cobra.Command, args []string) error {
			state, err := options.state.state()
			if err != nil {
				return err
			}
			return runProve(cmd.Context(), args, state, options, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.ValidArgsFunction = completeRunning(&options.state, func(_ context.Context, _ dev.State, r dev.Running) []string { return []string{r.APIURL, r.EdgeURL} })
	options.state.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&options.policy, "policy", "", "policy file, as countersigntest.Golden writes it, or OpenAPI document; a file or an https URL (default: the running dev's)")
	flags.StringVar(&options.server, "server", "", "which of the OpenAPI document's servers is meant (default: the one at the URL's host, or the first)")
	flags.StringVar(&options.beneath, "beneath", "", "prove only the routes at or beneath this path, as behind an edge that lets no other through")
	flags.StringVar(&options.ca, "ca", "", "PEM file of the certificate authorities to trust (default: the running dev's and the system's)")
	flags.StringArrayVar(&options.values, "value", nil, "a value that exists for a parameter of paths, as NAME=VALUE: without one, 404 is taken for the service's answer where it refuses without a token; repeatable")
	flags.StringVar(&options.seen, "seen", "", "access log in the common or combined format, or HAR: name the routes that are served and not documented, and the other way round")
	cmd.RegisterFlagCompletionFunc("beneath", completeRunning(&options.state, func(_ context.Context, _ dev.State, r dev.Running) []string { return prefixesOf(r) }))
	options.credentialOptions.add(cmd)
	options.passOptions.add(cmd)
	options.service.addAs(cmd, "configuration file: with this flag or --env, the policy, the address and the clients' stored credentials are those of the service that it describes")
	options.paceOptions.add(cmd)
	options.reportOptions.add(cmd)
	return cmd
}

type proveOptions struct {
	state                             stateFlag
	policy, server, beneath, ca, seen string
	values                            []string
	known                             map[string]string // the values, by name
	edge                              []string          // what the dev's edge lets through, where that is proved
	policyTokens                      func() (prove.Tokens, error)
	service                           serviceFile
	credentialOptions
	passOptions
	paceOptions
	reportOptions
}

// check finds what is wrong with the flags, all of it, before anything is sent.
func (o *proveOptions) check(cmd *cobra.Command, args []string) error {
	problems := []error{o.reportOptions.check(cmd, args), o.credentialOptions.check(), o.passOptions.check(), o.paceOptions.check(cmd), o.readValues()}
	if o.service.named() && cmd.Flags().Changed("state") {
		problems = append(problems, errStateOrFile)
	}
	for _, address := range o.targets(args) {
		if _, err := prove.URL(address, nil); err != nil {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

// targets are the addresses that are proved.
func (o proveOptions) targets(args []string) []string {
	if o.through != "" {
		return []string{o.through, o.direct}
	}
	return args
}

func runProve(ctx context.Context, args []string, state dev.State, options proveOptions, stdout, stderr io.Writer) (err error) {
	if options.expiredToken, err = options.readExpired(); err != nil {
		return err
	}
	if err := options.passOptions.open(); err != nil {
		return err
	}
	if args, err = options.takeFile(args, stderr); err != nil {
		return err
	}
	running, err := options.findDev(ctx, state)
	if err != nil {
		return err
	}
	if options.throughDevEdge(running, args) {
		options.edge = running.EdgePrefixes
		fmt.Fprintf(stderr, "note: the dev's edge lets nothing through but %s; the other routes are left out\n", strings.Join(running.EdgePrefixes, ", "))
	}
	client, err := options.client(running)
	if err != nil {
		return err
	}
	minted := &mintOnce{mint: func(policy proofPolicy) (proofTokens, error) {
		return options.mint(ctx, state, running, policy, client, stderr)
	}}
	options.policyTokens = minted.guarded
	policy, err := options.readPolicy(ctx, running, client, options.targets(args))
	if err != nil {
		return err
	}
	policy.notes(stderr)
	log, err := options.readSeen(policy, options.targets(args))
	if err != nil {
		return err
	}
	tokens, err := minted.tokens(policy)
	if err != nil {
		return err
	}
	err = options.run(ctx, args, options.policy, stdout, stderr, func(url string) (prove.Report, error) {
		return options.proveAt(ctx, url, policy, tokens, client, stderr)
	})
	if log == nil {
		return err
	}
	out := stdout
	if options.format != "table" {
		out = stderr
	}
	return errors.Join(err, log.Compare(policy.seenRoutes()).Write(out, options.seen))
}

// mint says where good tokens come from.
func (o proveOptions) mint(ctx context.Context, state dev.State, running *dev.Running, policy proofPolicy, client *http.Client, stderr io.Writer) (proofTokens, error) {
	switch {
	case o.ownClients():
		return o.ownTokens(ctx, policy, client, stderr)
	case o.noTokens:
		return proofTokens{}, nil
	case o.service.cfg != nil:
		return o.storedTokens(ctx, client, stderr)
	default:
		return devTokens(ctx, state, *running, o.probe != "", client, stderr)
	}
}

// throughDevEdge reports whether it is the running dev's service that is proved, through its edge.
func (o proveOptions) throughDevEdge(running *dev.Running, args []string) bool {
	return running != nil && o.policy == "" && o.beneath == "" && len(args) == 1 && strings.TrimSuffix(args[0], "/") == running.EdgeURL &&
		!slices.Equal(running.EdgePrefixes, []string{"/"})
}

// findDev finds the running dev where something of it is needed; otherwise it is nil.
func (o proveOptions) findDev(ctx context.Context, state dev.State) (*dev.Running, error) {
	if o.policy != "" && (o.ownClients() || o.noTokens) || o.service.cfg != nil {
		return nil, nil
	}
	running, err := dev.Find(ctx, state)
	switch {
	case err == nil:
		return &running, nil
	case errors.Is(err, dev.ErrNotRunning) && o.policy != "":
		return nil, fmt.Errorf("no tokens: %w; or name an issuer and clients of your own, as in --issuer URL --client reader=READER; or send only what needs no token, with --no-tokens", err)
	case errors.Is(err, dev.ErrNotRunning) && (o.ownClients() || o.noTokens):
		return nil, fmt.Errorf("no policy: write --policy FILE with the service's OpenAPI document; or else: %w", err)
	}
	return nil, err
}

// proveAt proves at one address.
func (o proveOptions) proveAt(ctx context.Context, address string, policy proofPolicy, tokens proofTokens, client *http.Client, stderr io.Writer) (prove.Report, error) {
	target, err := prove.URL(policy.targetOf(address), o.passOptions.client(client))
	if err != nil {
		return prove.Report{}, err
	}
	u, err := url.Parse(address)
	if err != nil {
		return prove.Report{}, err
	}
	line := newProgress(stderr)
	defer line.clear()
	if err := waitFor(ctx, target, o.wait, line); err != nil {
		return prove.Report{}, err
	}
	cfg := prove.Config{
		Policy: policy.Policy, Target: target, Tokens: tokens.tokens, Keys: tokens.keys, Expired: o.expiredToken,
		Values: o.known, Examples: policy.examplesWith(o.known), Made: true,
		Progress: line.step, RefusalsOnly: !o.allowWrites && !callers.IsLoopback(u.Hostname()),
	}
	if cfg.RefusalsOnly && o.probe == "" && policy.changes() {
		fmt.Fprintf(stderr, "note: %s is another machine: to methods that change things only refusals are sent; --allow-writes sends the rest\n", u.Host)
	}
	o.paceOptions.apply(&cfg)
	report, err := prove.Run(ctx, cfg)
	if len(report.Rows) > 0 {
		report.Rows = append(report.Rows, policy.notJudged(o.beneath)...)
	}
	if slices.ContainsFunc(report.Rows, func(row prove.Row) bool { return strings.Contains(row.Note, "certificate signed by unknown authority") }) {
		fmt.Fprintf(stderr, "note: this machine does not know the authority of %s's certificate; --ca FILE names one to trust\n", u.Host)
	}
	if errors.Is(err, context.Canceled) {
		err = errors.New("interrupted; the report has what was known by then")
	}
	return report, err
}

// readSeen reads the log before anything is sent: a name misspelt should not cost a proof.
func (o proveOptions) readSeen(policy proofPolicy, targets []string) (*seen.Log, error) {
	if o.seen == "" {
		return nil, nil
	}
	f, err := os.Open(o.seen)
	if err != nil {
		return nil, fmt.Errorf("--seen: %w", err)
	}
	defer f.Close()
	log, err := seen.Read(f, policy.hosts(targets))
	if err != nil {
		return nil, fmt.Errorf("--seen %s: %w", o.seen, err)
	}
	return log, nil
}

// client trusts the system's certificate authorities, and beside them the one that the target needs.
func (o proveOptions) client(running *dev.Running) (*http.Client, error) {
	file := o.ca
	if file == "" && running != nil {
		file = running.EdgeCA
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("certificate authority: %w", err)
		}
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("certificate authority: %s holds no certificate", file)
		}
	}
	return &http.Client{Transport: &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		TLSClientConfig:     &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		MaxIdleConnsPerHost: o.concurrency,
	}}, nil
}
