package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/cmd/countersign/provision"
)

func newProvision() *cobra.Command {
	var o provisionOptions
	cmd := &cobra.Command{
		Use:   "provision",
		Short: "Make the user pool, its scopes and its clients match countersign.yaml",
		Long: `Makes a Cognito user pool, its domain, resource server, scopes and app clients match countersign.yaml, and writes each
client's credentials where the file says: AWS Secrets Manager, a Kubernetes Secret, or a file of mode 0600. It shows the plan
and asks. Run it again after a failure: it goes on where it stopped. What the file does not have is listed, and removed
only with --prune.

Exit codes: 0 the pool matches, or the plan was shown; 1 refused, or with --plan --exit-code there is something to change;
2 the command could not run, or stopped half-way.`,
		Example: `  countersign provision --plan
  countersign provision --env prod --yes
  countersign provision --local                        # the running dev's issuer
  countersign provision --export cloudformation > pool.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(); err != nil {
				return err
			}
			return o.run(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o.targetFlags.add(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&o.plan, "plan", false, "show what would be done, and do nothing")
	flags.BoolVar(&o.exitCode, "exit-code", false, "with --plan: exit code 1 if there is something to change")
	flags.BoolVar(&o.yes, "yes", false, "go ahead without asking")
	flags.BoolVar(&o.prune, "prune", false, "remove clients, scopes and resource servers that the file does not have")
	flags.StringVar(&o.export, "export", "", "write the same as infrastructure code, and do nothing else: cloudformation or terraform")
	addOutput(cmd, &o.output, textOrJSON...)
	complete(cmd, "export", "cloudformation", "terraform")
	return cmd
}

type provisionOptions struct {
	targetFlags
	plan, exitCode, yes, prune bool
	output, export             string
}

func (o *provisionOptions) check() error {
	var problems []error
	problems = append(problems, checkOutput(o.output, textOrJSON...))
	if o.exitCode && !o.plan {
		problems = append(problems, errors.New("--exit-code goes with --plan"))
	}
	if o.plan && o.yes {
		problems = append(problems, errors.New("--yes does not go with --plan, which does nothing"))
	}
	return errors.Join(problems...)
}

func (o *provisionOptions) run(ctx context.Context, in io.Reader, stdout, stderr io.Writer) error {
	if o.export != "" {
		return o.runExport(stdout)
	}
	t, err := o.open(ctx)
	if err != nil {
		return err
	}
	if !o.plan {
		release, err := lockWork("provision", o.file, o.scope()...)
		if err != nil {
			return err
		}
		defer release()
	}
	if err := t.places.FindContext(ctx, t.want); err != nil {
		return err
	}
	have, err := provision.Read(ctx, t.Target, t.want, t.places)
	if err != nil {
		return err
	}
	plan := provision.NewPlan(t.want, have, t.places, o.prune)
	result := provisionResult{Target: t.String(), Plan: plan}
	switch {
	case len(plan.Blocked) > 0:
		return o.finish(stdout, result, exitError(exitDifference))
	case o.plan && o.exitCode && len(plan.Steps) > 0:
		return o.finish(stdout, result, exitError(exitDifference))
	case o.plan || len(plan.Steps) == 0:
		result.Applied = len(plan.Steps) == 0
		return o.finish(stdout, result, nil)
	}
	shown := stdout
	if o.output == "json" {
		shown = stderr // one object is printed, at the end; whoever is asked sees what it is about all the same
	}
	if o.output == "text" || !o.yes {
		if err := result.write(shown); err != nil {
			return err
		}
	}
	if !o.yes {
		if !confirm(in, stderr, question(plan)) {
			return exitError(exitDifference)
		}
		if have, err = o.lookAgain(ctx, t, plan); err != nil {
			return err
		}
	}
	return o.apply(ctx, t, have, result, stdout, stderr)
}

// lookAgain is for the minutes in which somebody reads the plan: on another machine somebody else may have said yes to the same one, and Cognito
// makes a second app client of a name without a word.
func (o *provisionOptions) lookAgain(ctx context.Context, t target, shown provision.Plan) (provision.Have, error) {
	have, err := provision.Read(ctx, t.Target, t.want, t.places)
	if err == nil && !reflect.DeepEqual(provision.NewPlan(t.want, have, t.places, o.prune), shown) {
		err = errors.New("what there is has changed since the plan was shown: somebody else is at work; run this again, and read the new plan")
	}
	return have, err
}

func question(p provision.Plan) string {
	if n := p.Deletions(); n > 0 {
		return fmt.Sprintf("Do this, and with it delete %s?", count(n, "thing"))
	}
	return "Do this?"
}

func (o *provisionOptions) apply(ctx context.Context, t target, have provision.Have, result provisionResult, stdout, stderr io.Writer) error {
	line := newProgress(stderr)
	err := provision.Apply(ctx, t.Target, t.want, have, t.places, result.Plan, provision.Progress{
		Done: func(s provision.Step) {
			line.clear()
			result.Done = append(result.Done, s)
			if o.output == "text" {
				fmt.Fprintf(stdout, "%s %s %s\n", past[s.Action], s.Kind, stepName(s))
			}
		},
		Waiting: sayOnce(line, stderr),
	})
	line.clear()
	result.Applied = err == nil
	if o.output == "json" {
		if err := o.finish(stdout, result, nil); err != nil {
			return err
		}
	}
	if err != nil {
		return fmt.Errorf("stopped after %d of %s: %w", len(result.Done), count(len(result.Plan.Steps), "step"), err)
	}
	if o.output == "text" {
		fmt.Fprintln(stdout, "\nthe pool matches the file")
	}
	return nil
}

// finish prints the result as it was asked for, and returns end.
func (o *provisionOptions) finish(stdout io.Writer, result provisionResult, end error) error {
	write := result.write
	if o.output == "json" {
		write = result.writeJSON
	}
	if err := write(stdout); err != nil {
		return err
	}
	return end
}

// sayOnce says on a terminal, in a line that is written anew, what is waited for, and elsewhere when it begins.
func sayOnce(line *progress, stderr io.Writer) func(string) {
	said := false
	return func(text string) {
		line.say(text)
		if line.w == nil && !said {
			fmt.Fprintln(stderr, text)
		}
		said = true
	}
}
