package cognito_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

const handPool = "us-east-1_ByHand123"

// handWritten is a document as a person writes it: what it is about, and no dates, defaults or derived members. The parts are
// members after UserPool.
func handWritten(parts ...string) []byte {
	return []byte(`{"UserPool":{"Id":"` + handPool + `","Name":"by hand"},` + strings.Join(append(parts, `"MfaSettings":{}`), ",") + `}`)
}

func handDomain(rest string) string {
	return `"Domains":[{"UserPoolId":"` + handPool + `",` + rest + `}]`
}

func handServers(scopes string, ids ...string) string {
	var all []string
	for _, id := range ids {
		all = append(all, `{"UserPoolId":"`+handPool+`","Identifier":"`+id+`","Name":"n","Scopes":[`+scopes+`]}`)
	}
	return `"ResourceServers":[` + strings.Join(all, ",") + `]`
}

func handClient(rest string) string {
	return `{"UserPoolId":"` + handPool + `","ClientName":"reader","ClientId":"reader"` + rest + `}`
}

const (
	handScope  = `{"ScopeName":"read","ScopeDescription":"read"}`
	handSecret = `,"Secrets":[{"ID":"reader--1","Value":"chosen_secret_of_thirty_chars_"}]`
	handGrant  = `,"AllowedOAuthFlows":["client_credentials"],"AllowedOAuthScopes":["api/read"],"AllowedOAuthFlowsUserPoolClient":true`
)

// TestAPoolWrittenByHand: what the document does not say is what a new pool has, and the store can be read again.
func TestAPoolWrittenByHand(t *testing.T) {
	store := cognito.NewMemoryStore()
	document := handWritten(handDomain(`"Domain":"by-hand"`), handServers(handScope, "api"), `"Clients":[`+handClient(handSecret+handGrant+`,"CreationDate":null`)+`]`)
	must(newService(t, cognito.Config{Store: store}).ImportPool(t.Context(), document, cognito.ImportOptions{}))(t)

	s := newService(t, cognito.Config{Store: store})
	must(s.Token(t.Context(), cognito.TokenRequest{PoolID: handPool, GrantType: "client_credentials", ClientID: "reader", ClientSecret: "chosen_secret_of_thirty_chars_"}))(t)
	p := must(s.DescribeUserPool(t.Context(), cognito.DescribeUserPoolInput{UserPoolID: handPool}))(t).UserPool
	if !p.CreationDate.Equal(noon) || !p.LastModifiedDate.Equal(noon) || p.UserPoolTier != "ESSENTIALS" || len(p.SchemaAttributes) == 0 || p.Domain != "by-hand" {
		t.Errorf("pool %+v", p)
	}
	d := must(s.DescribeUserPoolDomain(t.Context(), cognito.DescribeUserPoolDomainInput{Domain: "by-hand"}))(t).DomainDescription
	if d.Status != "ACTIVE" || d.CloudFrontDistribution == "" || d.AWSAccountID == "" || d.Version == "" {
		t.Errorf("domain %+v", d)
	}
	c := must(s.DescribeUserPoolClient(t.Context(), cognito.DescribeUserPoolClientInput{UserPoolID: handPool, ClientID: "reader"}))(t).UserPoolClient
	if !c.CreationDate.Equal(noon) || c.RefreshTokenValidity != 30 || c.AuthSessionValidity != 3 {
		t.Errorf("client %+v", c)
	}
}

// TestNullIsAbsent: YAML has it for a name without a value, and Go for a member that is null.
func TestNullIsAbsent(t *testing.T) {
	s := newService(t, cognito.Config{})
	document := []byte(`{"UserPool":{"Id":"` + handPool + `","Name":"n","Policies":null,"LambdaConfig":null,"SmsConfiguration":null,"SchemaAttributes":null,"AliasAttributes":null},
		"MfaSettings":{"SmsMfaConfiguration":null}}`)
	must(s.ImportPool(t.Context(), document, cognito.ImportOptions{}))(t)
	null := []byte("null")
	typed := must(s.CreateUserPool(t.Context(), cognito.CreateUserPoolInput{
		PoolName: "n", PoolSettings: cognito.PoolSettings{Policies: null, SmsConfiguration: null}, PoolCreateSettings: cognito.PoolCreateSettings{Schema: null, AliasAttributes: null},
	}))(t).UserPool.ID
	must(s.SetUserPoolMfaConfig(t.Context(), cognito.SetUserPoolMfaConfigInput{UserPoolID: typed, MfaSettings: cognito.MfaSettings{SmsMfaConfiguration: null}}))(t)
	w := wire{t, cognito.Handler(s, cognito.HandlerConfig{})}
	for _, pool := range []string{handPool, typed} {
		for _, operation := range []string{"DescribeUserPool", "GetUserPoolMfaConfig"} {
			body := w.call(operation, `{"UserPoolId":"`+pool+`"}`).Body.String()
			if strings.Contains(body, "null") || operation == "DescribeUserPool" && !strings.Contains(body, `"MinimumLength":8`) {
				t.Errorf("%s of %s: %s", operation, pool, body)
			}
		}
	}
}

// TestImportSaysWhere: each mistake is refused, with the part that has it.
func TestImportSaysWhere(t *testing.T) {
	two := func(a, b string) string { return `"Clients":[` + handClient(a) + `,` + handClient(b) + `]` }
	one := func(rest string) string { return `"Clients":[` + handClient(rest) + `]` }
	custom := func(name string) string {
		return `{"UserPoolId":"` + handPool + `","Domain":"` + name + `","CustomDomainConfig":{"CertificateArn":"arn:aws:acm:us-east-1:000000000000:certificate/a"}}`
	}
	for _, c := range []struct {
		name     string
		document []byte
		text     string
	}{
		{"a client twice", handWritten(two("", "")), "App client reader: The document has it more than once."},
		{"a resource server twice", handWritten(handServers(handScope, "api", "api")), "Resource server api: The document has it more than once."},
		{"a scope twice", handWritten(handServers(handScope+","+handScope, "api")), "Resource server api: Scope read is given more than once."},
		{"two prefix domains", handWritten(`"Domains":[{"UserPoolId":"` + handPool + `","Domain":"a"},{"UserPoolId":"` + handPool + `","Domain":"b"}]`), "Domain b: User pool already has a domain configured."},
		{"two custom domains", handWritten(`"Domains":[` + custom("a.example.com") + `,` + custom("b.example.com") + `]`), "Domain b.example.com: User pool already has a domain configured."},
		{"a custom domain without its certificate", handWritten(handDomain(`"Domain":"a.example.com","CustomDomainConfig":{"SecurityPolicy":"TLS_V1"}`)), "Domain a.example.com: 1 validation error detected: Value null at 'customDomainConfig.certificateArn' failed to satisfy constraint: Member must not be null"},
		{"a secret id twice", handWritten(one(`,"Secrets":[{"ID":"a"},{"ID":"a"}]`)), "App client reader: Two secrets have one ID."},
		{"three secrets", handWritten(one(`,"Secrets":[{"ID":"a"},{"ID":"b"},{"ID":"c"}]`)), "App client reader: It has more than 2 secrets."},
		{"a secret without an id", handWritten(one(`,"Secrets":[{"Value":"chosen_secret_of_thirty_chars_"}]`)), "App client reader: A secret has no ID."},
		{"a secret of 23 characters", handWritten(one(`,"Secrets":[{"ID":"a","Value":"abcdefghijklmnopqrstuvw"}]`)), "App client reader: 1 validation error detected: Value at 'clientSecret' failed to satisfy constraint: Member must have length greater than or equal to 24"},
		{"a token that lives longer than keys do", handWritten(one(`,"AccessTokenValidity":86400`)), "App client reader: Invalid range for token validity."},
		{"a pool's setting", []byte(`{"UserPool":{"Id":"` + handPool + `","Name":"n","UserPoolTier":"GOLD"}}`), "UserPool: 1 validation error detected: Value 'GOLD' at 'userPoolTier' failed to satisfy constraint: Member must satisfy enum value set: [LITE, ESSENTIALS, PLUS]"},
		{"an MFA setting", []byte(`{"UserPool":{"Id":"` + handPool + `","Name":"n"},"MfaSettings":{"SoftwareTokenMfaConfiguration":{"Enabled":"yes"}}}`), "UserPool: SoftwareTokenMfaConfiguration.Enabled: want boolean, got JSON string"},
		{"a date in words", []byte(`{"UserPool":{"Id":"` + handPool + `","Name":"n","CreationDate":"2026-03-04T12:00:00Z"}}`), "The pool cannot be read: a date is not a number of seconds since 1970."},
		{"a date before 1970", []byte(`{"UserPool":{"Id":"` + handPool + `","Name":"n","CreationDate":-1}}`), "The pool cannot be read: a date is not a number of seconds since 1970."},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newService(t, cognito.Config{})
			_, err := s.ImportPool(t.Context(), c.document, cognito.ImportOptions{})
			if err == nil {
				t.Fatal("it was imported")
			}
			code := cognito.CodeInvalidParameter
			switch {
			case strings.Contains(c.text, "more than 2 secrets"):
				code = cognito.CodeLimitExceeded
			case strings.Contains(c.text, "got JSON"):
				code = cognito.CodeSerialization
			}
			wantAPIError(t, err, code, c.text)
			if pools := s.PoolIDs(); len(pools) > 0 {
				t.Errorf("the pool is there: %q", pools)
			}
		})
	}
}

// TestReplaceRemovesOnlyWhatIsGone: the trail of an import tells of what changed, and not that all was deleted.
func TestReplaceRemovesOnlyWhatIsGone(t *testing.T) {
	var tr trail
	f := everything(t)
	f.service = newService(t, cognito.Config{Store: f.store, Audit: tr.record})
	document := must(f.service.ExportPool(f.pool, cognito.ExportOptions{Keys: true}))(t)
	late := f.client("late", machine(readScope))
	must(f.service.ImportPool(t.Context(), document, cognito.ImportOptions{Replace: true}))(t)
	var deleted []string
	for _, c := range tr.last(t).Changes {
		if c.Before != nil && c.After == nil {
			deleted = append(deleted, c.ID)
		}
	}
	if !slices.Equal(deleted, []string{late.ClientID}) {
		t.Errorf("deleted %q, want %s alone", deleted, late.ClientID)
	}
}
