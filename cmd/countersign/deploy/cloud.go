package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/countersign-dev/countersign/cmd/countersign/aws"
	"github.com/countersign-dev/countersign/cmd/countersign/provision"
)

// Pool is a user pool as destroy sees it.
type Pool struct {
	ID, Name  string
	Domains   []string // in the order in which they are removed
	Protected bool
	Why       string // why it is not this service's to remove; "" if it is
	tags      map[string]string
}

// FindPool finds the user pool that provision made for the service; nil if there is none.
func FindPool(ctx context.Context, t provision.Target, want provision.Want) (*Pool, error) {
	clients := want.Clients
	want.Clients = nil // their credentials are nothing to destroy
	have, err := provision.Read(ctx, t, want, provision.Places{})
	if aws.Code(err) == "ResourceNotFoundException" { // the pool of pool.id is gone
		return nil, nil
	}
	if err != nil || have.Pool == nil {
		return nil, err
	}
	pool := &Pool{
		ID: sdk.ToString(have.Pool.Id), Name: sdk.ToString(have.Pool.Name), tags: have.Pool.UserPoolTags,
		Protected: have.Pool.DeletionProtection == cognito.DeletionProtectionTypeActive,
	}
	if have.Domain.PoolID == pool.ID {
		pool.Domains = append(pool.Domains, want.Pool.Domain)
	}
	for _, domain := range []*string{have.Pool.Domain, have.Pool.CustomDomain} {
		if name := sdk.ToString(domain); name != "" && !slices.Contains(pool.Domains, name) {
			pool.Domains = append(pool.Domains, name)
		}
	}
	pool.Why = whyNot(have, want, clients)
	return pool, nil
}

// whyNot finds what in a pool is not the file's. A pool that several services share is no single one's to remove.
func whyNot(have provision.Have, want provision.Want, clients []provision.WantClient) string {
	if !have.Owned {
		return fmt.Sprintf("it is not tagged %s=%s: countersign did not make it for this service", provision.ServiceTag, want.Service)
	}
	var others []string
	for _, server := range have.Servers {
		if id := sdk.ToString(server.Identifier); id != want.Server.Identifier {
			others = append(others, "resource server "+id)
		}
	}
	for _, client := range have.Clients {
		if !slices.ContainsFunc(clients, func(c provision.WantClient) bool { return c.Name == client.Name }) {
			others = append(others, "client "+client.Name)
		}
	}
	if len(others) > 0 {
		return "it has what the file does not: " + strings.Join(others, ", ")
	}
	return ""
}

const (
	domainTries = 60
	domainPause = 2 * time.Second
)

// DeleteDomain removes a domain of the pool and waits until Cognito has let it go.
//
// Cognito: a pool that has a domain cannot be deleted.
func (p *Pool) DeleteDomain(ctx context.Context, t provision.Target, domain string) error {
	_, err := t.Cognito.DeleteUserPoolDomain(ctx, &idp.DeleteUserPoolDomainInput{UserPoolId: &p.ID, Domain: &domain})
	if err != nil && aws.Code(err) != "ResourceNotFoundException" {
		return aws.Explain(err, t.Region)
	}
	for range domainTries {
		out, err := t.Cognito.DescribeUserPoolDomain(ctx, &idp.DescribeUserPoolDomainInput{Domain: &domain})
		switch {
		case aws.Code(err) == "ResourceNotFoundException":
			return nil
		case err != nil:
			return aws.Explain(err, t.Region)
		case out.DomainDescription == nil || sdk.ToString(out.DomainDescription.UserPoolId) != p.ID:
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(domainPause):
		}
	}
	return fmt.Errorf("the domain %s is still there after %s; run this again", domain, domainTries*domainPause)
}

// Delete removes the pool with its clients and scopes. If it is protected, the protection is taken off first.
func (p *Pool) Delete(ctx context.Context, t provision.Target) error {
	if p.Protected {
		// Cognito: what an update does not name goes back to its default. Of a pool that goes, only the tag matters: by it a
		// second run finds the pool again.
		_, err := t.Cognito.UpdateUserPool(ctx, &idp.UpdateUserPoolInput{
			UserPoolId: &p.ID, DeletionProtection: cognito.DeletionProtectionTypeInactive, UserPoolTags: p.tags,
		})
		if err != nil {
			return aws.Explain(err, t.Region)
		}
	}
	_, err := t.Cognito.DeleteUserPool(ctx, &idp.DeleteUserPoolInput{UserPoolId: &p.ID})
	if aws.Code(err) == "ResourceNotFoundException" {
		return nil
	}
	return aws.Explain(err, t.Region)
}

// Secret is a secret of Secrets Manager as destroy sees it.
type Secret struct {
	Name  string
	Until time.Time // when it goes for good, if that is settled already
	Why   string    // why it is not this service's to remove; "" if it is
}

// FindSecret finds a secret of the service; nil if there is none. Its value is not asked for. Pool is the one that goes with it, or nil.
func FindSecret(ctx context.Context, client *secretsmanager.Client, t provision.Target, name, service string, pool *Pool) (*Secret, error) {
	out, err := client.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &name})
	if aws.Code(err) == "ResourceNotFoundException" {
		return nil, nil
	}
	if err != nil {
		return nil, aws.Explain(err, t.Region)
	}
	tags := map[string]string{}
	for _, tag := range out.Tags {
		tags[sdk.ToString(tag.Key)] = sdk.ToString(tag.Value)
	}
	secret := &Secret{Name: name, Until: sdk.ToTime(out.DeletedDate)}
	if tags[provision.ServiceTag] != service {
		secret.Why = fmt.Sprintf("it is not tagged %s=%s: countersign did not make it for this service", provision.ServiceTag, service)
	} else {
		secret.Why = ofAnother(ctx, t, tags[provision.PoolTag], pool)
	}
	return secret, nil
}

// ofAnother says why a secret belongs to another pool than the one that goes, which is nil if there is none; "" if it does not. A pool that is
// gone needs no credentials.
func ofAnother(ctx context.Context, t provision.Target, tagged string, pool *Pool) string {
	if tagged == "" || pool != nil && pool.ID == tagged {
		return ""
	}
	there, err := t.PoolExists(ctx, tagged)
	switch {
	case err != nil:
		return fmt.Sprintf("whether its user pool %s is still there is not known: %v", tagged, err)
	case there:
		return fmt.Sprintf("it holds the credentials of a client of user pool %s, which is not this environment's", tagged)
	}
	return ""
}

// DeleteSecret schedules a secret's deletion, and returns the day of it: until then `aws secretsmanager restore-secret` brings it back.
func DeleteSecret(ctx context.Context, client *secretsmanager.Client, region, name string, days int64) (time.Time, error) {
	out, err := client.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: &name, RecoveryWindowInDays: &days})
	if err != nil {
		return time.Time{}, aws.Explain(err, region)
	}
	return sdk.ToTime(out.DeletionDate), nil
}
