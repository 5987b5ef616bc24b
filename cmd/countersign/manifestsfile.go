package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/cmd/countersign/config"
	"github.com/countersign-dev/countersign/cmd/countersign/manifests"
	"github.com/countersign-dev/countersign/cmd/countersign/provision"
)

const manifestsLong = `Manifests writes the Kubernetes objects of the service that countersign.yaml describes: Namespace, ServiceAccount, NetworkPolicies,
the credentials' mount, Service, Ingress, PodDisruptionBudget, Deployment and HorizontalPodAutoscaler, in the order in which they are applied.

It asks nobody: no cluster, no cloud. The same file and image give the same bytes, so the output can be committed and compared.
With --dir each object is a file of its own, beside a kustomization.yaml that lists them; a later run replaces what an earlier one wrote.

With --output json the objects are one v1 List, as kubectl get has it; with --dir, {"dir", "written": [...], "removed": [...]}.

Exit codes: 0 done, 2 the file or a flag has a mistake, or nothing could be written.`

// manifestOptions are the flags of manifests beside those of the file.
type manifestOptions struct {
	configFlags
	image, issuer, dir, output string
	allowTag                   bool
}

func newManifests() *cobra.Command {
	var o manifestOptions
	cmd := &cobra.Command{
		Use:   "manifests",
		Short: "Write the Kubernetes objects of the service",
		Long:  manifestsLong,
		Example: `  countersign manifests --image 123456789012.dkr.ecr.ap-southeast-1.amazonaws.com/orders@sha256:… | kubectl diff --server-side -f -
  countersign manifests --env prod --image "$IMAGE" --dir deploy/base`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), cmd.OutOrStdout()) },
	}
	o.configFlags.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.image, "image", "", "the service's image by digest, repository@sha256:…, as countersign image prints it")
	flags.StringVar(&o.issuer, "issuer", "", "issuer of the tokens (default: that of the pool pool.id, or of credentials that provision wrote to a file)")
	flags.StringVar(&o.dir, "dir", "", "directory to write files and a kustomization.yaml to, instead of the standard output")
	addOutput(cmd, &o.output, "yaml", "json")
	flags.BoolVar(&o.allowTag, "allow-tag", false, "accept an image that is named by a tag alone, which can be moved")
	cmd.MarkFlagDirname("dir") // it fails for a flag that is not there only
	return cmd
}

func (o *manifestOptions) run(ctx context.Context, stdout io.Writer) error {
	if err := checkOutput(o.output, "yaml", "json"); err != nil {
		return err
	}
	cfg, err := o.load()
	if err != nil {
		return err
	}
	policy, err := policyOf(cfg)
	if err != nil {
		return err
	}
	issuer := o.issuer
	if issuer == "" && cfg.Pool.ID == "" {
		if issuer, err = issuerOnDisk(ctx, cfg); err != nil {
			return err
		}
	}
	objects, err := manifests.Options{Issuer: issuer, AllowTag: o.allowTag, Policy: policy}.Render(cfg, o.image)
	if err != nil {
		return err
	}
	switch {
	case o.dir != "":
		return o.writeDir(stdout, objects)
	case o.output == "json":
		return manifests.EncodeJSON(stdout, objects)
	}
	return manifests.Encode(stdout, objects)
}

// writeDir writes files, and says which.
func (o *manifestOptions) writeDir(stdout io.Writer, objects []manifests.Object) error {
	written, removed, err := manifests.WriteDir(o.dir, objects)
	if err != nil {
		return err
	}
	if o.output == "json" {
		return json.NewEncoder(stdout).Encode(struct {
			Dir     string   `json:"dir"`
			Written []string `json:"written"`
			Removed []string `json:"removed"`
		}{o.dir, written, append([]string{}, removed...)})
	}
	for _, name := range written {
		fmt.Fprintln(stdout, "wrote  ", filepath.Join(o.dir, name))
	}
	for _, name := range removed {
		fmt.Fprintln(stdout, "removed", filepath.Join(o.dir, name))
	}
	return nil
}

// policyOf reads the policy that the file names, so that it can be held to what the pods are asked. It is nil where there is no
// such file yet, and for a document that Countersign did not write: that one may well be silent about probes.
func policyOf(cfg *config.Config) (*countersign.Policy, error) {
	path := cfg.Resolve(cfg.Service.Policy)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	p, err := proveOptions{policy: path}.openPolicy([]string{cfg.Resource.Identifier})
	if err != nil {
		return nil, cfg.Problem("service.policy", "%s", strings.TrimPrefix(err.Error(), "--policy: "))
	}
	if p.document != nil {
		return nil, nil
	}
	return &p.Policy, nil
}

// issuerOnDisk is the issuer that provision wrote beside the credentials of those clients that are kept in files. It asks no
// cloud: without such a client it is "".
func issuerOnDisk(ctx context.Context, cfg *config.Config) (string, error) {
	want, err := provision.NewWant(cfg, cfg.Pool.Region, false)
	if err != nil {
		return "", err
	}
	places, issuer := provision.NewPlaces(cfg, false, nil, cfg.Pool.Region), ""
	for _, client := range want.Clients {
		if client.Secret.SecretsManager != "" || client.Secret.Kubernetes != "" {
			continue
		}
		place, _ := places.Of(client)
		stored, err := place.Read(ctx)
		if err != nil {
			return "", fmt.Errorf("%s: %w", place, err)
		}
		switch found := stored.Credential.Issuer; {
		case found == "" || found == issuer:
		case issuer == "":
			issuer = found
		default:
			return "", fmt.Errorf("%s is of the issuer %s, and another client's credentials are of %s; write pool.id, or pass --issuer", place, found, issuer)
		}
	}
	return issuer, nil
}
