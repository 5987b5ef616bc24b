package cognito

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
)

// An operation is one of the cognito-idp API: its name, its input, whether its caller signs (AWS Signature Version 4),
// and what it does.
type operation struct {
	name   string
	shape  *shape
	signed bool
	call   func(ctx context.Context, s *Service, input []byte) (any, error)
}

// operations is the whole JSON API of this issuer.
var operations = []operation{
	{"CreateUserPool", createPoolShape, true, typed((*Service).CreateUserPool)},
	{"DescribeUserPool", poolShape, true, typed((*Service).DescribeUserPool)},
	{"UpdateUserPool", updatePoolShape, true, typed((*Service).UpdateUserPool)},
	{"DeleteUserPool", poolShape, true, typed((*Service).DeleteUserPool)},
	{"ListUserPools", listPoolsShape, true, typed((*Service).ListUserPools)},
	{"GetUserPoolMfaConfig", poolShape, true, typed((*Service).GetUserPoolMfaConfig)},
	{"SetUserPoolMfaConfig", setMfaShape, true, typed((*Service).SetUserPoolMfaConfig)},
	{"CreateUserPoolDomain", putDomainShape, true, typed((*Service).CreateUserPoolDomain)},
	{"DescribeUserPoolDomain", describeDomainShape, true, typed((*Service).DescribeUserPoolDomain)},
	{"UpdateUserPoolDomain", putDomainShape, true, typed((*Service).UpdateUserPoolDomain)},
	{"DeleteUserPoolDomain", deleteDomainShape, true, typed((*Service).DeleteUserPoolDomain)},
	{"CreateResourceServer", putResourceServerShape, true, typed((*Service).CreateResourceServer)},
	{"DescribeResourceServer", resourceServerShape, true, typed((*Service).DescribeResourceServer)},
	{"UpdateResourceServer", putResourceServerShape, true, typed((*Service).UpdateResourceServer)},
	{"DeleteResourceServer", resourceServerShape, true, typed((*Service).DeleteResourceServer)},
	{"ListResourceServers", listResourceServersShape, true, typed((*Service).ListResourceServers)},
	{"CreateUserPoolClient", createClientShape, true, typed((*Service).CreateUserPoolClient)},
	{"DescribeUserPoolClient", clientShape, true, typed((*Service).DescribeUserPoolClient)},
	{"UpdateUserPoolClient", updateClientShape, true, typed((*Service).UpdateUserPoolClient)},
	{"DeleteUserPoolClient", clientShape, true, typed((*Service).DeleteUserPoolClient)},
	{"ListUserPoolClients", listClientsShape, true, typed((*Service).ListUserPoolClients)},
	{"AddUserPoolClientSecret", addSecretShape, true, typed((*Service).AddUserPoolClientSecret)},
	{"ListUserPoolClientSecrets", listSecretsShape, true, typed((*Service).ListUserPoolClientSecrets)},
	{"DeleteUserPoolClientSecret", deleteSecretShape, true, typed((*Service).DeleteUserPoolClientSecret)},
	{"TagResource", tagShape, true, typed((*Service).TagResource)},
	{"UntagResource", untagShape, true, typed((*Service).UntagResource)},
	{"ListTagsForResource", listTagsShape, true, typed((*Service).ListTagsForResource)},
	{"GetClientToken", getClientTokenShape, false, typed((*Service).GetClientToken)},
	{"RevokeToken", revokeTokenShape, false, typed((*Service).RevokeToken)},
}

// targetPrefix is what stands before the operation's name in X-Amz-Target.
const targetPrefix = "AWSCognitoIdentityProviderService."

// findOperation returns the operation of an X-Amz-Target header.
func findOperation(target string) (*operation, error) {
	name, ok := strings.CutPrefix(target, targetPrefix)
	if ok {
		for i := range operations {
			if operations[i].name == name {
				return &operations[i], nil
			}
		}
	}
	return nil, apiError(CodeUnknownOperation, "The operation %q is not supported. Supported are: %s.", clip(name), operationNames())
}

func operationNames() string {
	names := make([]string, len(operations))
	for i := range operations {
		names[i] = operations[i].name
	}
	return strings.Join(names, ", ")
}

// typed makes an operation of a method of [Service]: JSON in, and an output to be marshalled.
func typed[I, O any](method func(*Service, context.Context, I) (O, error)) func(context.Context, *Service, []byte) (any, error) {
	return func(ctx context.Context, s *Service, input []byte) (any, error) {
		var in I
		if err := json.Unmarshal(input, &in); err != nil {
			return nil, apiError(CodeSerialization, "the request body does not fit the operation")
		}
		out, err := method(s, ctx, in)
		return reveal(out), err
	}
}

// reads reports whether the operation changes nothing.
func (o *operation) reads() bool {
	return slices.ContainsFunc([]string{"Describe", "List", "Get"}, func(verb string) bool { return strings.HasPrefix(o.name, verb) }) &&
		o.name != "GetClientToken"
}

// run calls the operation with an input that its shape has read.
func (o *operation) run(ctx context.Context, s *Service, known map[string]any) (any, error) {
	// What the shape does not know was left behind: Go matches names of members without regard to case, and a member
	// that differs in case only would otherwise replace one that was checked.
	input, err := json.Marshal(known)
	if err != nil {
		return nil, internalError(err)
	}
	if o.signed {
		s.consult(ctx)
		ctx = withTold(ctx, known) // not what others say, which has client secrets in it
	}
	return o.call(ctx, s, input)
}
