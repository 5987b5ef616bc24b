package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/countersign-dev/countersign/cmd/countersign/escape"
)

// destroyParts are what --keep may name.
var destroyParts = []string{"kubernetes", "images", "secrets", "pool"}

func newDestroy() *cobra.Command {
	var o destroyOptions
	cmd := &cobra.Command{
		Use:   "destroy",
		Short: "Remove the service and what was made for it, in the order that leaks nothing",
		Long: `Lists what there is of the service, asks for its name, and removes: the Ingress, and waits until its load balancer is gone; the namespace, or
in one that others share the service's objects alone; the image repository, if it is in Amazon ECR; the clients' secrets in Secrets Manager,
which can be restored for --recovery-days and which stay as long as the user pool does; the domain of the pool, and the pool. With --cluster, eksctl removes the cluster last.

What was not made for this service is left, and so is what asks for a word of its own: a pool with deletion protection (--delete-pool) and
a repository that has images (--delete-images). What was left is listed with the reason. After a failure or an interruption run it again: it
begins by looking what is left.

--output json prints one object: service, environment, context, namespace, account, dryRun, steps with name, state (done, skipped, failed), detail and
seconds, and left with what and why.

Exit codes: 0 removed; 1 refused, or something was left that --keep does not name; 2 the command could not run, or stopped half-way.`,
		Example: `  countersign destroy --dry-run
  countersign destroy --env staging
  countersign destroy --env staging --yes --delete-images --delete-pool
  countersign destroy --keep pool,secrets
  countersign destroy --keep kubernetes --cluster --delete-images --delete-pool`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(); err != nil {
				return err
			}
			return o.run(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o.configFlags.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.context, "context", "", "kubectl context (default: kubernetes.context, or the current one)")
	flags.StringVar(&o.endpoint, "endpoint-url", "", "address of the ECR API (default: AWS's, or AWS_ENDPOINT_URL_ECR)")
	flags.StringSliceVar(&o.keep, "keep", nil, "parts that are not touched: "+strings.Join(destroyParts, ", "))
	flags.BoolVar(&o.dryRun, "dry-run", false, "list what would be removed, and remove nothing")
	flags.BoolVar(&o.yes, "yes", false, "go ahead without asking")
	flags.BoolVar(&o.deletePool, "delete-pool", false, "remove the user pool even if its deletion protection is on: every client's credentials end with it")
	flags.BoolVar(&o.deleteImages, "delete-images", false, "remove the image repository even if it has images")
	flags.BoolVar(&o.cluster, "cluster", false, "remove the whole cluster too, with eksctl")
	flags.Int64Var(&o.recoveryDays, "recovery-days", 30, "how long a secret can be restored, 7 to 30 days")
	flags.DurationVar(&o.timeout, "timeout", 10*time.Minute, "longest wait for the load balancer, and for the namespace")
	complete(cmd, "keep", destroyParts...)
	addOutput(cmd, &o.output, textOrJSON...)
	return cmd
}

type destroyOptions struct {
	configFlags
	context, endpoint, output                      string
	keep                                           []string
	dryRun, yes, deletePool, deleteImages, cluster bool
	recoveryDays                                   int64
	timeout                                        time.Duration
}

func (o *destroyOptions) check() error {
	var problems []error
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	problems = append(problems, checkOutput(o.output, textOrJSON...))
	for _, part := range o.keep {
		problems = append(problems, checkChoice("keep", part, destroyParts...))
	}
	if o.recoveryDays < 7 || o.recoveryDays > 30 { // AWS Secrets Manager, DeleteSecret: 7 to 30
		problem("--recovery-days %d: write 7 to 30", o.recoveryDays)
	}
	if o.timeout < time.Second {
		problem("--timeout %s: write a second or more, as in 10m", o.timeout)
	}
	if o.dryRun && o.yes {
		problem("--dry-run and --yes: a dry run removes nothing; choose one")
	}
	return errors.Join(problems...)
}

func (o *destroyOptions) run(ctx context.Context, in io.Reader, stdout, stderr io.Writer) error {
	d, err := o.prepare(ctx, stderr)
	if err != nil {
		return err
	}
	d.steps.out = stdout
	if o.output == "json" {
		d.steps.out = io.Discard
	}
	d.list(stderr)
	switch {
	case len(d.items) == 0:
	case o.dryRun:
		for _, item := range d.items {
			d.steps.skip(item.step, "would remove "+item.what)
		}
	case !o.yes && !confirmName(in, stderr, d.cfg.Service.Name):
		return exitError(exitDifference)
	default:
		err = d.remove(ctx)
	}
	return d.finish(stdout, stderr, err)
}

// finish says what was left, and why.
func (d *destroyer) finish(stdout, stderr io.Writer, err error) error {
	d.steps.line.clear()
	if d.output == "json" {
		if err := encodeIndented(stdout, d.result()); err != nil {
			return err
		}
	} else {
		for _, l := range d.left {
			fmt.Fprintf(stdout, "left       %s: %s\n", escape.Visible(l.What), hanging(l.Why, "             "))
		}
		if len(d.items) == 0 && len(d.left) == 0 {
			fmt.Fprintln(stdout, "nothing of the service is left")
		}
	}
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted; run it again: it goes on with what is left")
	case err != nil:
		return fmt.Errorf("%w\nstopped here: run it again when that is fixed, and it goes on with what is left", err)
	case !d.dryRun && slices.ContainsFunc(d.left, func(l leftover) bool { return !l.asked }):
		return exitError(exitDifference)
	}
	return nil
}

// confirmName asks for the service's name: a yes is typed too easily for what cannot be undone.
func confirmName(in io.Reader, stderr io.Writer, name string) bool {
	if file, ok := in.(*os.File); !ok || !term.IsTerminal(int(file.Fd())) {
		fmt.Fprintln(stderr, "countersign: nothing was removed: standard input is no terminal to ask at; --yes goes ahead without asking")
		return false
	}
	fmt.Fprintf(stderr, "This cannot be undone. Type the service's name, %s, to remove it: ", name)
	line, err := bufio.NewReader(io.LimitReader(in, 1024)).ReadString('\n')
	if err != nil {
		fmt.Fprintln(stderr)
	}
	if strings.TrimSpace(line) == name {
		return true
	}
	fmt.Fprintln(stderr, "nothing was removed")
	return false
}
