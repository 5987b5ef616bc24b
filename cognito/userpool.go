package cognito

import (
	"encoding/json"
	"maps"
	"slices"
)

// UserPool is a user pool as the API describes it.
type UserPool struct {
	ID                     string `json:"Id"`
	Name                   string
	ARN                    string `json:"Arn,omitempty"`
	CreationDate           Time
	LastModifiedDate       Time
	DeletionProtection     string               // ACTIVE or INACTIVE
	MfaConfiguration       string               // OFF, ON or OPTIONAL
	UserPoolTier           string               // LITE, ESSENTIALS or PLUS
	IssuerConfiguration    *IssuerConfiguration `json:",omitempty"`
	UserPoolTags           map[string]string    `json:",omitempty"`
	Domain                 string               `json:",omitempty"`
	CustomDomain           string               `json:",omitempty"`
	EstimatedNumberOfUsers int                  // always 0: this issuer has no users
	PoolSettings
	PoolCreateSettings
}

// IssuerConfiguration says which form the pool's issuer has when [Config].BaseURL is empty.
type IssuerConfiguration struct {
	// Type is ORIGINAL, for https://cognito-idp.<region>.amazonaws.com/<poolId>, or UPDATED, for
	// https://issuer-cognito-idp.<region>.amazonaws.com/<poolId>.
	Type string
}

// CreateUserPoolInput asks for a user pool. PoolName is required; every omitted setting takes Cognito's default.
type CreateUserPoolInput struct {
	PoolName            string               `json:",omitempty"`
	DeletionProtection  string               `json:",omitempty"`
	MfaConfiguration    string               `json:",omitempty"`
	UserPoolTier        string               `json:",omitempty"`
	IssuerConfiguration *IssuerConfiguration `json:",omitempty"`
	UserPoolTags        map[string]string    `json:",omitempty"`
	PoolSettings
	PoolCreateSettings
}

// CreateUserPoolOutput is the pool that was made.
type CreateUserPoolOutput struct{ UserPool UserPool }

// DescribeUserPoolInput names a pool.
type DescribeUserPoolInput struct {
	UserPoolID string `json:"UserPoolId,omitempty"`
}

// DescribeUserPoolOutput is the pool.
type DescribeUserPoolOutput struct{ UserPool UserPool }

// UpdateUserPoolInput replaces the settings of a pool. What is omitted is set to its default, except for PoolName and
// for what can only be said when the pool is made.
type UpdateUserPoolInput struct {
	UserPoolID          string               `json:"UserPoolId,omitempty"`
	PoolName            string               `json:",omitempty"`
	DeletionProtection  string               `json:",omitempty"`
	MfaConfiguration    string               `json:",omitempty"`
	UserPoolTier        string               `json:",omitempty"`
	IssuerConfiguration *IssuerConfiguration `json:",omitempty"`
	UserPoolTags        map[string]string    `json:",omitempty"`
	PoolSettings
}

// DeleteUserPoolInput names a pool.
type DeleteUserPoolInput struct {
	UserPoolID string `json:"UserPoolId,omitempty"`
}

// ListUserPoolsInput asks for a page of pools. MaxResults, from 1 to 60, is required.
type ListUserPoolsInput struct {
	MaxResults int    `json:",omitempty"`
	NextToken  string `json:",omitempty"`
}

// ListUserPoolsOutput is a page of pools, ordered by id. NextToken is empty on the last page.
type ListUserPoolsOutput struct {
	UserPools []UserPoolDescription
	NextToken string `json:",omitempty"`
}

// UserPoolDescription is a pool in a list.
type UserPoolDescription struct {
	ID               string `json:"Id"`
	Name             string
	LambdaConfig     json.RawMessage `json:",omitempty"`
	CreationDate     Time
	LastModifiedDate Time
}

// EmptyOutput is the output of an operation that answers with nothing.
type EmptyOutput struct{}

// maxPools: Cognito: 1,000 pools in a Region.
const maxPools = 1000

func (d *draft) createUserPool(in CreateUserPoolInput, keys []keyBody) (CreateUserPoolOutput, error) {
	if len(d.view.pools) >= maxPools {
		return CreateUserPoolOutput{}, apiError(CodeLimitExceeded, "The maximum number of user pools of the account was reached.")
	}
	if err := checkTags(in.UserPoolTags); err != nil {
		return CreateUserPoolOutput{}, err
	}
	id := newPoolID(d.view.place.region)
	for d.view.pools[id] != nil {
		id = newPoolID(d.view.place.region)
	}
	p := poolBody{UserPool: UserPool{
		ID: id, Name: in.PoolName, CreationDate: d.now, LastModifiedDate: d.now,
		DeletionProtection: in.DeletionProtection, MfaConfiguration: in.MfaConfiguration, UserPoolTier: in.UserPoolTier,
		IssuerConfiguration: in.IssuerConfiguration, UserPoolTags: in.UserPoolTags,
		PoolSettings: in.PoolSettings, PoolCreateSettings: in.PoolCreateSettings.withStandardAttributes(),
	}}
	p.setDefaults()
	if err := p.checkTier(); err != nil {
		return CreateUserPoolOutput{}, err
	}
	for _, k := range keys {
		d.put(KindKey, id, k.ID, k)
	}
	d.put(KindPool, id, id, p)
	return CreateUserPoolOutput{d.view.describePool(&pool{poolBody: p})}, nil
}

// setDefaults gives every setting that was omitted its default.
//
// Cognito: "If you don't provide a value for an attribute, Amazon Cognito sets it to its default value."
func (p *UserPool) setDefaults() {
	if p.DeletionProtection == "" {
		p.DeletionProtection = "INACTIVE"
	}
	if p.MfaConfiguration == "" {
		p.MfaConfiguration = "OFF"
	}
	if p.UserPoolTier == "" {
		p.UserPoolTier = "ESSENTIALS"
	}
	p.PoolSettings.setDefaults()
}

// checkTier: Cognito: the plan of a pool decides which triggers it has; that of access tokens needs ESSENTIALS or PLUS.
// The text is this issuer's.
func (p *UserPool) checkTier() error {
	if p.UserPoolTier == "LITE" && p.preTokenTrigger() != "" {
		return apiError(CodeFeatureUnavailable, "PreTokenGenerationConfig of version V3_0 is not available in the LITE tier.")
	}
	return nil
}

// updateUserPool replaces all settings. Cognito: tags are removed too (aws/aws-cli#3302).
func (d *draft) updateUserPool(in UpdateUserPoolInput) (EmptyOutput, error) {
	old, err := d.view.pool(in.UserPoolID)
	if err != nil {
		return EmptyOutput{}, err
	}
	if err := checkTags(in.UserPoolTags); err != nil {
		return EmptyOutput{}, err
	}
	p := poolBody{UserPool: UserPool{
		ID: old.ID, Name: in.PoolName, CreationDate: old.CreationDate, LastModifiedDate: d.now,
		DeletionProtection: in.DeletionProtection, MfaConfiguration: in.MfaConfiguration, UserPoolTier: in.UserPoolTier,
		IssuerConfiguration: in.IssuerConfiguration, UserPoolTags: in.UserPoolTags,
		PoolSettings: in.PoolSettings, PoolCreateSettings: old.PoolCreateSettings,
	}, MFA: old.MFA}
	if p.Name == "" {
		p.Name = old.Name
	}
	p.setDefaults()
	if err := p.checkTier(); err != nil {
		return EmptyOutput{}, err
	}
	d.noteReset(old.UserPool, in, p.UserPool)
	d.put(KindPool, p.ID, p.ID, p)
	return EmptyOutput{}, nil
}

func (d *draft) deleteUserPool(in DeleteUserPoolInput) (EmptyOutput, error) {
	p, err := d.view.pool(in.UserPoolID)
	if err != nil {
		return EmptyOutput{}, err
	}
	if p.DeletionProtection == "ACTIVE" {
		return EmptyOutput{}, apiError(CodeInvalidParameter, "The user pool cannot be deleted because deletion protection is activated. Deletion protection must be inactivated first.")
	}
	// Cognito: the domain goes first; its own clients delete it "to allow pool deletion".
	if len(p.domains) > 0 {
		return EmptyOutput{}, apiError(CodeInvalidParameter, "User pool cannot be deleted. It has a domain configured that should be deleted first.")
	}
	for _, c := range p.clients {
		d.remove(KindClient, p.ID, c.ClientID)
	}
	for _, id := range slices.Sorted(maps.Keys(p.servers)) {
		d.remove(KindResourceServer, p.ID, id)
	}
	for _, k := range p.keys {
		d.remove(KindKey, p.ID, k.id)
	}
	d.remove(KindPool, p.ID, p.ID)
	return EmptyOutput{}, nil
}

// pool returns the pool or Cognito's error.
func (s *snapshot) pool(id string) (*pool, error) {
	if p := s.pools[id]; p != nil {
		return p, nil
	}
	return nil, apiError(CodeResourceNotFound, "User pool %s does not exist.", id)
}

// describePool adds to a pool what is derived and not stored.
func (s *snapshot) describePool(p *pool) UserPool {
	out := detach(p.UserPool)
	out.ARN = s.place.poolARN(p.ID)
	for _, d := range p.domains {
		if d.CustomDomainConfig != nil {
			out.CustomDomain = d.Domain
		} else {
			out.Domain = d.Domain
		}
	}
	return out
}

func (s *snapshot) describeUserPool(in DescribeUserPoolInput) (DescribeUserPoolOutput, error) {
	p, err := s.pool(in.UserPoolID)
	if err != nil {
		return DescribeUserPoolOutput{}, err
	}
	return DescribeUserPoolOutput{s.describePool(p)}, nil
}

func (s *snapshot) listUserPools(in ListUserPoolsInput) (ListUserPoolsOutput, error) {
	page, err := pageOf(pageRequest{"ListUserPools", "", in.MaxResults, in.NextToken}, slices.Sorted(maps.Keys(s.pools)))
	if err != nil {
		return ListUserPoolsOutput{}, err
	}
	out := ListUserPoolsOutput{UserPools: []UserPoolDescription{}, NextToken: page.next}
	for _, id := range page.keys {
		p := s.pools[id]
		out.UserPools = append(out.UserPools, UserPoolDescription{
			ID: p.ID, Name: p.Name, LambdaConfig: slices.Clone(p.LambdaConfig), CreationDate: p.CreationDate, LastModifiedDate: p.LastModifiedDate,
		})
	}
	return out, nil
}
