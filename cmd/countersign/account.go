package main

import (
	"context"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"

	"github.com/countersign-dev/countersign/cmd/countersign/aws"
	"github.com/countersign-dev/countersign/cmd/countersign/config"
)

// accountPatience bounds the question whose account it is, where the answer is only shown.
const accountPatience = 5 * time.Second

// accountOf finds out whose AWS account the credentials are, and insists on that of the file. It is "" where nobody asked and none is told: a
// profile that is chosen by mistake makes a second pool elsewhere, or removes nothing and says that all is gone.
func accountOf(ctx context.Context, cfg *config.Config, loaded sdk.Config) (string, error) {
	if cfg.Pool.Account == "" {
		if aws.Endpoint(loaded, "COGNITO_IDENTITY_PROVIDER") != "" {
			return "", nil // of a stand-in
		}
		ctx, cancel := context.WithTimeout(ctx, accountPatience)
		defer cancel()
		account, _ := aws.Account(ctx, loaded) // it is shown, and not needed
		return account, nil
	}
	account, err := aws.Account(ctx, loaded)
	if err == nil && account != cfg.Pool.Account {
		err = cfg.Problem("pool.account", "insists on %s, and the AWS credentials are those of account %s; choose others, with AWS_PROFILE", cfg.Pool.Account, account)
	}
	return account, err
}
