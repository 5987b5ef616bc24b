package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v4"

	"github.com/countersign-dev/countersign/cmd/countersign/cluster"
)

const clusterLong = `Cluster writes the Amazon EKS cluster that countersign.yaml describes as a ClusterConfig for eksctl, which is the user's own tool and
creates it. Nothing is created here, and nobody is asked.

The cluster has private nodes with encrypted volumes and without the old metadata service, logs of its control plane, an access
entry for each of cluster.admins, Pod Identity for the load balancer controller and for the secrets of the clients that the pods
use, and the add-ons that the objects of countersign manifests need.

Notes go to the standard error. --output json is the same document as JSON, which eksctl reads as well.

Exit codes: 0 done, 2 the file or a flag has a mistake, or Amazon EKS does not support the version.`

type clusterOptions struct {
	configFlags
	cluster.Options
	output string
}

func newCluster() *cobra.Command {
	var o clusterOptions
	cmd := &cobra.Command{
		Use:   "cluster",
		Short: "Write the Amazon EKS cluster for eksctl",
		Long:  clusterLong,
		Example: `  countersign cluster > cluster.yaml
  eksctl create cluster -f cluster.yaml --dry-run
  countersign cluster --env staging --associations | eksctl create podidentityassociation -f -    # in a cluster that is there
  countersign cluster --env prod --secrets-key arn:aws:kms:ap-southeast-1:123456789012:key/0a1b… | eksctl create cluster -f -`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.OutOrStdout(), cmd.ErrOrStderr()) },
	}
	o.configFlags.add(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&o.ExtendedSupport, "extended-support", false, "accept a Kubernetes version in extended support, at its higher price")
	flags.StringVar(&o.SecretsKey, "secrets-key", "", "ARN of a KMS key that encrypts the cluster's Secrets (default: a key of Amazon EKS)")
	flags.BoolVar(&o.Associations, "associations", false, "write only the Pod Identity associations of the pods, for a cluster that is there")
	addOutput(cmd, &o.output, "yaml", "json")
	return cmd
}

func (o *clusterOptions) run(stdout, stderr io.Writer) error {
	if err := checkOutput(o.output, "yaml", "json"); err != nil {
		return err
	}
	cfg, err := o.load()
	if err != nil {
		return err
	}
	text, notes, err := cluster.Render(cfg, o.Options)
	if err != nil {
		return err
	}
	for _, note := range notes {
		fmt.Fprintf(stderr, "note: %s\n", note)
	}
	if o.output == "json" {
		var value any
		if err := yaml.Load(text, &value); err != nil {
			return err
		}
		return encodeIndented(stdout, value)
	}
	_, err = stdout.Write(text)
	return err
}
