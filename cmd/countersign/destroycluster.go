package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/deploy"
)

// findCluster: a cluster goes with all that runs in it, so that its name alone is not enough.
func (d *destroyer) findCluster(ctx context.Context) error {
	name := d.cfg.Cluster.Name
	what := "the cluster " + name
	switch {
	case name == "" && d.cluster:
		d.leave("the cluster", "cluster.name is missing in "+d.cfg.Path)
		return nil
	case name == "":
		return nil
	case !d.cluster:
		d.left = append(d.left, leftover{what, "--cluster removes it", true})
		return nil
	}
	d.steps.line.say("looking for " + what + " …")
	found, err := deploy.FindCluster(ctx, name, d.cfg.Pool.Region)
	if err != nil {
		return err
	}
	if found == nil {
		return nil
	}
	why, err := d.whyNotCluster(ctx, *found)
	if err != nil {
		return err
	}
	if why != "" {
		d.leave(what, why)
		return nil
	}
	what += ", with all that runs in it"
	d.goes("cluster", what, func(ctx context.Context) (string, error) {
		d.steps.line.clear()
		return what, deploy.DeleteCluster(ctx, name, d.cfg.Pool.Region, d.stderr)
	})
	return nil
}

// whyNotCluster finds what speaks against removing it: that it was not made from this file; that the load balancers were looked for in
// another cluster, for the credentials of AWS and kubectl's context are chosen apart; that others have load balancers in it.
func (d *destroyer) whyNotCluster(ctx context.Context, found deploy.Cluster) (string, error) {
	name, region := d.cfg.Cluster.Name, d.cfg.Pool.Region
	if found.Tags["ManagedBy"] != "countersign" || found.Tags["Service"] != d.cfg.Service.Name {
		return fmt.Sprintf("it is not tagged ManagedBy=countersign and Service=%s, as countersign cluster writes it; remove it with: eksctl delete cluster --name %s --region %s",
			d.cfg.Service.Name, name, region), nil
	}
	if d.keeps("kubernetes") {
		return "", nil
	}
	server, err := d.kubectl.Server(ctx)
	if err != nil {
		return "", err
	}
	if !strings.EqualFold(strings.TrimSuffix(server, "/"), strings.TrimSuffix(found.Endpoint, "/")) {
		return fmt.Sprintf("context %s leads to another cluster, so that nobody has looked for load balancers in this one; name its context with --context, or say --keep kubernetes", d.kubectl.Context), nil
	}
	others, err := d.kubectl.Balancers(ctx)
	if err != nil || len(others) == 0 {
		return "", err
	}
	return "others' load balancers would be left behind" + list(": ", others) + "; remove them first, or say --keep kubernetes", nil
}
