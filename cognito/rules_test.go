package cognito_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

func TestForms(t *testing.T) {
	f := newFixture(t)
	for range 20 {
		c := f.client("c", machine(readScope))
		for _, tt := range []struct{ name, value, pattern string }{
			{"cognito 1.5: client id", c.ClientID, `^[0-9a-v]{25,26}$`},
			{"cognito 1.5: client secret", c.ClientSecret.Reveal(), `^[0-9a-v]{48,52}$`},
			{"cognito 1.5: pool id", f.pool, `^ap-southeast-1_[0-9a-zA-Z]{9}$`},
		} {
			if !regexp.MustCompile(tt.pattern).MatchString(tt.value) {
				t.Errorf("%s has %d characters and does not match %s", tt.name, len(tt.value), tt.pattern)
			}
		}
	}
}

// TestClientRules: sections 2.2 and 2.3, over several settings at once.
func TestClientRules(t *testing.T) {
	f := newFixture(t)
	secret := func(s cognito.ClientSettings) cognito.CreateUserPoolClientInput {
		return cognito.CreateUserPoolClientInput{GenerateSecret: true, ClientSettings: s}
	}
	public := func(s cognito.ClientSettings) cognito.CreateUserPoolClientInput {
		return cognito.CreateUserPoolClientInput{ClientSettings: s}
	}
	valid := func(value int, unit string) cognito.CreateUserPoolClientInput {
		return public(cognito.ClientSettings{AccessTokenValidity: value, TokenValidityUnits: &cognito.TokenValidityUnits{AccessToken: unit}})
	}
	flows := func(flows ...string) cognito.CreateUserPoolClientInput {
		return public(cognito.ClientSettings{ExplicitAuthFlows: flows})
	}
	both := machine(readScope)
	both.AllowedOAuthFlows = []string{"client_credentials", "code"}
	noScopes := machine()
	for _, tt := range []struct {
		name       string
		in         cognito.CreateUserPoolClientInput
		code, text string
	}{
		{"a machine", secret(machine(readScope)), "", ""},
		{"2.3.4 field cfn-guide#564: scope before its resource server", secret(machine("https://new.example.com/x")), "ScopeDoesNotExistException", "Invalid scope requested: https://new.example.com/x"},
		{"2.3.4: a scope that its resource server has not", secret(machine("https://api.example.com/demo.delete")), "ScopeDoesNotExistException", ""},
		{"2.3.4: also without a flow", public(cognito.ClientSettings{AllowedOAuthScopes: []string{"x/y"}}), "ScopeDoesNotExistException", ""},
		{"2.3.3 field: not along with code", secret(both), "InvalidOAuthFlowException", "client_credentials flow can not be selected along with code flow or implicit flow."},
		{"2.3.3 field: needs a secret", public(machine(readScope)), "InvalidOAuthFlowException", "client_credentials flow can not be selected if client does not have a client secret."},
		{"2.3.3 field terraform#4984: openid", secret(machine("openid")), "InvalidOAuthFlowException", "openid is not supported with client_credentials flow"},
		{"2.3.2 field: flag without scopes", secret(noScopes), "InvalidParameterException", "AllowedOAuthFlows and AllowedOAuthScopes are required if user pool client is allowed to use OAuth flows."},
		{"2.3.2 field: flag alone", public(cognito.ClientSettings{AllowedOAuthFlowsUserPoolClient: true}), "InvalidParameterException", ""},
		{"1.2 field: flows without the flag are stored", secret(cognito.ClientSettings{AllowedOAuthFlows: []string{"client_credentials"}, AllowedOAuthScopes: []string{readScope}}), "", ""},
		{"2.3.5: GenerateSecret and ClientSecret", cognito.CreateUserPoolClientInput{GenerateSecret: true, ClientSecret: "abcdefghijklmnopqrstuvwx"}, "InvalidParameterException", ""},
		{"1.7: a chosen secret", cognito.CreateUserPoolClientInput{ClientSecret: "abcdefghijklmnopqrstuv+_", ClientSettings: machine(readScope)}, "", ""},
		{"2.2: secret of 23 characters", cognito.CreateUserPoolClientInput{ClientSecret: "abcdefghijklmnopqrstuvw"}, "InvalidParameterException", ""},
		{"2.3.5: ALLOW_CLIENT_TOKEN_AUTH stands alone", flows("ALLOW_CLIENT_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"), "InvalidParameterException", ""},
		{"2.2: legacy flows and ALLOW_ flows", flows("ADMIN_NO_SRP_AUTH", "ALLOW_USER_SRP_AUTH"), "InvalidParameterException", ""},
		{"2.2: an unknown flow", flows("ALLOW_ANYTHING"), "InvalidParameterException", ""},
		{"1.6: 4 minutes", valid(4, "minutes"), "InvalidParameterException", "Invalid range for token validity."},
		{"1.6: 5 minutes", valid(5, "minutes"), "", ""},
		{"1.6: 299 seconds", valid(299, "seconds"), "InvalidParameterException", ""},
		{"1.6: 86400 seconds", valid(86400, "seconds"), "", ""},
		{"1.6: 25 hours", valid(25, "hours"), "InvalidParameterException", ""},
		{"1.6: 2 days", valid(2, "days"), "InvalidParameterException", ""},
		{"1.6: 86401 is above the model", valid(86401, "seconds"), "InvalidParameterException", ""},
		{"1.6: an unknown unit", valid(1, "weeks"), "InvalidParameterException", ""},
		{"1.6: refresh tokens, ten years", public(cognito.ClientSettings{RefreshTokenValidity: 3650}), "", ""},
		{"1.6: refresh tokens, more", public(cognito.ClientSettings{RefreshTokenValidity: 3651}), "InvalidParameterException", ""},
		{"1.6: refresh tokens, the model's most", public(cognito.ClientSettings{RefreshTokenValidity: 315360000}), "InvalidParameterException", ""},
		{"another identity provider", public(cognito.ClientSettings{SupportedIdentityProviders: []string{"COGNITO", "Google"}}), "InvalidParameterException", "The provider Google does not exist for User Pool " + f.pool + "."},
		{"2.2: 51 scopes", secret(machine(slices.Repeat([]string{readScope}, 51)...)), "InvalidParameterException", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.in.UserPoolID, tt.in.ClientName = f.pool, "c"
			_, err := f.service.CreateUserPoolClient(t.Context(), tt.in)
			wantAPIError(t, err, tt.code, tt.text)
		})
	}
}

// TestUpdateResets: section 2.3.1.
func TestUpdateResets(t *testing.T) {
	f := newFixture(t)
	settings := machine(readScope)
	settings.AccessTokenValidity, settings.SupportedIdentityProviders = 2, []string{"COGNITO"}
	no := false
	settings.EnableTokenRevocation = &no
	c := f.client("before", settings)
	got := must(f.service.UpdateUserPoolClient(t.Context(), cognito.UpdateUserPoolClientInput{UserPoolID: f.pool, ClientID: c.ClientID}))(t).UserPoolClient
	if got.ClientName != "before" || got.ClientSecret != c.ClientSecret || !got.CreationDate.Equal(c.CreationDate.Time) {
		t.Error("an update changed name, secret or creation date")
	}
	if len(got.AllowedOAuthFlows)+len(got.AllowedOAuthScopes)+len(got.SupportedIdentityProviders)+got.AccessTokenValidity != 0 ||
		got.AllowedOAuthFlowsUserPoolClient || !*got.EnableTokenRevocation {
		t.Errorf("an update kept what it was not told: %+v", got.ClientSettings)
	}

	must(f.service.UpdateUserPool(t.Context(), cognito.UpdateUserPoolInput{
		UserPoolID: f.pool, PoolName: "renamed", DeletionProtection: "ACTIVE", UserPoolTags: map[string]string{"a": "b"},
		PoolSettings: cognito.PoolSettings{Policies: []byte(`{"PasswordPolicy":{"MinimumLength":20}}`)},
	}))(t)
	must(f.service.UpdateUserPool(t.Context(), cognito.UpdateUserPoolInput{UserPoolID: f.pool}))(t)
	p := must(f.service.DescribeUserPool(t.Context(), cognito.DescribeUserPoolInput{UserPoolID: f.pool}))(t).UserPool
	if p.Name != "renamed" || p.DeletionProtection != "INACTIVE" || len(p.UserPoolTags) != 0 || strings.Contains(string(p.Policies), "20") || len(p.SchemaAttributes) == 0 {
		t.Errorf("pool after an empty update: %+v", p)
	}

	must(f.service.UpdateResourceServer(t.Context(), cognito.UpdateResourceServerInput{UserPoolID: f.pool, Identifier: "https://api.example.com", Name: "n"}))(t)
	rs := must(f.service.DescribeResourceServer(t.Context(), cognito.DescribeResourceServerInput{UserPoolID: f.pool, Identifier: "https://api.example.com"}))(t)
	if len(rs.ResourceServer.Scopes) != 0 {
		t.Error("UpdateResourceServer kept scopes that it was not told")
	}
	_, err := f.service.UpdateUserPoolClient(t.Context(), cognito.UpdateUserPoolClientInput{UserPoolID: f.pool, ClientID: c.ClientID, ClientSettings: settings})
	wantAPIError(t, err, "ScopeDoesNotExistException", "Invalid scope requested: "+readScope)
}

func TestDomains(t *testing.T) {
	f := newFixture(t)
	other := must(f.service.CreateUserPool(t.Context(), cognito.CreateUserPoolInput{PoolName: "other"}))(t).UserPool.ID
	custom := &cognito.CustomDomainConfig{CertificateARN: "arn:aws:acm:us-east-1:000000000000:certificate/a"}
	create := func(pool, domain string, c *cognito.CustomDomainConfig) error {
		_, err := f.service.CreateUserPoolDomain(t.Context(), cognito.CreateUserPoolDomainInput{UserPoolID: pool, Domain: domain, CustomDomainConfig: c})
		return err
	}
	wantAPIError(t, create(f.pool, "demo-prefix", nil), "", "")
	wantAPIError(t, create(f.pool, "auth.example.com", custom), "", "")
	for _, tt := range []struct {
		name, pool, domain string
		custom             *cognito.CustomDomainConfig
		code               string
	}{
		{"2.3.7: taken", other, "demo-prefix", nil, "InvalidParameterException"},
		{"2.3.7: two prefixes on one pool", f.pool, "second", nil, "InvalidParameterException"},
		{"two custom domains on one pool", f.pool, "b.example.com", custom, "InvalidParameterException"},
		{"1.5: upper case", other, "Demo", nil, "InvalidParameterException"},
		{"1.5: ends in a dash", other, "demo-", nil, "InvalidParameterException"},
		{"1.5: 64 characters", other, strings.Repeat("a", 64), nil, "InvalidParameterException"},
		{"1.5: reserved word", other, "my-cognito-app", nil, "InvalidParameterException"},
		{"a prefix is no host", other, "a.b", nil, "InvalidParameterException"},
		{"a custom domain is one", other, "prefix", custom, "InvalidParameterException"},
		{"unknown pool", "ap-southeast-1_000000000", "free", nil, "ResourceNotFoundException"},
	} {
		t.Run(tt.name, func(t *testing.T) { wantAPIError(t, create(tt.pool, tt.domain, tt.custom), tt.code, "") })
	}

	d := must(f.service.DescribeUserPoolDomain(t.Context(), cognito.DescribeUserPoolDomainInput{Domain: "demo-prefix"}))(t).DomainDescription
	if d.Status != "ACTIVE" || d.UserPoolID != f.pool {
		t.Errorf("domain %+v", d)
	}
	missing := must(f.service.DescribeUserPoolDomain(t.Context(), cognito.DescribeUserPoolDomainInput{Domain: "nobody"}))(t)
	if missing.DomainDescription != (cognito.DomainDescription{}) {
		t.Errorf("2.4: a missing domain is empty, got %+v", missing)
	}
	p := must(f.service.DescribeUserPool(t.Context(), cognito.DescribeUserPoolInput{UserPoolID: f.pool}))(t).UserPool
	if p.Domain != "demo-prefix" || p.CustomDomain != "auth.example.com" {
		t.Errorf("pool has domains %q and %q", p.Domain, p.CustomDomain)
	}

	_, err := f.service.UpdateUserPoolDomain(t.Context(), cognito.UpdateUserPoolDomainInput{UserPoolID: f.pool, Domain: "auth.example.com"})
	wantAPIError(t, err, "InvalidParameterException", "Cannot convert custom domain to prefix domain.")
	_, err = f.service.DeleteUserPool(t.Context(), cognito.DeleteUserPoolInput{UserPoolID: f.pool})
	wantAPIError(t, err, "InvalidParameterException", "User pool cannot be deleted. It has a domain configured that should be deleted first.")
	_, err = f.service.DeleteUserPoolDomain(t.Context(), cognito.DeleteUserPoolDomainInput{UserPoolID: other, Domain: "demo-prefix"})
	wantAPIError(t, err, "ResourceNotFoundException", "")
	for _, domain := range []string{"demo-prefix", "auth.example.com"} {
		must(f.service.DeleteUserPoolDomain(t.Context(), cognito.DeleteUserPoolDomainInput{UserPoolID: f.pool, Domain: domain}))(t)
	}
	must(f.service.DeleteUserPool(t.Context(), cognito.DeleteUserPoolInput{UserPoolID: f.pool}))(t)
	_, err = f.service.Token(t.Context(), f.request(f.reader, ""))
	if err == nil {
		t.Error("a client of a deleted pool got a token")
	}
	records, _, err := f.store.Load(t.Context())
	if err != nil || slices.ContainsFunc(records, func(r cognito.Record) bool { return r.PoolID == f.pool }) {
		t.Errorf("a deleted pool left records in the store (%v)", err)
	}
}

func TestDeletionProtection(t *testing.T) {
	f := newFixture(t)
	id := must(f.service.CreateUserPool(t.Context(), cognito.CreateUserPoolInput{PoolName: "p", DeletionProtection: "ACTIVE"}))(t).UserPool.ID
	_, err := f.service.DeleteUserPool(t.Context(), cognito.DeleteUserPoolInput{UserPoolID: id})
	wantAPIError(t, err, "InvalidParameterException", "")
	must(f.service.UpdateUserPool(t.Context(), cognito.UpdateUserPoolInput{UserPoolID: id, DeletionProtection: "INACTIVE"}))(t)
	must(f.service.DeleteUserPool(t.Context(), cognito.DeleteUserPoolInput{UserPoolID: id}))(t)
}

func TestResourceServerRules(t *testing.T) {
	f := newFixture(t)
	create := func(id, name string, scopes ...string) error {
		in := cognito.CreateResourceServerInput{UserPoolID: f.pool, Identifier: id, Name: name}
		for _, s := range scopes {
			in.Scopes = append(in.Scopes, cognito.ResourceServerScope{ScopeName: s, ScopeDescription: "d"})
		}
		_, err := f.service.CreateResourceServer(t.Context(), in)
		return err
	}
	var many []string
	for i := range 101 {
		many = append(many, fmt.Sprint("s", i))
	}
	for _, tt := range []struct {
		name string
		err  error
		code string
	}{
		{"2.3.7: taken", create("https://api.example.com", "n"), "InvalidParameterException"},
		{"2.2: Name is required", create("a", ""), "InvalidParameterException"},
		{"2.2: a space in the identifier", create("a b", "n"), "InvalidParameterException"},
		{"2.2: a slash in a scope", create("a", "n", "x/y"), "InvalidParameterException"},
		{"a scope twice", create("a", "n", "x", "x"), "InvalidParameterException"},
		{"2.2: 101 scopes", create("a", "n", many...), "InvalidParameterException"},
		{"2.2: 100 scopes", create("a", "n", many[:100]...), ""},
		{"no scopes", create("b", "n"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) { wantAPIError(t, tt.err, tt.code, "") })
	}
	for i := range 22 {
		wantAPIError(t, create(fmt.Sprint("server", i), "n"), "", "")
	}
	wantAPIError(t, create("one-too-many", "n"), "LimitExceededException", "")
}

func TestPaging(t *testing.T) {
	f := newFixture(t)
	want := []string{f.reader.ClientID}
	for range 6 {
		want = append(want, f.client("c", cognito.ClientSettings{}).ClientID)
	}
	slices.Sort(want)
	var got []string
	in := cognito.ListUserPoolClientsInput{UserPoolID: f.pool, MaxResults: 2}
	for pages := 0; ; pages++ {
		out := must(f.service.ListUserPoolClients(t.Context(), in))(t)
		for _, c := range out.UserPoolClients {
			got = append(got, c.ClientID)
		}
		// What is created or deleted between two pages disturbs nothing else.
		if pages == 0 {
			must(f.service.DeleteUserPoolClient(t.Context(), cognito.DeleteUserPoolClientInput{UserPoolID: f.pool, ClientID: got[1]}))(t)
		}
		if in.NextToken = out.NextToken; in.NextToken == "" {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("paged %d clients, want %d, each once", len(got), len(want))
	}
	first := must(f.service.ListUserPoolClients(t.Context(), cognito.ListUserPoolClientsInput{UserPoolID: f.pool, MaxResults: 2}))(t)
	_, err := f.service.ListResourceServers(t.Context(), cognito.ListResourceServersInput{UserPoolID: f.pool, NextToken: first.NextToken})
	wantAPIError(t, err, "InvalidParameterException", "Invalid pagination token.")
	_, err = f.service.ListUserPoolClients(t.Context(), cognito.ListUserPoolClientsInput{UserPoolID: f.pool, NextToken: "!"})
	wantAPIError(t, err, "InvalidParameterException", "Invalid pagination token.")

	pools := must(f.service.ListUserPools(t.Context(), cognito.ListUserPoolsInput{MaxResults: 60}))(t)
	if len(pools.UserPools) != 1 || pools.NextToken != "" {
		t.Errorf("%d pools and token %q", len(pools.UserPools), pools.NextToken)
	}
}

func TestTags(t *testing.T) {
	f := newFixture(t)
	arn := must(f.service.DescribeUserPool(t.Context(), cognito.DescribeUserPoolInput{UserPoolID: f.pool}))(t).UserPool.ARN
	must(f.service.TagResource(t.Context(), cognito.TagResourceInput{ResourceARN: arn, Tags: map[string]string{"a": "1", "b": "2"}}))(t)
	must(f.service.TagResource(t.Context(), cognito.TagResourceInput{ResourceARN: arn, Tags: map[string]string{"b": "3"}}))(t)
	must(f.service.UntagResource(t.Context(), cognito.UntagResourceInput{ResourceARN: arn, TagKeys: []string{"a", "never"}}))(t)
	got := must(f.service.ListTagsForResource(t.Context(), cognito.ListTagsForResourceInput{ResourceARN: arn}))(t).Tags
	if len(got) != 1 || got["b"] != "3" {
		t.Errorf("tags %v, want b=3", got)
	}
	many := map[string]string{}
	for i := range 50 {
		many[fmt.Sprint("k", i)] = ""
	}
	_, err := f.service.TagResource(t.Context(), cognito.TagResourceInput{ResourceARN: arn, Tags: many})
	wantAPIError(t, err, "InvalidParameterException", "")
	_, err = f.service.ListTagsForResource(t.Context(), cognito.ListTagsForResourceInput{ResourceARN: strings.Replace(arn, "000000000000", "111111111111", 1)})
	wantAPIError(t, err, "ResourceNotFoundException", "")
}
