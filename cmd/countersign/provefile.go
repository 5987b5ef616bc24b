package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/config"
)

// serviceFile is countersign.yaml as prove takes it: with --file or --env it says what no other flag does.
type serviceFile struct {
	configFlags
	cfg *config.Config // nil where no flag names the file
}

// takeFile reads the file, and takes from it the address, the policy and the paths that the Ingress lets through. It returns the addresses to prove.
func (o *proveOptions) takeFile(args []string, stderr io.Writer) ([]string, error) {
	if !o.service.named() {
		return args, nil
	}
	cfg, err := o.service.load()
	if err != nil {
		return nil, err
	}
	o.service.cfg = cfg
	if len(args) == 0 && o.through == "" {
		if cfg.Ingress.Host == "" {
			return nil, cfg.Problem("ingress.host", "is missing, so that the file names no address to prove; write it, or name one: %s", o.service.typed("prove")+" http://localhost:8080")
		}
		args = []string{"https://" + cfg.Ingress.Host}
	}
	if o.policy == "" {
		o.policy = cfg.Resolve(cfg.Service.Policy)
		if _, err := os.Stat(o.policy); errors.Is(err, fs.ErrNotExist) {
			return nil, cfg.Problem("service.policy", "%s is not there; countersigntest.Golden writes it from the routes, and --policy names another", o.policy)
		}
	}
	return args, o.takeIngress(cfg.Ingress, args, stderr)
}

// takeIngress is for the public host alone: past it, as through a tunnel, all routes can be reached.
func (o *proveOptions) takeIngress(in config.Ingress, args []string, stderr io.Writer) error {
	if in.Host == "" || !slices.ContainsFunc(o.targets(args), func(address string) bool { return hostOf(address) == in.Host }) {
		return nil
	}
	if in.TrustStore != "" && in.TrustStore != "none" && o.cert == "" {
		return fmt.Errorf("https://%s asks its callers for a certificate (ingress.trustStore); name one of yours with --cert FILE and --key FILE", in.Host)
	}
	if o.beneath == "" && !slices.Contains(in.Paths, "/") {
		o.edge = in.Paths
		fmt.Fprintf(stderr, "note: the Ingress lets nothing through but %s; the other routes are left out\n", strings.Join(in.Paths, ", "))
	}
	return nil
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// storedTokens are those of the clients of the file whose credentials provision stored. That some have none makes fewer rows, which the proof says.
func (o proveOptions) storedTokens(ctx context.Context, client *http.Client, stderr io.Writer) (proofTokens, error) {
	found := readStoredCredentials(ctx, o.service.cfg, o.service.cfg.Kubernetes.Context)
	if len(found.callers) == 0 {
		return proofTokens{}, fmt.Errorf("no tokens: %w\n--client names other credentials, --no-tokens sends only what needs none", found.none(o.service.configFlags))
	}
	for _, note := range found.notes {
		fmt.Fprintf(stderr, "note: %s\n", note)
	}
	for _, client := range found.missing {
		fmt.Fprintf(stderr, "note: nothing is stored for %s\n", client)
	}
	return found.tokens(ctx, client, stderr)
}
