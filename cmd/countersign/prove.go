package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/cmd/countersign/dev"
	"github.com/countersign-dev/countersign/prove"
)

func newProve() *cobra.Command {
	var options proveOptions
	cmd := &cobra.Command{
		Use:   "prove [URL]",
		Short: "Prove every route of a service: no token 401, wrong scope 403, right scope admitted",
		Long: `Sends every case of the policy to the service at URL and compares the answers: no token, each wrong scope, the
right scope, and the bad tokens. The policy and the tokens are the running dev's.

With --through and --direct the same cases go through the edge and past it, and what only the edge protects is a difference.
With --report the result is also written for other programs, and for people who were not there.

Exit codes: 0 proved, 1 a difference, 2 could not run.`,
		Example: `  countersign prove http://localhost:8080
  countersign prove https://localhost:8443 --beneath /api/demo
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
	options.state.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&options.policy, "policy", "", "policy file, as countersigntest.Golden writes it (default: the running dev's)")
	flags.StringVar(&options.beneath, "beneath", "", "prove only the routes at or beneath this path, as behind an edge that lets no other through")
	flags.StringVar(&options.ca, "ca", "", "PEM file of the certificate authorities to trust (default: the running dev's and the system's)")
	options.reportOptions.add(cmd)
	return cmd
}

type proveOptions struct {
	state               stateFlag
	policy, beneath, ca string
	reportOptions
}

func runProve(ctx context.Context, urls []string, state dev.State, options proveOptions, stdout, stderr io.Writer) error {
	running, err := dev.Find(ctx, state)
	if err != nil {
		return err
	}
	policy, err := options.readPolicy(running)
	if err != nil {
		return err
	}
	client, err := options.client(running)
	if err != nil {
		return err
	}
	admin, err := dev.OpenAdmin(state, running)
	if err != nil {
		return err
	}
	minted, err := admin.Tokens(ctx)
	if err != nil {
		return err
	}
	tokens := onceEach{Tokens: minted, have: map[string]string{}}
	return options.run(ctx, urls, options.policy, stdout, stderr, func(url string) (prove.Report, error) {
		target, err := prove.URL(url, client)
		if err != nil {
			return prove.Report{}, err
		}
		return prove.Run(ctx, prove.Config{Policy: policy, Target: target, Tokens: tokens})
	})
}

func (o proveOptions) readPolicy(running dev.Running) (countersign.Policy, error) {
	document := []byte(running.Policy)
	if o.policy != "" {
		var err error
		if document, err = os.ReadFile(o.policy); err != nil {
			return countersign.Policy{}, fmt.Errorf("--policy: %w", err)
		}
	}
	policy, err := countersign.ParsePolicy(document)
	if err != nil {
		return countersign.Policy{}, fmt.Errorf("policy %s: %w", o.policy, err)
	}
	if o.beneath == "" {
		return policy, nil
	}
	policy = dev.Beneath(policy, o.beneath)
	if len(policy.Routes) == 0 {
		return countersign.Policy{}, fmt.Errorf("--beneath %s: the policy has no route there", o.beneath)
	}
	return policy, nil
}

// client trusts the system's certificate authorities, and beside them the one that the target needs.
func (o proveOptions) client(running dev.Running) (*http.Client, error) {
	file := running.EdgeCA
	if o.ca != "" {
		file = o.ca
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("certificate authority: %w", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("certificate authority: %s holds no certificate", file)
	}
	return &http.Client{Transport: &http.Transport{
		Proxy:           http.ProxyFromEnvironment,
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
	}}, nil
}

// proveSystem proves a system that has just started, past its edge and through it, and reports whether all is proved.
func proveSystem(ctx context.Context, system *dev.System, stdout io.Writer) (bool, error) {
	table := tableFor(stdout, false)
	report, err := system.Prove(ctx)
	if err != nil {
		return false, err
	}
	if err := table.Write(stdout, report); err != nil {
		return false, err
	}
	edge, err := system.ProveEdge(ctx)
	if err != nil {
		return false, err
	}
	// Through the edge the same is expected: one line, unless there is more to say.
	if edge.OK() {
		_, err = fmt.Fprintf(stdout, "%s: proved (%s)\n", edge.Target, edge.Summary())
	} else {
		err = table.Write(stdout, edge)
	}
	return report.OK() && edge.OK(), err
}
