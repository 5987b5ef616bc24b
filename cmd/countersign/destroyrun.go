package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/config"
	"github.com/countersign-dev/countersign/cmd/countersign/deploy"
	"github.com/countersign-dev/countersign/cmd/countersign/escape"
)

// destroyer is one run of destroy.
type destroyer struct {
	*destroyOptions
	cfg     *config.Config
	kubectl deploy.Kubectl
	items   []destroyItem // in the order in which they are removed
	left    []leftover
	account string // of AWS; "" if it is not known
	steps   steps
	stderr  io.Writer
}

// destroyItem is one thing that goes.
type destroyItem struct {
	step, what string
	remove     func(context.Context) (string, error)
}

// leftover is one thing that stays.
type leftover struct {
	What  string `json:"what"`
	Why   string `json:"why"`
	asked bool   // the user asked for it
}

// destroyResult is what `countersign destroy --output json` prints; docs/deploy.md describes it.
type destroyResult struct {
	Service     string       `json:"service"`
	Environment string       `json:"environment,omitempty"`
	Context     string       `json:"context,omitempty"`
	Namespace   string       `json:"namespace,omitempty"`
	Account     string       `json:"account,omitempty"`
	DryRun      bool         `json:"dryRun,omitempty"`
	Steps       []stepResult `json:"steps"`
	Left        []leftover   `json:"left"`
}

func (d *destroyer) result() destroyResult {
	return destroyResult{
		Service: d.cfg.Service.Name, Environment: d.cfg.Environment, Context: d.kubectl.Context, Namespace: d.kubectl.Namespace,
		Account: d.account, DryRun: d.dryRun, Steps: append([]stepResult{}, d.steps.all...), Left: append([]leftover{}, d.left...),
	}
}

func (d *destroyer) keeps(part string) bool { return slices.Contains(d.keep, part) }

func (d *destroyer) leave(what, why string) {
	d.left = append(d.left, leftover{What: what, Why: why})
}

func (d *destroyer) goes(step, what string, remove func(context.Context) (string, error)) {
	d.items = append(d.items, destroyItem{step, what, remove})
}

// prepare finds all there is. It changes nothing. The order of the finding is that of the removing.
func (o *destroyOptions) prepare(ctx context.Context, stderr io.Writer) (*destroyer, error) {
	cfg, err := o.load()
	if err != nil {
		return nil, err
	}
	d := &destroyer{destroyOptions: o, cfg: cfg, steps: newSteps(stderr), stderr: stderr}
	if err := d.insistOnAccount(ctx); err != nil {
		return nil, err
	}
	if err := d.findKubernetes(ctx); err != nil {
		return nil, err
	}
	d.findImages(ctx)
	d.findAWS(ctx)
	if err := d.findCluster(ctx); err != nil {
		return nil, err
	}
	d.steps.line.clear()
	return d, ctx.Err()
}

// findKubernetes: a cluster that cannot be asked stops everything. A load balancer would be left whose Ingress nobody can find any more.
func (d *destroyer) findKubernetes(ctx context.Context) error {
	if d.keeps("kubernetes") {
		d.left = append(d.left, leftover{"what runs in the cluster", "--keep kubernetes", true})
		return nil
	}
	d.steps.line.say("looking into the cluster …")
	var err error
	if d.kubectl, err = findContext(ctx, d.cfg, d.context, d.yes); err != nil {
		return ifGone(err)
	}
	found, err := d.kubectl.Inventory(ctx, d.cfg.Service.Name)
	if err != nil {
		return ifGone(err)
	}
	for _, ingress := range found.Ingresses {
		what := "the Ingress " + ingress.Name + " for " + strings.Join(ingress.Hosts, ", ") + ", and its load balancer"
		if ingress.Grouped() {
			what += ", unless others of its group are left"
		}
		d.goes("ingress", what, func(ctx context.Context) (string, error) {
			return what, d.kubectl.DeleteIngress(ctx, ingress.Name, d.timeout)
		})
	}
	d.findNamespace(found)
	return nil
}

// ifGone says how to go on when the cluster was removed before.
func ifGone(err error) error {
	if deploy.Gone(err) {
		return fmt.Errorf("%w\nif the cluster is gone, say so with --keep kubernetes, and look for load balancers that it left", err)
	}
	return err
}

func (d *destroyer) findNamespace(found deploy.Inventory) {
	switch {
	case !found.Found:
	case found.Owned && len(found.Foreign) == 0:
		what := "the namespace " + found.Namespace + list(" with ", found.Own)
		if found.Terminating {
			what += ", whose removal is under way"
		}
		d.goes("namespace", what, func(ctx context.Context) (string, error) { return what, d.kubectl.DeleteNamespace(ctx, d.timeout) })
	default:
		why := "countersign did not make it"
		if len(found.Foreign) > 0 {
			why = "it has what is not this service's" + list(": ", found.Foreign)
		}
		d.leave("the namespace "+found.Namespace, why)
		if len(found.Own) == 0 {
			return
		}
		what := "the service's objects in the namespace " + found.Namespace + list(": ", found.Own)
		d.goes("objects", what, func(ctx context.Context) (string, error) { return what, d.removeObjects(ctx, found.Shared) })
	}
}

// hanging writes a text of several lines, as an error of AWS with its advice, the further ones indented.
func hanging(text, indent string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = escape.Visible(line)
	}
	return strings.Join(lines, "\n"+indent)
}

// list writes some of many names.
func list(lead string, names []string) string {
	const most = 6
	switch {
	case len(names) == 0:
		return ""
	case len(names) > most:
		return lead + strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return lead + strings.Join(names, ", ")
}

// list tells what goes and what stays.
func (d *destroyer) list(w io.Writer) {
	fmt.Fprintf(w, "service    %s", d.cfg.Service.Name)
	if d.cfg.Environment != "" {
		fmt.Fprintf(w, ", environment %s", d.cfg.Environment)
	}
	if d.kubectl.Context != "" {
		fmt.Fprintf(w, "\ncontext    %s, namespace %s", d.kubectl.Context, d.kubectl.Namespace)
	}
	if d.account != "" {
		fmt.Fprintf(w, "\naccount    %s, region %s", d.account, d.cfg.Pool.Region)
	}
	fmt.Fprintln(w)
	for _, item := range d.items {
		fmt.Fprintf(w, "  - %s\n", escape.Visible(item.what))
	}
	for _, l := range d.left {
		fmt.Fprintf(w, "  stays: %s: %s\n", escape.Visible(l.What), hanging(l.Why, "      "))
	}
}

// remove stops at the first thing that does not go: what comes later may be what it needs to go.
func (d *destroyer) remove(ctx context.Context) error {
	for n, item := range d.items {
		err := d.steps.do(item.step, func() (string, error) { return item.remove(ctx) })
		if err == nil {
			continue
		}
		d.leave(item.what, "it could not be removed")
		for _, later := range d.items[n+1:] {
			d.leave(later.what, "not reached")
		}
		return err
	}
	return nil
}
