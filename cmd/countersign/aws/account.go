package aws

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Account is the id of the account that the credentials belong to. AWS tells it to everybody: no permission is needed.
func Account(ctx context.Context, cfg sdk.Config) (string, error) {
	out, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", Explain(err, cfg.Region)
	}
	return sdk.ToString(out.Account), nil
}
