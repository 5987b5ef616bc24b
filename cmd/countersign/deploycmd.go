package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/cmd/countersign/image"
)

func newDeploy() *cobra.Command {
	var o deployOptions
	cmd := &cobra.Command{
		Use:   "deploy",
		Short: "Build, push, apply and prove the service in its cluster",
		Long: `Builds the service's image and pushes it, applies its Kubernetes objects with your kubectl, watches the rollout, and proves every route of
the policy: at the service itself through kubectl port-forward, and at its public host where it has one.

The context is that of kubernetes.context, or of --context, or else kubectl's current one; it is shown, and asked about. With --yes nobody
is asked, and then one of the two must name it. With --dry-run nothing is pushed or changed: the image is built, and the API
server is asked what it would say, and what would change.

What the file does not have any more, as an Ingress, is named, and removed only with --prune.

When the rollout fails, the pods, events and last log lines that say why are printed, and what still serves requests.

--output json prints one object: service, environment, context, namespace, image, dryRun, diff, steps with name, state (done, skipped, failed),
detail and seconds, and failure with reason, pods, events, running and advice.

Exit codes: 0 deployed and proved; 1 refused, or the rollout failed, or the proof found a difference; 2 the command could not run.`,
		Example: `  countersign deploy
  countersign deploy --env prod --yes --timeout 10m
  countersign deploy --dry-run
  countersign deploy --image 123456789012.dkr.ecr.ap-southeast-1.amazonaws.com/orders@sha256:…     # what was pushed already`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(); err != nil {
				return err
			}
			return o.run(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o.configFlags.add(cmd)
	o.imageFlags.add(cmd)
	o.credentialOptions.add(cmd)
	o.passOptions.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.image, "image", "", "image by digest that was pushed already: build none")
	flags.StringVar(&o.context, "context", "", "kubectl context (default: kubernetes.context, or the current one)")
	flags.BoolVar(&o.dryRun, "dry-run", false, "change nothing, and say what would be done")
	flags.BoolVar(&o.yes, "yes", false, "go ahead without asking")
	flags.BoolVar(&o.prune, "prune", false, "remove the Ingress, autoscaler and disruption budget of the service that the file does not have any more")
	flags.BoolVar(&o.force, "force-conflicts", false, "take over fields of the objects that another tool set")
	flags.BoolVar(&o.allowWrites, "allow-writes", false, "let the proof send what must be admitted to POST, PUT, PATCH and DELETE too: it changes things there")
	flags.StringVar(&o.ca, "ca", "", "PEM file of certificate authorities to trust beside the system's, where the public host has a certificate of the company's own")
	flags.StringVar(&o.prove, "prove", "all", "what is proved: all, service (past the load balancer) or none")
	flags.DurationVar(&o.timeout, "timeout", 5*time.Minute, "longest wait for the rollout, and for the load balancer")
	flags.DurationVar(&o.patience, "patience", 20*time.Second, "how long a new pod may fail to start, as when its image cannot be pulled, before the rollout is given up")
	complete(cmd, "prove", "all", "service", "none")
	addOutput(cmd, &o.output, textOrJSON...)
	return cmd
}

type deployOptions struct {
	configFlags
	imageFlags
	credentialOptions
	passOptions
	image, context, prove, output   string
	ca                              string
	dryRun, yes, force, allowWrites bool
	prune                           bool
	timeout, patience               time.Duration
}

// check finds what is wrong with the flags, all of it, before anything is done.
func (o *deployOptions) check() error {
	var problems []error
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	problems = append(problems, checkOutput(o.output, textOrJSON...))
	problems = append(problems, checkChoice("prove", o.prove, "all", "service", "none"))
	if o.timeout < time.Second {
		problem("--timeout %s: write a second or more, as in 5m", o.timeout)
	}
	if o.patience < 0 {
		problem("--patience %s: write 0s or more, as in 20s", o.patience)
	}
	if o.dryRun && o.yes {
		problem("--dry-run and --yes: a dry run asks nothing; choose one")
	}
	if o.image != "" && o.tag != "" {
		problem("--image and --tag: an image that was pushed already has its tag; choose one")
	}
	if o.tag != "" {
		if err := image.CheckTag(o.tag); err != nil {
			problem("%w", err)
		}
	}
	problems = append(problems, o.passOptions.check())
	if len(o.clients) > 0 || o.credentialOptions.file != "" || o.noTokens {
		problems = append(problems, o.credentialOptions.check())
	}
	return errors.Join(problems...)
}

func (o *deployOptions) run(ctx context.Context, in io.Reader, stdout, stderr io.Writer) error {
	d, err := o.prepare(ctx, stderr)
	if err != nil {
		return err
	}
	if !o.dryRun && !o.yes && !confirm(in, stderr, fmt.Sprintf("Deploy %s to namespace %s of context %s?", d.cfg.Service.Name, d.kubectl.Namespace, d.kubectl.Context)) {
		return exitError(exitDifference)
	}
	d.steps.out = stdout
	if o.output == "json" {
		d.steps.out = io.Discard
	}
	err = d.all(ctx)
	d.steps.line.clear()
	if o.output == "json" {
		if err := d.result().writeJSON(stdout); err != nil {
			return err
		}
	}
	return err
}
