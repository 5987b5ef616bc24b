package provision

import (
	"context"
	"fmt"
	"slices"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/countersign-dev/countersign/cmd/countersign/aws"
)

// Apply does the steps of the plan, in order, and stops at the first that fails: what is done stays, and the next run
// goes on after it.
func Apply(ctx context.Context, t Target, w Want, h Have, places Places, p Plan, progress Progress) error {
	e := &executor{target: t, want: w, have: h, places: places, clientIDs: map[string]string{}, progress: progress}
	if h.Pool != nil {
		e.pool = sdk.ToString(h.Pool.Id)
	}
	for _, c := range h.Clients {
		e.clientIDs[c.Name] = c.ID
	}
	for _, step := range p.Steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := e.do(ctx, &step); err != nil {
			return fmt.Errorf("%s %s %s: %w", step.Action, step.Kind, step.Name, err)
		}
		progress.Done(step)
	}
	return e.waitForDomain(ctx)
}

// Progress hears how far [Apply] is.
type Progress struct {
	Done    func(Step)   // a step is done
	Waiting func(string) // what is waited for
}

type executor struct {
	target    Target
	want      Want
	have      Have
	places    Places
	pool      string // id
	clientIDs map[string]string
	waiting   string // domain that was made or is being made
	progress  Progress
}

// do is the one place that turns a step into calls.
func (e *executor) do(ctx context.Context, s *Step) error {
	switch (stepKey{s.Action, s.Kind}) {
	case stepKey{Create, UserPool}:
		return e.createPool(ctx, s)
	case stepKey{Update, UserPool}:
		return e.updatePool(ctx)
	case stepKey{Create, UserPoolDomain}:
		return e.createDomain(ctx, s.Name)
	case stepKey{Wait, UserPoolDomain}:
		e.waiting = s.Name
		return nil
	case stepKey{Delete, UserPoolDomain}:
		return e.target.deleteDomain(ctx, e.pool, s.Name)
	case stepKey{Create, ResourceServer}:
		return e.createServer(ctx)
	case stepKey{Update, ResourceServer}:
		return e.updateServer(ctx, s.Name, nil)
	case stepKey{Delete, ScopesOf}:
		return e.updateServer(ctx, s.Name, s.scopes)
	case stepKey{Delete, ResourceServer}:
		return e.target.deleteServer(ctx, e.pool, s.Name)
	case stepKey{Create, AppClient}:
		return e.createClient(ctx, s)
	case stepKey{Update, AppClient}:
		return e.updateClient(ctx, s)
	case stepKey{Delete, AppClient}:
		return e.target.deleteClient(ctx, e.pool, s.ID)
	case stepKey{Create, Credentials}, stepKey{Update, Credentials}:
		return e.writeCredentials(ctx, s.Name)
	}
	return fmt.Errorf("no such step")
}

type stepKey struct {
	action Action
	kind   Kind
}

func (e *executor) createPool(ctx context.Context, s *Step) error {
	out, err := e.target.Cognito.CreateUserPool(ctx, &idp.CreateUserPoolInput{
		PoolName:           &e.want.Pool.Name,
		DeletionProtection: protection(e.want.Pool.Protected),
		UserPoolTags:       map[string]string{ServiceTag: e.want.Service},
		// Its only use is the client_credentials grant: nobody signs up.
		AdminCreateUserConfig: &types.AdminCreateUserConfigType{AllowAdminCreateUserOnly: true},
	}, once)
	if err != nil {
		return e.target.unknown(err, "user pool", e.want.Pool.Name)
	}
	e.have.Pool = out.UserPool
	e.pool = sdk.ToString(out.UserPool.Id)
	s.ID = e.pool
	return nil
}

// unknown explains an error of a call that makes something new each time.
func (t Target) unknown(err error, kind, name string) error {
	explained := aws.Explain(err, t.Region)
	if aws.MayHaveWorked(err) {
		return fmt.Errorf("%w\nthe %s %q may have been made all the same; the next run finds it and makes no second one", explained, kind, name)
	}
	return explained
}

func protection(on bool) types.DeletionProtectionType {
	if on {
		return types.DeletionProtectionTypeActive
	}
	return types.DeletionProtectionTypeInactive
}

// updatePool describes the pool anew, so that what somebody changed since the plan was shown is not taken back.
func (e *executor) updatePool(ctx context.Context) error {
	now, err := e.target.describePool(ctx, e.pool)
	if err != nil {
		return err
	}
	in := completePool(now)
	in.DeletionProtection = protection(e.want.Pool.Protected)
	if _, tagged := now.UserPoolTags[ServiceTag]; !tagged && e.want.Pool.ID == "" {
		tags := map[string]string{ServiceTag: e.want.Service}
		for key, value := range now.UserPoolTags {
			tags[key] = value
		}
		in.UserPoolTags = tags
	}
	_, err = e.target.Cognito.UpdateUserPool(ctx, in)
	return aws.Explain(err, e.target.Region)
}

func (e *executor) createDomain(ctx context.Context, name string) error {
	_, err := e.target.Cognito.CreateUserPoolDomain(ctx, &idp.CreateUserPoolDomainInput{Domain: &name, UserPoolId: &e.pool}, once)
	e.waiting = name
	return aws.Explain(err, e.target.Region)
}

func (e *executor) createServer(ctx context.Context) error {
	w := e.want.Server
	_, err := e.target.Cognito.CreateResourceServer(ctx, &idp.CreateResourceServerInput{
		UserPoolId: &e.pool, Identifier: &w.Identifier, Name: &w.Name, Scopes: w.scopes(nil),
	}, once)
	return aws.Explain(err, e.target.Region)
}

// updateServer sends every scope that there is and that the file has, without those that go.
//
// Cognito: scopes that an update does not mention are removed.
func (e *executor) updateServer(ctx context.Context, identifier string, without []string) error {
	out, err := e.target.Cognito.DescribeResourceServer(ctx, &idp.DescribeResourceServerInput{UserPoolId: &e.pool, Identifier: &identifier})
	if err != nil {
		return aws.Explain(err, e.target.Region)
	}
	var stay []types.ResourceServerScopeType
	for _, s := range out.ResourceServer.Scopes {
		if name := sdk.ToString(s.ScopeName); !e.want.Server.has(name) && !slices.Contains(without, name) {
			stay = append(stay, s)
		}
	}
	_, err = e.target.Cognito.UpdateResourceServer(ctx, &idp.UpdateResourceServerInput{
		UserPoolId: &e.pool, Identifier: &identifier, Name: &e.want.Server.Name, Scopes: e.want.Server.scopes(stay),
	})
	return aws.Explain(err, e.target.Region)
}

// scopes returns the file's scopes, and after them those that stay although the file does not have them.
func (s WantServer) scopes(stay []types.ResourceServerScopeType) []types.ResourceServerScopeType {
	var all []types.ResourceServerScopeType
	for _, scope := range s.Scopes {
		all = append(all, types.ResourceServerScopeType{ScopeName: &scope.Name, ScopeDescription: &scope.Description})
	}
	return append(all, stay...)
}
