package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/clientcredentials"
	"github.com/countersign-dev/countersign/cmd/countersign/aws"
	"github.com/countersign-dev/countersign/cmd/countersign/callers"
	"github.com/countersign-dev/countersign/cmd/countersign/config"
	"github.com/countersign-dev/countersign/cmd/countersign/dev"
	"github.com/countersign-dev/countersign/cmd/countersign/provision"
	"github.com/countersign-dev/countersign/prove"
)

// storedCredentials are those that provision wrote for the clients of the file.
type storedCredentials struct {
	issuer  string
	callers []callers.Caller
	notes   []string
}

// readStoredCredentials reads what it can. Without any, the proof sends only what needs no token, and says so.
func readStoredCredentials(ctx context.Context, cfg *config.Config, kubeContext string) storedCredentials {
	var found storedCredentials
	want, err := provision.NewWant(cfg, cfg.Pool.Region, false)
	if err != nil {
		return storedCredentials{notes: []string{"the clients' credentials are not read: " + err.Error()}}
	}
	places := provision.NewPlaces(cfg, false, nil, cfg.Pool.Region)
	places.Kubectl.Context = kubeContext
	for _, client := range want.Clients {
		if client.Secret.SecretsManager != "" && places.Secrets == nil {
			loaded, err := aws.Load(ctx, aws.Options{Region: cfg.Pool.Region})
			if err != nil {
				found.notes = append(found.notes, "the credentials in Secrets Manager are not read: "+err.Error())
				return found
			}
			places.Secrets = secretsmanager.NewFromConfig(loaded)
		}
		place, _ := places.Of(client)
		stored, err := place.Read(ctx)
		if err != nil {
			found.notes = append(found.notes, fmt.Sprintf("the credentials of client %s are not read: %v", client.Name, err))
			continue
		}
		if !stored.Found || stored.Credential.ClientID == "" {
			continue
		}
		found.issuer = stored.Credential.Issuer
		found.callers = append(found.callers, callers.Caller{
			Name: client.Name, Scopes: client.Scopes,
			Credentials: clientcredentials.Static(stored.Credential.ClientID, stored.Credential.ClientSecret.Reveal()),
		})
	}
	return found
}

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
	if store := d.cfg.Ingress.TrustStore; store != "" && store != "none" {
		d.steps.skip("prove", "https://"+d.cfg.Ingress.Host+" asks its callers for a certificate, and there is none here")
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
	issuer, err := callers.NewIssuer(d.stored.issuer, d.client)
	if err != nil {
		return proofTokens{}, err
	}
	minted, err := issuer.Tokens(ctx, d.stored.callers)
	if err != nil {
		return proofTokens{}, err
	}
	return proofTokens{onceEach{Tokens: minted, have: map[string]string{}}, fetchKeys(ctx, d.stored.issuer, d.client, d.stderr)}, nil
}

// proveAt proves the routes beneath the paths at one address. The service is a real one, wherever the tunnel to it begins: what changes
// things there is sent only if --allow-writes says so.
func (d *deployer) proveAt(ctx context.Context, address string, paths []string, tokens proofTokens) (string, error) {
	target, err := prove.URL(address, d.client)
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
