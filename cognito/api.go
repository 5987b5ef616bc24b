package cognito

import (
	"context"
	"reflect"
	"strings"
)

// The operations of the cognito-idp API. Each checks its input against the API model first; the error is always an
// [APIError]. What an operation answers belongs to the caller, and what a write returns without an error is durable.

// CreateUserPool makes a user pool with two signing keys. Pool names need not be unique.
func (s *Service) CreateUserPool(ctx context.Context, in CreateUserPoolInput) (CreateUserPoolOutput, error) {
	if err := check(createPoolShape, in); err != nil {
		return CreateUserPoolOutput{}, err
	}
	keys, err := generateKeys(s.config.newKeyOf(in.PoolName, ""))
	if err != nil {
		return CreateUserPoolOutput{}, internalError(err)
	}
	return write(ctx, s, func(d *draft) (CreateUserPoolOutput, error) {
		d.operation = operationOf[CreateUserPoolInput]()
		return d.createUserPool(in, keys)
	})
}

// DescribeUserPool returns a user pool.
func (s *Service) DescribeUserPool(_ context.Context, in DescribeUserPoolInput) (DescribeUserPoolOutput, error) {
	return checkedRead(s, poolShape, in, (*snapshot).describeUserPool)
}

// UpdateUserPool replaces the settings of a user pool; what is omitted is reset to its default.
func (s *Service) UpdateUserPool(ctx context.Context, in UpdateUserPoolInput) (EmptyOutput, error) {
	return checkedWrite(ctx, s, updatePoolShape, in, (*draft).updateUserPool)
}

// DeleteUserPool deletes a user pool with all that belongs to it. A pool with a domain is not deleted.
func (s *Service) DeleteUserPool(ctx context.Context, in DeleteUserPoolInput) (EmptyOutput, error) {
	return checkedWrite(ctx, s, poolShape, in, (*draft).deleteUserPool)
}

// ListUserPools returns a page of the user pools.
func (s *Service) ListUserPools(_ context.Context, in ListUserPoolsInput) (ListUserPoolsOutput, error) {
	return checkedRead(s, listPoolsShape, in, (*snapshot).listUserPools)
}

// GetUserPoolMfaConfig returns the MFA configuration of a user pool.
func (s *Service) GetUserPoolMfaConfig(_ context.Context, in GetUserPoolMfaConfigInput) (GetUserPoolMfaConfigOutput, error) {
	return checkedRead(s, poolShape, in, (*snapshot).getUserPoolMfaConfig)
}

// SetUserPoolMfaConfig replaces the MFA configuration of a user pool.
func (s *Service) SetUserPoolMfaConfig(ctx context.Context, in SetUserPoolMfaConfigInput) (SetUserPoolMfaConfigOutput, error) {
	return checkedWrite(ctx, s, setMfaShape, in, (*draft).setUserPoolMfaConfig)
}

// CreateUserPoolDomain gives a user pool a domain: one prefix and one custom domain at most.
func (s *Service) CreateUserPoolDomain(ctx context.Context, in CreateUserPoolDomainInput) (CreateUserPoolDomainOutput, error) {
	return checkedWrite(ctx, s, putDomainShape, in, (*draft).createUserPoolDomain)
}

// DescribeUserPoolDomain returns a domain, or an empty description when nobody has it.
func (s *Service) DescribeUserPoolDomain(_ context.Context, in DescribeUserPoolDomainInput) (DescribeUserPoolDomainOutput, error) {
	return checkedRead(s, describeDomainShape, in, (*snapshot).describeUserPoolDomain)
}

// UpdateUserPoolDomain replaces the settings of a domain.
func (s *Service) UpdateUserPoolDomain(ctx context.Context, in UpdateUserPoolDomainInput) (UpdateUserPoolDomainOutput, error) {
	return checkedWrite(ctx, s, putDomainShape, in, (*draft).updateUserPoolDomain)
}

// DeleteUserPoolDomain takes a domain from a user pool.
func (s *Service) DeleteUserPoolDomain(ctx context.Context, in DeleteUserPoolDomainInput) (EmptyOutput, error) {
	return checkedWrite(ctx, s, deleteDomainShape, in, (*draft).deleteUserPoolDomain)
}

// CreateResourceServer adds a resource server with its scopes to a user pool.
func (s *Service) CreateResourceServer(ctx context.Context, in CreateResourceServerInput) (CreateResourceServerOutput, error) {
	return checkedWrite(ctx, s, putResourceServerShape, in, (*draft).createResourceServer)
}

// DescribeResourceServer returns a resource server.
func (s *Service) DescribeResourceServer(_ context.Context, in DescribeResourceServerInput) (DescribeResourceServerOutput, error) {
	return checkedRead(s, resourceServerShape, in, (*snapshot).describeResourceServer)
}

// UpdateResourceServer replaces name and scopes of a resource server; omitted scopes are removed.
func (s *Service) UpdateResourceServer(ctx context.Context, in UpdateResourceServerInput) (UpdateResourceServerOutput, error) {
	return checkedWrite(ctx, s, putResourceServerShape, in, (*draft).updateResourceServer)
}

// DeleteResourceServer deletes a resource server, also while app clients name its scopes.
func (s *Service) DeleteResourceServer(ctx context.Context, in DeleteResourceServerInput) (EmptyOutput, error) {
	return checkedWrite(ctx, s, resourceServerShape, in, (*draft).deleteResourceServer)
}

// ListResourceServers returns a page of a pool's resource servers.
func (s *Service) ListResourceServers(_ context.Context, in ListResourceServersInput) (ListResourceServersOutput, error) {
	return checkedRead(s, listResourceServersShape, in, (*snapshot).listResourceServers)
}

// CreateUserPoolClient adds an app client to a user pool.
func (s *Service) CreateUserPoolClient(ctx context.Context, in CreateUserPoolClientInput) (CreateUserPoolClientOutput, error) {
	return checkedWrite(ctx, s, createClientShape, in, (*draft).createUserPoolClient)
}

// DescribeUserPoolClient returns an app client with its secret.
func (s *Service) DescribeUserPoolClient(_ context.Context, in DescribeUserPoolClientInput) (DescribeUserPoolClientOutput, error) {
	return checkedRead(s, clientShape, in, (*snapshot).describeUserPoolClient)
}

// UpdateUserPoolClient replaces the settings of an app client; what is omitted is reset to its default.
func (s *Service) UpdateUserPoolClient(ctx context.Context, in UpdateUserPoolClientInput) (UpdateUserPoolClientOutput, error) {
	return checkedWrite(ctx, s, updateClientShape, in, (*draft).updateUserPoolClient)
}

// DeleteUserPoolClient deletes an app client. Its tokens stay valid until they expire.
func (s *Service) DeleteUserPoolClient(ctx context.Context, in DeleteUserPoolClientInput) (EmptyOutput, error) {
	return checkedWrite(ctx, s, clientShape, in, (*draft).deleteUserPoolClient)
}

// ListUserPoolClients returns a page of a pool's app clients.
func (s *Service) ListUserPoolClients(_ context.Context, in ListUserPoolClientsInput) (ListUserPoolClientsOutput, error) {
	return checkedRead(s, listClientsShape, in, (*snapshot).listUserPoolClients)
}

// AddUserPoolClientSecret gives an app client a second secret; both serve until one is deleted.
func (s *Service) AddUserPoolClientSecret(ctx context.Context, in AddUserPoolClientSecretInput) (AddUserPoolClientSecretOutput, error) {
	return checkedWrite(ctx, s, addSecretShape, in, (*draft).addUserPoolClientSecret)
}

// ListUserPoolClientSecrets tells which secrets an app client has, without their values.
func (s *Service) ListUserPoolClientSecrets(_ context.Context, in ListUserPoolClientSecretsInput) (ListUserPoolClientSecretsOutput, error) {
	return checkedRead(s, listSecretsShape, in, (*snapshot).listUserPoolClientSecrets)
}

// DeleteUserPoolClientSecret deletes one of two secrets of an app client.
func (s *Service) DeleteUserPoolClientSecret(ctx context.Context, in DeleteUserPoolClientSecretInput) (EmptyOutput, error) {
	return checkedWrite(ctx, s, deleteSecretShape, in, (*draft).deleteUserPoolClientSecret)
}

// TagResource adds tags to a user pool.
func (s *Service) TagResource(ctx context.Context, in TagResourceInput) (EmptyOutput, error) {
	return checkedWrite(ctx, s, tagShape, in, (*draft).tagResource)
}

// UntagResource removes tags from a user pool.
func (s *Service) UntagResource(ctx context.Context, in UntagResourceInput) (EmptyOutput, error) {
	return checkedWrite(ctx, s, untagShape, in, (*draft).untagResource)
}

// ListTagsForResource returns the tags of a user pool.
func (s *Service) ListTagsForResource(_ context.Context, in ListTagsForResourceInput) (ListTagsForResourceOutput, error) {
	return checkedRead(s, listTagsShape, in, (*snapshot).listTagsForResource)
}

func checkedRead[I, O any](s *Service, sh *shape, in I, rule func(*snapshot, I) (O, error)) (O, error) {
	if err := check(sh, in); err != nil {
		return *new(O), err
	}
	return rule(s.current.Load(), in)
}

func checkedWrite[I, O any](ctx context.Context, s *Service, sh *shape, in I, rule func(*draft, I) (O, error)) (O, error) {
	if err := check(sh, in); err != nil {
		return *new(O), err
	}
	return write(ctx, s, func(d *draft) (O, error) {
		d.operation = operationOf[I]()
		d.told, _ = ctx.Value(toldKey{}).(map[string]any)
		return rule(d, in)
	})
}

// operationOf returns the operation that takes the input: the type is named after it.
func operationOf[I any]() string { return strings.TrimSuffix(reflect.TypeFor[I]().Name(), "Input") }
