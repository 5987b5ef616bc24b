package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/cmd/countersign/aws"
	"github.com/countersign-dev/countersign/cmd/countersign/config"
	"github.com/countersign-dev/countersign/cmd/countersign/dev"
	"github.com/countersign-dev/countersign/cmd/countersign/provision"
)

// targetFlags are the flags of every command that manages the user pool of the file.
type targetFlags struct {
	configFlags
	state   stateFlag
	local   bool
	timeout time.Duration
}

func (f *targetFlags) add(cmd *cobra.Command) {
	f.configFlags.add(cmd)
	f.state.add(cmd)
	cmd.Flags().BoolVar(&f.local, "local", false, "use the issuer of the running dev in place of Amazon Cognito")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 30*time.Second, "longest wait for one answer of AWS")
}

// scope is what of the file is worked on, in the words of the flags.
func (f *targetFlags) scope() []string {
	var words []string
	if f.env != "" {
		words = append(words, "--env "+f.env)
	}
	if f.local {
		words = append(words, "--local")
	}
	return words
}

// target is what the flags lead to.
type target struct {
	provision.Target
	cfg    *config.Config
	want   provision.Want
	places provision.Places
}

// open reads the file and finds the way to Cognito, or to the running dev. It changes nothing.
func (f *targetFlags) open(ctx context.Context) (target, error) {
	if f.timeout <= 0 {
		return target{}, fmt.Errorf("--timeout %s: a wait is longer than nothing", f.timeout)
	}
	if !f.local && f.state.cmd.Flags().Changed("state") {
		return target{}, errors.New("--state goes with --local")
	}
	cfg, err := f.load()
	if err != nil {
		return target{}, err
	}
	options := aws.Options{Region: cfg.Pool.Region, Timeout: f.timeout}
	if f.local {
		if err := f.openLocal(ctx, &options); err != nil {
			return target{}, err
		}
	}
	loaded, err := aws.Load(ctx, options)
	if errors.Is(err, aws.ErrNoCredentials) {
		err = fmt.Errorf("%w; to try it on this machine first: countersign dev, and then this command with --local", err)
	}
	if err != nil {
		return target{}, err
	}
	t := target{Target: provision.NewTarget(loaded, f.local, f.timeout), cfg: cfg}
	if !f.local {
		if t.Account, err = accountOf(ctx, cfg, loaded); err != nil {
			return target{}, err
		}
	}
	if t.want, err = provision.NewWant(cfg, loaded.Region, f.local); err != nil {
		return target{}, err
	}
	var secrets *secretsmanager.Client
	if !f.local {
		secrets = secretsmanager.NewFromConfig(loaded)
	}
	t.places = provision.NewPlaces(cfg, f.local, secrets, loaded.Region)
	return t, nil
}

// openLocal takes endpoint, region and credentials from the running dev.
func (f *targetFlags) openLocal(ctx context.Context, options *aws.Options) error {
	state, err := f.state.state()
	if err != nil {
		return err
	}
	running, err := dev.Find(ctx, state)
	if err != nil {
		return err
	}
	admin, err := dev.OpenAdmin(state, running)
	if err != nil {
		return err
	}
	access := admin.Credentials()
	options.Region, options.Endpoint = running.Region, running.AWSURL
	options.Credentials = sdk.CredentialsProviderFunc(func(context.Context) (sdk.Credentials, error) {
		return sdk.Credentials{AccessKeyID: access.AccessKeyID, SecretAccessKey: access.SecretAccessKey.Reveal()}, nil
	})
	return nil
}
