package provision

import (
	"context"
	"fmt"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/countersign-dev/countersign/cmd/countersign/aws"
)

// findPool returns the pool, or nil if it is still to be made.
//
// Cognito: names are not unique. A pool is the service's if it has the name and the tag, which CreateUserPool sets in one
// step: so a pool whose creation was not heard of is found again, and somebody else's of the same name is left alone.
func (t Target) findPool(ctx context.Context, w Want) (*types.UserPoolType, error) {
	if w.Pool.ID != "" {
		return t.describePool(ctx, w.Pool.ID)
	}
	named, err := t.poolsNamed(ctx, w.Pool.Name)
	if err != nil {
		return nil, err
	}
	var ours, others []*types.UserPoolType
	for _, pool := range named {
		switch tag, tagged := pool.UserPoolTags[ServiceTag]; {
		case tagged && tag == w.Service:
			ours = append(ours, pool)
		case !tagged || !t.Local:
			others = append(others, pool)
		}
	}
	switch {
	case len(ours) > 1:
		return nil, fmt.Errorf("%d user pools are named %q and tagged %s=%s: %s\nwrite the id of the right one as pool.id in countersign.yaml",
			len(ours), w.Pool.Name, ServiceTag, w.Service, ids(ours))
	case len(ours) == 1:
		return ours[0], nil
	case len(others) == 1 && t.Local:
		return others[0], nil // the local system is the user's own: what has the name is meant
	case len(others) > 0:
		err := fmt.Errorf("there is a user pool named %q that is not tagged %s=%s: %s\nto use it, write its id as pool.id in countersign.yaml; to make another, write another pool.name",
			w.Pool.Name, ServiceTag, w.Service, ids(others))
		if t.Endpoint != "" { // countersign env has set the variable, and the pool is no other than the running dev's
			err = fmt.Errorf("%w\nit was looked for at %s, where AWS_ENDPOINT_URL leads: if that is countersign dev, add --local", err, t.Endpoint)
		}
		return nil, err
	}
	return nil, nil
}

func ids(pools []*types.UserPoolType) string {
	var all []string
	for _, pool := range pools {
		all = append(all, sdk.ToString(pool.Id))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func (t Target) poolsNamed(ctx context.Context, name string) ([]*types.UserPoolType, error) {
	var named []*types.UserPoolType
	pages := idp.NewListUserPoolsPaginator(t.Cognito, &idp.ListUserPoolsInput{MaxResults: sdk.Int32(60)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, aws.Explain(err, t.Region)
		}
		for _, d := range page.UserPools {
			if sdk.ToString(d.Name) != name {
				continue
			}
			pool, err := t.describePool(ctx, sdk.ToString(d.Id))
			if err != nil {
				return nil, err
			}
			named = append(named, pool)
		}
	}
	return named, nil
}

func (t Target) describePool(ctx context.Context, id string) (*types.UserPoolType, error) {
	out, err := t.Cognito.DescribeUserPool(ctx, &idp.DescribeUserPoolInput{UserPoolId: &id})
	if err != nil {
		return nil, aws.Explain(err, t.Region)
	}
	if out.UserPool == nil || sdk.ToString(out.UserPool.Id) != id {
		return nil, fmt.Errorf("cognito-idp:DescribeUserPool: the answer is not about user pool %s", id)
	}
	return out.UserPool, nil
}
