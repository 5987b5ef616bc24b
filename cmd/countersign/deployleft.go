package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/deploy"
	"github.com/countersign-dev/countersign/cmd/countersign/manifests"
)

// leftovers finds what an earlier file had and this one has not, and removes it if --prune says so.
func (d *deployer) leftovers(ctx context.Context) error {
	left, err := d.kubectl.Leftovers(ctx, d.cfg.Service.Name, func(kind, name string) bool {
		return slices.ContainsFunc(d.objects, func(o manifests.Object) bool { return o.Kind == kind && o.Name == name })
	})
	switch {
	case errors.Is(err, deploy.ErrForbidden):
		d.steps.line.clear()
		fmt.Fprintf(d.stderr, "note: whether the cluster has what the file does not have any more is not known: %v\n", err)
		return nil
	case err != nil || len(left) == 0:
		return err
	}
	var names []string
	for _, l := range left {
		names = append(names, l.String())
	}
	all := strings.Join(names, ", ")
	switch {
	case !d.prune:
		d.steps.line.clear()
		fmt.Fprintf(d.stderr, "note: not in the file any more, and left in the cluster as it is (--prune removes it): %s\n", all)
		return nil
	case d.dryRun:
		d.steps.skip("prune", "would remove "+all)
		return nil
	}
	return d.steps.do("prune", func() (string, error) {
		for _, l := range left {
			d.steps.line.say("removing " + l.String())
			if err := d.kubectl.Remove(ctx, l, d.timeout); err != nil {
				return "", err
			}
		}
		return "removed " + all, nil
	})
}
