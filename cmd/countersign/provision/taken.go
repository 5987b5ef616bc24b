package provision

import (
	"cmp"
	"context"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/countersign-dev/countersign/cmd/countersign/aws"
)

// findTaken finds places that hold the credentials of another pool's client. While that pool is there, services live on them: two
// environments of the file have a pool each, and one place.
//
// The local system is the user's own: there a pool that got another name leaves nobody behind.
func (t Target) findTaken(ctx context.Context, h *Have, w Want) error {
	if t.Local {
		return nil
	}
	there := map[string]bool{}
	if h.Pool != nil {
		there[sdk.ToString(h.Pool.Id)] = false // this one is not another
	}
	for _, c := range w.Clients {
		stored := h.Stored[c.Name]
		pool := cmp.Or(poolOfIssuer(stored.Credential.Issuer), stored.pool) // of a secret that is to be deleted only the tag can be read
		if pool == "" {
			continue
		}
		if _, known := there[pool]; !known {
			var err error
			if there[pool], err = t.PoolExists(ctx, pool); err != nil {
				return err
			}
		}
		if there[pool] {
			h.Taken[c.Name] = pool
		}
	}
	return nil
}

// poolOfIssuer is the id at the end of an issuer of Cognito's form; "" where there is none.
func poolOfIssuer(issuer string) string {
	id := issuer[strings.LastIndexByte(issuer, '/')+1:]
	if region, rest, found := strings.Cut(id, "_"); !found || region == "" || rest == "" {
		return ""
	}
	return id
}

// PoolExists reports whether there is a user pool of the id, in the region that the id names.
func (t Target) PoolExists(ctx context.Context, id string) (bool, error) {
	_, err := t.Cognito.DescribeUserPool(ctx, &idp.DescribeUserPoolInput{UserPoolId: &id}, func(o *idp.Options) {
		if region, _, _ := strings.Cut(id, "_"); t.Endpoint == "" {
			o.Region = region
		}
	})
	if aws.Code(err) == "ResourceNotFoundException" {
		return false, nil
	}
	return err == nil, aws.Explain(err, t.Region)
}
