package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/cmd/countersign/config"
	"github.com/countersign-dev/countersign/cmd/countersign/deploy"
	"github.com/countersign-dev/countersign/cmd/countersign/image"
	"github.com/countersign-dev/countersign/cmd/countersign/manifests"
)

// deployer is one run of deploy.
type deployer struct {
	*deployOptions
	cfg     *config.Config
	policy  *countersign.Policy
	kubectl deploy.Kubectl
	stored  storedCredentials
	client  *http.Client // of the proof
	ref     string       // the image
	objects []manifests.Object
	diff    string // what a dry run found
	failure *deploy.Failure
	steps   steps
	stderr  io.Writer
}

// anyDigest stands for that of an image that is still to be built.
var anyDigest = "sha256:" + strings.Repeat("0", 64)

// prepare reads and checks everything that does not need the image, so that a mistake in the file costs no build.
func (o *deployOptions) prepare(ctx context.Context, stderr io.Writer) (*deployer, error) {
	cfg, err := o.load()
	if err != nil {
		return nil, err
	}
	d := &deployer{deployOptions: o, cfg: cfg, steps: newSteps(stderr), stderr: stderr}
	if cfg.Image.Repository == "" && o.image == "" {
		return nil, cfg.Problem("image.repository", "is missing: a cluster pulls the image from a registry; write it, as in 123456789012.dkr.ecr.ap-southeast-1.amazonaws.com/orders")
	}
	if d.policy, err = policyOf(cfg); err != nil {
		return nil, err
	}
	if d.client, err = (proveOptions{ca: o.ca}).client(nil); err != nil {
		return nil, err
	}
	if err := o.passOptions.open(); err != nil {
		return nil, err
	}
	if d.kubectl, err = findContext(ctx, cfg, o.context, o.yes); err != nil {
		return nil, err
	}
	d.stored = readStoredCredentials(ctx, cfg, d.kubectl.Context)
	for _, note := range d.stored.notes {
		fmt.Fprintf(stderr, "note: %s\n", note)
	}
	if _, err := d.render(cmp.Or(o.image, cfg.Image.Repository+"@"+anyDigest)); err != nil {
		return nil, err
	}
	d.announce()
	return d, nil
}

// findContext insists on the context of the file. Without one, nobody but the person who is asked can tell that it is the right one.
func findContext(ctx context.Context, cfg *config.Config, flag string, yes bool) (deploy.Kubectl, error) {
	wanted := cfg.Kubernetes.Context
	switch {
	case flag != "" && wanted != "" && flag != wanted:
		return deploy.Kubectl{}, fmt.Errorf("--context %s: kubernetes.context of %s insists on %s; change the file, or leave the flag out", flag, cfg.Path, wanted)
	case wanted == "":
		wanted = flag
	}
	if wanted == "" && yes {
		return deploy.Kubectl{}, fmt.Errorf("--yes asks nobody whether the current context is the right cluster: write kubernetes.context in %s, or --context NAME", cfg.Path)
	}
	name, err := deploy.FindContext(ctx, wanted)
	return deploy.Kubectl{Context: name, Namespace: cfg.Kubernetes.Namespace}, err
}

func (d *deployer) announce() {
	fmt.Fprintf(d.stderr, "service    %s", d.cfg.Service.Name)
	if d.cfg.Environment != "" {
		fmt.Fprintf(d.stderr, ", environment %s", d.cfg.Environment)
	}
	fmt.Fprintf(d.stderr, "\ncontext    %s, namespace %s\n", d.kubectl.Context, d.kubectl.Namespace)
	if d.cfg.Ingress.Host != "" {
		fmt.Fprintf(d.stderr, "host       https://%s, for %s\n", d.cfg.Ingress.Host, strings.Join(d.cfg.Ingress.CIDRs, ", "))
	}
}

// render writes the objects for an image.
func (d *deployer) render(ref string) ([]byte, error) {
	issuer := d.issuer
	if issuer == "" && d.cfg.Pool.ID == "" {
		issuer = d.stored.issuer
	}
	objects, err := manifests.Options{Issuer: issuer, Policy: d.policy}.Render(d.cfg, ref)
	if err != nil {
		return nil, err
	}
	d.objects = objects
	var text bytes.Buffer
	err = manifests.Encode(&text, objects)
	return text.Bytes(), err
}

// all does the steps in their order. The first that fails is the last.
func (d *deployer) all(ctx context.Context) error {
	if d.ref = d.image; d.ref != "" {
		d.steps.skip("image", "--image names one that was pushed already")
	} else if err := d.steps.do("image", func() (string, error) { return d.build(ctx) }); err != nil {
		return err
	}
	manifest, err := d.render(d.ref)
	if err != nil {
		return err
	}
	if d.dryRun {
		return d.tryOut(ctx, manifest)
	}
	if err := d.steps.do("apply", func() (string, error) { return d.apply(ctx, manifest) }); err != nil {
		return err
	}
	if err := d.steps.do("rollout", func() (string, error) { return d.rollout(ctx) }); err != nil {
		return d.explain(ctx, err)
	}
	if err := d.leftovers(ctx); err != nil {
		return err
	}
	return d.proveAll(ctx)
}

// build builds the image and pushes it. A dry run pushes nothing.
func (d *deployer) build(ctx context.Context) (string, error) {
	cfg := imageConfig(d.cfg, image.Config{LDFlags: d.ldflags, Registry: d.registry(), Progress: d.steps.line.say})
	built, err := image.Build(ctx, cfg)
	if err != nil {
		return "", err
	}
	for _, note := range built.Notes {
		d.steps.line.clear()
		fmt.Fprintf(d.stderr, "note: %s\n", note)
	}
	tag := d.tag
	if tag == "" {
		tag = built.Tag()
	}
	d.ref = d.cfg.Image.Repository + ":" + tag + "@" + built.Digest
	if d.dryRun {
		return d.ref + ", built and not pushed", nil
	}
	d.steps.line.say("pushing to " + d.cfg.Image.Repository)
	pushed, err := built.Push(ctx, d.registry(), d.cfg.Image.Repository, tag)
	switch {
	case err != nil:
		return "", err
	case pushed.AlreadyThere:
		return d.ref + ", in the registry already", nil
	case pushed.RepositoryMade:
		return d.ref + ", pushed to a repository that was made", nil
	}
	return d.ref + ", pushed", nil
}

// tryOut asks the API server what it would say to the objects, and what they would change.
func (d *deployer) tryOut(ctx context.Context, manifest []byte) error {
	asked := false
	err := d.steps.do("apply", func() (string, error) {
		applied, err := d.kubectl.Check(ctx, manifest)
		d.warn(applied.Warnings)
		if asked = applied.Asked; err == nil && !asked {
			return fmt.Sprintf("%d objects; the namespace is new, so that the cluster could not be asked about them", bytes.Count(manifest, []byte("\nkind: "))), nil
		}
		return fmt.Sprintf("the cluster would take %d objects", len(applied.Objects)), err
	})
	if err != nil || !asked {
		return err
	}
	if err := d.leftovers(ctx); err != nil {
		return err
	}
	err = d.steps.do("diff", func() (string, error) {
		if d.diff, err = d.kubectl.Diff(ctx, manifest); err != nil || d.diff == "" {
			return "nothing would change", err
		}
		return "what would change, as kubectl diff has it:", nil
	})
	if d.diff != "" {
		fmt.Fprintln(d.steps.out, hanging(strings.TrimSuffix(strings.ReplaceAll(d.diff, "\t", " "), "\n"), ""))
	}
	return err
}

func (d *deployer) apply(ctx context.Context, manifest []byte) (string, error) {
	if r := d.cfg.Kubernetes.Replicas; r.Min < r.Max {
		if err := d.kubectl.HandOver(ctx, d.cfg.Service.Name); err != nil {
			return "", err
		}
	}
	applied, err := d.kubectl.Apply(ctx, manifest, d.force)
	d.warn(applied.Warnings)
	return fmt.Sprintf("%d objects", len(applied.Objects)), err
}

func (d *deployer) warn(warnings []string) {
	d.steps.line.clear()
	for _, text := range warnings {
		fmt.Fprintf(d.stderr, "note: the cluster warns: %s\n", text)
	}
}

func (d *deployer) rollout(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	return d.kubectl.Rollout(ctx, d.cfg.Service.Name, deploy.Watch{Patience: d.patience, Progress: d.steps.line.say})
}

// explain says why a rollout failed. An interruption is no failure: the cluster goes on.
func (d *deployer) explain(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted; the cluster goes on with the rollout. Look at it with: " + d.command("rollout status deployment/"+d.cfg.Service.Name))
	case !errors.Is(err, deploy.ErrRollout):
		return err
	}
	failure := d.kubectl.Explain(ctx, d.cfg.Service.Name, err)
	d.failure = &failure
	d.steps.line.clear()
	writeFailure(d.stderr, failure, d.command("rollout undo deployment/"+d.cfg.Service.Name))
	return exitError(exitDifference)
}

// command is what a person types.
func (d *deployer) command(text string) string {
	return "kubectl --context " + d.kubectl.Context + " --namespace " + d.kubectl.Namespace + " " + text
}

func (d *deployer) result() deployResult {
	return deployResult{
		Service: d.cfg.Service.Name, Environment: d.cfg.Environment, Context: d.kubectl.Context, Namespace: d.kubectl.Namespace,
		Image: d.ref, DryRun: d.dryRun, Diff: d.diff, Steps: d.steps.all, Failure: d.failure,
	}
}
