package cognito

import (
	"regexp"
	"strings"
)

// DomainDescription is the domain of a pool. For a domain that nobody has it is empty.
type DomainDescription struct {
	UserPoolID             string              `json:"UserPoolId,omitempty"`
	AWSAccountID           string              `json:"AWSAccountId,omitempty"`
	Domain                 string              `json:",omitempty"`
	CloudFrontDistribution string              `json:",omitempty"`
	Version                string              `json:",omitempty"`
	Status                 string              `json:",omitempty"` // ACTIVE
	CustomDomainConfig     *CustomDomainConfig `json:",omitempty"`
	ManagedLoginVersion    int                 `json:",omitempty"`
	Routing                *DomainRouting      `json:",omitempty"`
}

// CustomDomainConfig makes a domain a custom one.
type CustomDomainConfig struct {
	CertificateARN string `json:"CertificateArn,omitempty"`
	SecurityPolicy string `json:",omitempty"`
}

// DomainRouting is where requests go when the Region is down. It is kept and given back: there is one Region here.
type DomainRouting struct {
	Failover *DomainFailover `json:",omitempty"`
}

// DomainFailover names the other Region.
type DomainFailover struct {
	SecondaryRegion             string `json:",omitempty"`
	PrimaryRoute53HealthCheckID string `json:"PrimaryRoute53HealthCheckId,omitempty"`
}

// CreateUserPoolDomainInput asks for a domain. Domain and UserPoolID are required.
type CreateUserPoolDomainInput struct {
	Domain              string              `json:",omitempty"`
	UserPoolID          string              `json:"UserPoolId,omitempty"`
	ManagedLoginVersion int                 `json:",omitempty"`
	CustomDomainConfig  *CustomDomainConfig `json:",omitempty"`
	Routing             *DomainRouting      `json:",omitempty"`
}

// CreateUserPoolDomainOutput has a CloudFrontDomain for a custom domain only.
type CreateUserPoolDomainOutput struct {
	ManagedLoginVersion int            `json:",omitempty"`
	CloudFrontDomain    string         `json:",omitempty"`
	Routing             *DomainRouting `json:",omitempty"`
}

// UpdateUserPoolDomainInput replaces the settings of a domain.
type UpdateUserPoolDomainInput CreateUserPoolDomainInput

// UpdateUserPoolDomainOutput is like that of Create.
type UpdateUserPoolDomainOutput CreateUserPoolDomainOutput

// DescribeUserPoolDomainInput names a domain.
type DescribeUserPoolDomainInput struct {
	Domain string `json:",omitempty"`
}

// DescribeUserPoolDomainOutput is the domain, or an empty description.
type DescribeUserPoolDomainOutput struct{ DomainDescription DomainDescription }

// DeleteUserPoolDomainInput names a domain and the pool that it belongs to.
type DeleteUserPoolDomainInput struct {
	Domain     string `json:",omitempty"`
	UserPoolID string `json:"UserPoolId,omitempty"`
}

var (
	prefixDomain = regexp.MustCompile(`\A` + domainPattern + `\z`)
	customDomain = regexp.MustCompile(`\A(?:[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?\.)+[a-z]{2,}\z`)
)

const domainPattern = `[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?`

func (d *draft) createUserPoolDomain(in CreateUserPoolDomainInput) (CreateUserPoolDomainOutput, error) {
	p, err := d.view.pool(in.UserPoolID)
	if err != nil {
		return CreateUserPoolDomainOutput{}, err
	}
	if err := checkDomainName(in.Domain, in.CustomDomainConfig != nil); err != nil {
		return CreateUserPoolDomainOutput{}, err
	}
	if d.view.domains[in.Domain] != nil {
		return CreateUserPoolDomainOutput{}, apiError(CodeInvalidParameter, "Domain already associated with another user pool.")
	}
	for _, other := range p.domains {
		if (other.CustomDomainConfig != nil) == (in.CustomDomainConfig != nil) {
			return CreateUserPoolDomainOutput{}, apiError(CodeInvalidParameter, "User pool already has a domain configured.")
		}
	}
	return d.putDomain(in), nil
}

func (d *draft) updateUserPoolDomain(in UpdateUserPoolDomainInput) (UpdateUserPoolDomainOutput, error) {
	old, err := d.view.domain(in.UserPoolID, in.Domain)
	if err != nil {
		return UpdateUserPoolDomainOutput{}, err
	}
	// Cognito: hashicorp/terraform-provider-aws#43248.
	if old.CustomDomainConfig != nil && in.CustomDomainConfig == nil {
		return UpdateUserPoolDomainOutput{}, apiError(CodeInvalidParameter, "Cannot convert custom domain to prefix domain.")
	}
	if old.CustomDomainConfig == nil && in.CustomDomainConfig != nil {
		return UpdateUserPoolDomainOutput{}, apiError(CodeInvalidParameter, "Cannot convert prefix domain to custom domain.")
	}
	out := UpdateUserPoolDomainOutput(d.putDomain(CreateUserPoolDomainInput(in)))
	d.noteReset(UpdateUserPoolDomainOutput{ManagedLoginVersion: old.ManagedLoginVersion, Routing: old.Routing}, in, out)
	return out, nil
}

// newDomain describes the domain. Cognito: a domain is live within minutes; here it is ACTIVE at once.
func (d *draft) newDomain(in CreateUserPoolDomainInput) DomainDescription {
	version := in.ManagedLoginVersion
	if version == 0 {
		version = 1
	}
	return DomainDescription{
		UserPoolID: in.UserPoolID, AWSAccountID: d.view.place.accountID, Domain: in.Domain, Status: "ACTIVE",
		CloudFrontDistribution: "d" + strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(in.UserPoolID)) + ".cloudfront.net",
		Version:                d.now.Format("20060102150405"), ManagedLoginVersion: version, Routing: in.Routing,
	}
}

func (d *draft) putDomain(in CreateUserPoolDomainInput) CreateUserPoolDomainOutput {
	description := d.newDomain(in)
	out := CreateUserPoolDomainOutput{ManagedLoginVersion: description.ManagedLoginVersion, Routing: in.Routing}
	if in.CustomDomainConfig != nil {
		c := *in.CustomDomainConfig
		description.CustomDomainConfig = &c
		out.CloudFrontDomain = description.CloudFrontDistribution
	}
	d.put(KindDomain, in.UserPoolID, in.Domain, description)
	return out
}

func (d *draft) deleteUserPoolDomain(in DeleteUserPoolDomainInput) (EmptyOutput, error) {
	old, err := d.view.domain(in.UserPoolID, in.Domain)
	if err != nil {
		return EmptyOutput{}, err
	}
	d.remove(KindDomain, old.UserPoolID, old.Domain)
	return EmptyOutput{}, nil
}

func (s *snapshot) domain(poolID, name string) (*DomainDescription, error) {
	if _, err := s.pool(poolID); err != nil {
		return nil, err
	}
	if d := s.domains[name]; d != nil && d.UserPoolID == poolID {
		return d, nil
	}
	return nil, apiError(CodeResourceNotFound, "No such domain or user pool exists.")
}

// describeUserPoolDomain: Cognito: a missing domain is HTTP 200 with an empty description; Terraform's provider tests
// for that.
func (s *snapshot) describeUserPoolDomain(in DescribeUserPoolDomainInput) (DescribeUserPoolDomainOutput, error) {
	if d := s.domains[in.Domain]; d != nil {
		return DescribeUserPoolDomainOutput{detach(*d)}, nil
	}
	return DescribeUserPoolDomainOutput{}, nil
}

// checkDomainName: the model's pattern is that of a prefix; a custom domain is a host name.
func checkDomainName(name string, custom bool) error {
	if custom {
		if !customDomain.MatchString(name) {
			return apiError(CodeInvalidParameter, "Custom domain is not a valid subdomain: Was not able to resolve the root domain, please ensure an A record exists for the root domain.")
		}
		return nil
	}
	if !prefixDomain.MatchString(name) {
		return violations{{value: "'" + clip(name) + "'", path: "domain", rule: "Member must satisfy regular expression pattern: ^" + domainPattern + "$"}}.asError()
	}
	for _, reserved := range []string{"aws", "amazon", "cognito"} {
		if strings.Contains(name, reserved) {
			return apiError(CodeInvalidParameter, "Domain cannot contain reserved word: %s", reserved)
		}
	}
	return nil
}
