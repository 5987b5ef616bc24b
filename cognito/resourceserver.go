package cognito

import (
	"maps"
	"slices"
)

// ResourceServer is an API that tokens are meant for, with the scopes that it knows.
type ResourceServer struct {
	UserPoolID string `json:"UserPoolId"`
	Identifier string
	Name       string
	Scopes     []ResourceServerScope `json:",omitempty"`
}

// ResourceServerScope is one scope. In a token it is written Identifier/ScopeName.
type ResourceServerScope struct {
	ScopeName        string `json:",omitempty"`
	ScopeDescription string `json:",omitempty"`
}

// CreateResourceServerInput asks for a resource server. UserPoolID, Identifier and Name are required.
type CreateResourceServerInput struct {
	UserPoolID string                `json:"UserPoolId,omitempty"`
	Identifier string                `json:",omitempty"`
	Name       string                `json:",omitempty"`
	Scopes     []ResourceServerScope `json:",omitempty"`
}

// CreateResourceServerOutput is the resource server that was made.
type CreateResourceServerOutput struct{ ResourceServer ResourceServer }

// UpdateResourceServerInput replaces name and scopes. Omitted scopes are removed.
type UpdateResourceServerInput CreateResourceServerInput

// UpdateResourceServerOutput is the resource server as it is now.
type UpdateResourceServerOutput struct{ ResourceServer ResourceServer }

// DescribeResourceServerInput names a resource server.
type DescribeResourceServerInput struct {
	UserPoolID string `json:"UserPoolId,omitempty"`
	Identifier string `json:",omitempty"`
}

// DescribeResourceServerOutput is the resource server.
type DescribeResourceServerOutput struct{ ResourceServer ResourceServer }

// DeleteResourceServerInput names a resource server.
type DeleteResourceServerInput struct {
	UserPoolID string `json:"UserPoolId,omitempty"`
	Identifier string `json:",omitempty"`
}

// ListResourceServersInput asks for a page. MaxResults is from 1 to 50; 0 means 50.
type ListResourceServersInput struct {
	UserPoolID string `json:"UserPoolId,omitempty"`
	MaxResults int    `json:",omitempty"`
	NextToken  string `json:",omitempty"`
}

// ListResourceServersOutput is a page of resource servers, ordered by identifier.
type ListResourceServersOutput struct {
	ResourceServers []ResourceServer
	NextToken       string `json:",omitempty"`
}

// maxResourceServers: Cognito: 25 resource servers in a pool, unless the account has asked for more.
const maxResourceServers = 25

func (d *draft) createResourceServer(in CreateResourceServerInput) (CreateResourceServerOutput, error) {
	p, err := d.view.pool(in.UserPoolID)
	if err != nil {
		return CreateResourceServerOutput{}, err
	}
	if p.servers[in.Identifier] != nil {
		return CreateResourceServerOutput{}, apiError(CodeInvalidParameter, "%s already exists in user pool %s.", in.Identifier, p.ID)
	}
	if len(p.servers) >= maxResourceServers {
		return CreateResourceServerOutput{}, apiError(CodeLimitExceeded, "The maximum number of resource servers of the user pool was reached.")
	}
	rs, err := d.putResourceServer(in)
	return CreateResourceServerOutput{rs}, err
}

// updateResourceServer: Cognito: scopes that are not given are removed. A client that was granted one keeps it in its
// settings, and the token endpoint leaves it out from then on.
func (d *draft) updateResourceServer(in UpdateResourceServerInput) (UpdateResourceServerOutput, error) {
	old, err := d.view.resourceServer(in.UserPoolID, in.Identifier)
	if err != nil {
		return UpdateResourceServerOutput{}, err
	}
	rs, err := d.putResourceServer(CreateResourceServerInput(in))
	d.noteReset(old, in, rs)
	return UpdateResourceServerOutput{rs}, err
}

func (d *draft) putResourceServer(in CreateResourceServerInput) (ResourceServer, error) {
	if err := checkScopeNames(in.Scopes); err != nil {
		return ResourceServer{}, err
	}
	rs := ResourceServer{in.UserPoolID, in.Identifier, in.Name, slices.Clone(in.Scopes)}
	d.put(KindResourceServer, rs.UserPoolID, rs.Identifier, rs)
	return rs, nil
}

func checkScopeNames(scopes []ResourceServerScope) error {
	seen := make(map[string]bool, len(scopes))
	for _, scope := range scopes {
		if seen[scope.ScopeName] {
			return apiError(CodeInvalidParameter, "Scope %s is given more than once.", scope.ScopeName)
		}
		seen[scope.ScopeName] = true
	}
	return nil
}

// deleteResourceServer: Cognito: deleting a resource server that clients use is allowed and does not edit the clients
// (aws-cloudformation/cloudformation-coverage-roadmap#173).
func (d *draft) deleteResourceServer(in DeleteResourceServerInput) (EmptyOutput, error) {
	rs, err := d.view.resourceServer(in.UserPoolID, in.Identifier)
	if err != nil {
		return EmptyOutput{}, err
	}
	d.remove(KindResourceServer, rs.UserPoolID, rs.Identifier)
	return EmptyOutput{}, nil
}

func (s *snapshot) resourceServer(poolID, identifier string) (*ResourceServer, error) {
	p, err := s.pool(poolID)
	if err != nil {
		return nil, err
	}
	if rs := p.servers[identifier]; rs != nil {
		return rs, nil
	}
	return nil, apiError(CodeResourceNotFound, "Resource server %s does not exist.", identifier)
}

func (s *snapshot) describeResourceServer(in DescribeResourceServerInput) (DescribeResourceServerOutput, error) {
	rs, err := s.resourceServer(in.UserPoolID, in.Identifier)
	if err != nil {
		return DescribeResourceServerOutput{}, err
	}
	return DescribeResourceServerOutput{detach(*rs)}, nil
}

func (s *snapshot) listResourceServers(in ListResourceServersInput) (ListResourceServersOutput, error) {
	p, err := s.pool(in.UserPoolID)
	if err != nil {
		return ListResourceServersOutput{}, err
	}
	if in.MaxResults == 0 {
		in.MaxResults = 50
	}
	page, err := pageOf(pageRequest{"ListResourceServers", p.ID, in.MaxResults, in.NextToken}, slices.Sorted(maps.Keys(p.servers)))
	if err != nil {
		return ListResourceServersOutput{}, err
	}
	out := ListResourceServersOutput{ResourceServers: []ResourceServer{}, NextToken: page.next}
	for _, id := range page.keys {
		out.ResourceServers = append(out.ResourceServers, detach(*p.servers[id]))
	}
	return out, nil
}
