package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/cmd/countersign/review"
)

func newDiff() *cobra.Command {
	var options diffOptions
	cmd := &cobra.Command{
		Use:   "diff BASE HEAD",
		Short: "Say who may call what that could not before",
		Long: `Compares two versions of a policy file, as countersigntest.Golden writes it, and says in words which routes are reachable for
more callers, or fewer.

BASE and HEAD are two files. With --file they are two git revisions, and the file is read from each of them; without HEAD
it is read from the directory as it is. The user's own git is called, and only reads.

Exit codes: 0 done, 1 the difference is one that --fail-on names, 2 could not run.`,
		Example: `  countersign diff --file testdata/authorization.json main
  countersign diff --file testdata/authorization.json --merge-base origin/main HEAD --fail-on widened
  countersign diff --file testdata/authorization.json --format markdown HEAD^1 HEAD > comment.md
  countersign diff old.json new.json`,
		Args: options.checkArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDiff(cmd.Context(), args, options, cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&options.file, "file", "", "path of the policy file in the two git revisions, relative to this directory")
	addFormat(cmd, &options.format, review.Formats...)
	flags.StringVar(&options.failOn, "fail-on", "none", "end with exit code 1 on: widened (somebody may call what they could not), any, none")
	complete(cmd, "fail-on", "none", "widened", "any")
	flags.BoolVar(&options.mergeBase, "merge-base", false, "compare HEAD with the commit at which it left BASE, as a pull request does")
	flags.BoolVar(&options.allowMissing, "allow-missing", false, "take a side without the file for a policy without routes: the first commit that has it")
	return cmd
}

type diffOptions struct {
	file, format, failOn    string
	mergeBase, allowMissing bool
}

func (o *diffOptions) checkArgs(_ *cobra.Command, args []string) error {
	var problems []error
	switch {
	case len(args) == 1 && o.file != "":
	case len(args) != 2:
		problems = append(problems, fmt.Errorf("diff takes two policy files, or two git revisions and --file, as in: "+
			"countersign diff --file testdata/authorization.json main HEAD (%d given)", len(args)))
	}
	if o.mergeBase && (o.file == "" || len(args) == 1) {
		problems = append(problems, errors.New("--merge-base is about two git revisions; name them, and the policy file with --file"))
	}
	problems = append(problems, checkChoice("format", o.format, review.Formats...), checkChoice("fail-on", o.failOn, "none", "widened", "any"))
	return errors.Join(problems...)
}

func runDiff(ctx context.Context, args []string, options diffOptions, stdout io.Writer) error {
	base, head, err := options.sides(ctx, args)
	if err != nil {
		return err
	}
	if err := options.checkMissing(base, head); err != nil {
		return err
	}
	report := review.Compare(base, head)
	if err := report.Write(stdout, options.format, version()); err != nil {
		return err
	}
	if options.failOn == "any" && len(report.Changes) > 0 || options.failOn == "widened" && report.Widened() {
		return exitError(exitDifference)
	}
	return nil
}

// sides reads both policies.
func (o diffOptions) sides(ctx context.Context, args []string) (base, head review.Side, err error) {
	var errBase, errHead error
	if o.file == "" {
		base, errBase = review.ReadFile(args[0])
		head, errHead = review.ReadFile(args[1])
		return base, head, errors.Join(errBase, errHead)
	}
	repository, err := review.OpenRepository(ctx, ".")
	if err != nil {
		return base, head, err
	}
	from := args[0]
	if o.mergeBase {
		if from, err = repository.MergeBase(ctx, args[0], args[1]); err != nil {
			return base, head, err
		}
	}
	base, errBase = repository.Read(ctx, from, o.file)
	if len(args) == 1 {
		head, errHead = repository.ReadWorkTree(o.file)
	} else {
		head, errHead = repository.Read(ctx, args[1], o.file)
	}
	return base, head, errors.Join(errBase, errHead)
}

// checkMissing insists on two policies. A path that is misspelt must not look like a service without routes.
func (o diffOptions) checkMissing(base, head review.Side) error {
	where := "two git revisions are compared with --file, as in: countersign diff --file testdata/authorization.json main HEAD"
	if o.file != "" {
		where = "--file is relative to this directory"
	}
	switch {
	case base.Missing() && head.Missing():
		return fmt.Errorf("there is neither %s nor %s; %s", base.Name, head.Name, where)
	case base.Missing() && !o.allowMissing:
		return fmt.Errorf("there is no %s; if the policy file is new in %s, add --allow-missing; otherwise: %s", base.Name, head.Name, where)
	case head.Missing() && !o.allowMissing:
		return fmt.Errorf("there is no %s; if the policy file was removed after %s, add --allow-missing; otherwise: %s", head.Name, base.Name, where)
	}
	return nil
}
