package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/cmd/countersign/dev"
	"github.com/countersign-dev/countersign/prove"
)

// proveAll proves the service itself, then its public host: a difference between the two is the load balancer's.
func (d *deployer) proveAll(ctx context.Context) error {
	if d.prove == "none" {
		d.steps.skip("prove", "--prove none")
		return nil
	}
	if d.policy == nil {
		d.steps.skip("prove", "there is no policy at "+d.cfg.Service.Policy+"; countersigntest.Golden writes it from the routes")
		return nil
	}
	tokens, err := d.tokens(ctx)
	if err != nil {
		return fmt.Errorf("tokens for the proof: %w", err)
	}
	inside := d.steps.do("prove", func() (detail string, err error) {
		err = d.kubectl.Forward(ctx, d.cfg.Service.Name, func(address string) error {
			detail, err = d.proveAt(ctx, "http://"+address, nil, tokens)
			return err
		})
		return "the service, through port-forward: " + detail, err
	})
	if d.cfg.Ingress.Host == "" || d.prove == "service" || inside != nil && !errors.Is(inside, errDifferent) {
		return asDifference(inside)
	}
	if store := d.cfg.Ingress.TrustStore; store != "" && store != "none" && d.cert == "" {
		d.steps.skip("prove", "https://"+d.cfg.Ingress.Host+" asks its callers for a certificate; name one of yours with --cert and --key")
		return asDifference(inside)
	}
	if err := d.steps.do("host", func() (string, error) { return d.waitForHost(ctx) }); err != nil {
		return err
	}
	outside := d.steps.do("prove", func() (string, error) {
		detail, err := d.proveAt(ctx, "https://"+d.cfg.Ingress.Host, d.cfg.Ingress.Paths, tokens)
		return "https://" + d.cfg.Ingress.Host + ": " + detail, err
	})
	return asDifference(errors.Join(inside, outside))
}

// errDifferent is that a proof found a difference, which is printed by then.
var errDifferent = errors.New("the proof found a difference")

func asDifference(err error) error {
	if errors.Is(err, errDifferent) {
		return exitError(exitDifference)
	}
	return err
}

// tokens are those of the flags' clients, or of the clients whose credentials provision stored.
func (d *deployer) tokens(ctx context.Context) (proofTokens, error) {
	switch {
	case d.noTokens:
		return proofTokens{}, nil
	case len(d.clients) > 0 || d.credentialOptions.file != "":
		return d.ownTokens(ctx, proofPolicy{Policy: *d.policy}, d.client, d.stderr)
	case len(d.stored.callers) == 0:
		fmt.Fprintln(d.stderr, "note: no client's credentials are stored; the proof sends only what needs no token. countersign provision stores them, --client names others")
		return proofTokens{}, nil
	}
	return d.stored.tokens(ctx, d.client, d.stderr)
}

// proveAt proves the routes beneath the paths at one address. The service is a real one, wherever the tunnel to it begins: what changes
// things there is sent only if --allow-writes says so.
func (d *deployer) proveAt(ctx context.Context, address string, paths []string, tokens proofTokens) (string, error) {
	target, err := prove.URL(address, d.passOptions.client(d.client))
	if err != nil {
		return "", err
	}
	policy := *d.policy
	if len(paths) > 0 {
		policy = beneathAny(policy, paths)
	}
	report, err := prove.Run(ctx, prove.Config{
		Policy: policy, Target: target, Tokens: tokens.tokens, Keys: tokens.keys, Made: true, Progress: d.steps.line.step, RefusalsOnly: !d.allowWrites,
	})
	d.steps.line.clear()
	if err != nil {
		return "", err
	}
	if !report.OK() {
		if err := tableFor(d.stderr, false).Write(d.stderr, report); err != nil {
			return "", err
		}
		if report.ExitCode() == exitCannotRun {
			return "", fmt.Errorf("%s: the proof could not be run (%s)", address, report.Summary())
		}
		return "", fmt.Errorf("%s: %w (%s)", address, errDifferent, report.Summary())
	}
	return report.Summary(), nil
}

// beneathAny keeps the routes at or beneath one of the paths.
func beneathAny(policy countersign.Policy, paths []string) countersign.Policy {
	kept := policy
	kept.Routes = nil
	for _, path := range paths {
		for _, route := range dev.Beneath(policy, path).Routes {
			if !slices.ContainsFunc(kept.Routes, func(other countersign.Route) bool { return other.Pattern == route.Pattern }) {
				kept.Routes = append(kept.Routes, route)
			}
		}
	}
	return kept
}
