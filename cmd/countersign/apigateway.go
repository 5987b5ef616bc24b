package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/cmd/countersign/config"
	"github.com/countersign-dev/countersign/cmd/countersign/httpapi"
	"github.com/countersign-dev/countersign/cmd/countersign/manifests"
)

const apiGatewayLong = `Apigateway writes an Amazon API Gateway HTTP API in front of the service, as a CloudFormation template: a route for each one of its policy
that ingress.paths let through, a JWT authorizer with the scopes of the rules, the way to the load balancer of the Ingress, and the public
host, with mutual TLS where a trust store is named. Nothing is created here, and nobody is asked; the same file and policy give the same bytes.

It is a second look at tokens and never a stricter one than the service's own. Notes go to the standard error.

Exit codes: 0 done, 2 the file, the policy or a flag has a mistake.`

// apiGatewayOptions are the flags of apigateway beside those of the file.
type apiGatewayOptions struct {
	configFlags
	issuer string
}

func newAPIGateway() *cobra.Command {
	var o apiGatewayOptions
	cmd := &cobra.Command{
		Use:   "apigateway",
		Short: "Write an Amazon API Gateway in front of the service, for CloudFormation",
		Long:  apiGatewayLong,
		Example: `  countersign apigateway --env prod > api.json
  aws cloudformation deploy --stack-name orders-api --template-file api.json --parameter-overrides Clients=$IDS Listener=$LISTENER Subnets=$SUBNETS SecurityGroups=$GROUPS`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o.configFlags.add(cmd)
	cmd.Flags().StringVar(&o.issuer, "issuer", "", "issuer of the tokens (default: that of the pool pool.id, or of credentials that provision wrote to a file)")
	return cmd
}

func (o *apiGatewayOptions) run(ctx context.Context, stdout, stderr io.Writer) error {
	cfg, err := o.load()
	if err != nil {
		return err
	}
	policy, issuer, err := o.inputs(ctx, cfg)
	if err != nil {
		return err
	}
	text, err := httpapi.Config{
		Name: cfg.Service.Name, Host: cfg.Ingress.Host, Issuer: issuer, Certificate: cfg.Ingress.Certificate, Policy: beneathAny(*policy, cfg.Ingress.Paths),
	}.Template()
	if err != nil {
		return err
	}
	if cfg.Ingress.Scheme != "internal" {
		fmt.Fprintf(stderr, "note: ingress.scheme is %s: the load balancer can be reached past the API; write internal\n", cfg.Ingress.Scheme)
	}
	_, err = stdout.Write(text)
	return err
}

// inputs are what the template needs beside the file.
func (o *apiGatewayOptions) inputs(ctx context.Context, cfg *config.Config) (policy *countersign.Policy, issuer string, err error) {
	if cfg.Ingress.Host == "" {
		return nil, "", cfg.Problem("ingress.host", "is missing: the API has the host of the Ingress; write it")
	}
	if policy, err = policyOf(cfg); err != nil {
		return nil, "", err
	}
	if policy == nil {
		return nil, "", cfg.Problem("service.policy", "%s is not there, or is not what countersigntest.Golden wrote: the routes come from it", cfg.Service.Policy)
	}
	if issuer = o.issuer; issuer == "" {
		issuer, err = manifests.IssuerOf(cfg)
	}
	if issuer == "" && err == nil {
		issuer, err = issuerOnDisk(ctx, cfg)
	}
	if issuer == "" && err == nil {
		err = cfg.Problem("pool.id", "the issuer is not known; write the id of the pool that countersign provision printed, or pass --issuer")
	}
	return policy, issuer, err
}
