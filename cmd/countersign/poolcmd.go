package main

import (
	"context"
	"errors"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/cmd/countersign/aws"
	"github.com/countersign-dev/countersign/cmd/countersign/issuer"
	"github.com/countersign-dev/countersign/cmd/countersign/portable"
	"github.com/countersign-dev/countersign/cmd/countersign/seal"
	"github.com/countersign-dev/countersign/cmd/countersign/serve"
	"github.com/countersign-dev/countersign/cmd/countersign/wholefile"
	"github.com/countersign-dev/countersign/cognito"
)

func newPool() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pool",
		Short: "Move user pools between issuers, files and Amazon Cognito",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPoolExport(), newPoolImport())
	return cmd
}

// poolPlace is where a pool is read or written: an issuer's store, a dev's state, or Amazon Cognito.
type poolPlace struct {
	config  issuerConfig
	state   string
	fromAWS bool
	region  string
	cmd     *cobra.Command
}

func (p *poolPlace) add(cmd *cobra.Command) {
	p.cmd = cmd
	p.config.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&p.state, "state", "", "state directory of a countersign dev, in the place of --config")
	flags.StringVar(&p.region, "region", "", "AWS region, with --from-aws (default: that of the AWS CLI)")
	_ = cmd.MarkFlagDirname("state")
}

func (p *poolPlace) check() error {
	switch {
	case p.region != "" && !p.fromAWS:
		return errors.New("--region goes with --from-aws")
	case p.state != "" && p.cmd.Flags().Changed("config"):
		return errors.New("--state and --config are two places; keep one")
	}
	return nil
}

// aws reads a pool of Amazon Cognito.
func (p *poolPlace) aws(ctx context.Context, poolID string) ([]byte, error) {
	cfg, err := aws.Load(ctx, aws.Options{Region: p.region})
	if err != nil {
		return nil, err
	}
	text, err := portable.FromAWS(ctx, cfg, poolID)
	return text, aws.Explain(err, cfg.Region)
}

// read opens the records for reading. A dev may be running on its state.
func (p *poolPlace) read(ctx context.Context) (*cognito.Service, io.Closer, error) {
	if p.state == "" {
		c, err := p.config.load()
		if err != nil {
			return nil, nil, err
		}
		return serve.OpenService(ctx, c)
	}
	sealer, err := seal.ReadKeyFile(filepath.Join(p.state, issuer.KeyFile))
	if err != nil {
		return nil, nil, err
	}
	store, err := issuer.OpenSQLite(ctx, filepath.Join(p.state, issuer.DatabaseFile), sealer)
	if err != nil {
		return nil, nil, err
	}
	return serviceOver(ctx, store, store)
}

// write opens the records for writing. A dev must not be running on its state: it would not see what was written.
func (p *poolPlace) write(ctx context.Context) (*cognito.Service, io.Closer, error) {
	if p.state == "" {
		c, err := p.config.load()
		if err != nil {
			return nil, nil, err
		}
		return serve.CreateService(ctx, c)
	}
	state, err := issuer.OpenState(ctx, p.state)
	if err != nil {
		return nil, nil, err
	}
	return serviceOver(ctx, state.Store, state)
}

func serviceOver(ctx context.Context, store cognito.Store, closer io.Closer) (*cognito.Service, io.Closer, error) {
	service, err := cognito.New(ctx, cognito.Config{Store: store})
	if err != nil {
		return nil, nil, errors.Join(err, closer.Close())
	}
	return service, closer, nil
}

func newPoolExport() *cobra.Command {
	var place poolPlace
	var options cognito.ExportOptions
	var to string
	cmd := &cobra.Command{
		Use:   "export POOL",
		Short: "Write a user pool as YAML",
		Long: `Writes a user pool with its domains, resource servers and app clients, ids and dates included: of an issuer, which may
be running; of a countersign dev; or of Amazon Cognito itself. What was exported and imported is exported the same.

Without --with-secrets the file says which secrets an app client has, and not their values; --with-keys adds the private signing
keys, so that tokens stay valid when an issuer moves. Both go to a file of mode 0600 only.

Exit codes: 0 written, 2 it could not be done.`,
		Example: `  countersign pool export ap-southeast-1_AbCdEf123 > pool.yaml
  countersign pool export ap-southeast-1_AbCdEf123 --from-aws --with-secrets --to pool.yaml
  countersign pool export ap-southeast-1_AbCdEf123 --state ./state`,
		Args: one("POOL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (options.Secrets || options.Keys) && to == "" {
				return errors.New("secrets are not printed: name a file with --to FILE, which is written with mode 0600")
			}
			text, err := exportPool(cmd.Context(), place, args[0], options)
			if err != nil {
				return err
			}
			if to == "" {
				_, err := cmd.OutOrStdout().Write(text)
				return err
			}
			return wholefile.Replace(to, text, 0o600)
		},
	}
	place.add(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&place.fromAWS, "from-aws", false, "read the pool of Amazon Cognito, with the credentials of the AWS CLI")
	flags.BoolVar(&options.Secrets, "with-secrets", false, "write the values of client secrets too; needs --to")
	flags.BoolVar(&options.Keys, "with-keys", false, "write the private signing keys too; needs --to")
	flags.StringVar(&to, "to", "", "file to write, with mode 0600 (default: standard output)")
	return cmd
}

func exportPool(ctx context.Context, place poolPlace, poolID string, options cognito.ExportOptions) ([]byte, error) {
	if err := place.check(); err != nil {
		return nil, err
	}
	if place.fromAWS {
		return exportAWS(ctx, place, poolID, options)
	}
	service, closer, err := place.read(ctx)
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	return encodePool(service, poolID, options)
}

// exportAWS passes the pool through a service, so that what is written is what an import takes.
func exportAWS(ctx context.Context, place poolPlace, poolID string, options cognito.ExportOptions) ([]byte, error) {
	if options.Keys {
		return nil, errors.New("--with-keys does not go with --from-aws: Cognito tells its private keys to nobody")
	}
	text, err := place.aws(ctx, poolID)
	if err != nil {
		return nil, err
	}
	service, err := cognito.New(ctx, cognito.Config{})
	if err != nil {
		return nil, err
	}
	if _, err := service.ImportPool(ctx, text, cognito.ImportOptions{}); err != nil {
		return nil, plain(err)
	}
	return encodePool(service, poolID, options)
}

func encodePool(service *cognito.Service, poolID string, options cognito.ExportOptions) ([]byte, error) {
	text, err := service.ExportPool(poolID, options)
	if err != nil {
		return nil, plain(err)
	}
	return portable.Encode(text)
}
