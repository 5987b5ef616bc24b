package cognito_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

// everything is a fixture whose pool has one of each thing.
func everything(t *testing.T) *fixture {
	f := newFixture(t)
	f.client("second", machine(readScope, writeScope))
	public := cognito.CreateUserPoolClientInput{UserPoolID: f.pool, ClientName: "public"}
	must(f.service.CreateUserPoolClient(t.Context(), public))(t)
	must(f.service.AddUserPoolClientSecret(t.Context(), cognito.AddUserPoolClientSecretInput{UserPoolID: f.pool, ClientID: f.reader.ClientID}))(t)
	must(f.service.CreateUserPoolDomain(t.Context(), cognito.CreateUserPoolDomainInput{UserPoolID: f.pool, Domain: "demo-prefix"}))(t)
	must(f.service.SetUserPoolMfaConfig(t.Context(), cognito.SetUserPoolMfaConfigInput{
		UserPoolID: f.pool, MfaConfiguration: "OPTIONAL", MfaSettings: cognito.MfaSettings{SoftwareTokenMfaConfiguration: json.RawMessage(`{"Enabled":true}`)},
	}))(t)
	must(f.service.RotateKey(t.Context(), cognito.RotateKeyInput{UserPoolID: f.pool}))(t)
	return f
}

// TestAPoolThatIsImportedExportsTheSame into an empty store, with its keys and secrets, and its old tokens verify.
func TestAPoolThatIsImportedExportsTheSame(t *testing.T) {
	f := everything(t)
	all := cognito.ExportOptions{Secrets: true, Keys: true}
	document := must(f.service.ExportPool(f.pool, all))(t)
	other := newService(t, cognito.Config{})
	result := must(other.ImportPool(t.Context(), document, cognito.ImportOptions{}))(t)
	if result.PoolID != f.pool || len(result.NewSecrets) > 0 {
		t.Errorf("got %+v", result)
	}
	if again := must(other.ExportPool(f.pool, all))(t); string(again) != string(document) {
		t.Errorf("the round trip changed\n%s\nto\n%s", document, again)
	}
	was := must(f.service.Keys(f.pool))(t)
	if is := must(other.Keys(f.pool))(t); !slices.Equal(was, is) {
		t.Errorf("keys\n got %+v\nwant %+v", is, was)
	}
	request := cognito.TokenRequest{PoolID: f.pool, GrantType: "client_credentials", ClientID: f.reader.ClientID, ClientSecret: f.reader.ClientSecret}
	if _, err := other.Token(t.Context(), request); err != nil {
		t.Error(err)
	}
	_, err := other.ImportPool(t.Context(), document, cognito.ImportOptions{})
	wantAPIError(t, err, cognito.CodeInvalidParameter, "User pool "+f.pool+" exists already.")
}

func TestSecretsAreExportedWhenAsked(t *testing.T) {
	f := everything(t)
	document := must(f.service.ExportPool(f.pool, cognito.ExportOptions{}))(t)
	if strings.Contains(string(document), f.reader.ClientSecret.Reveal()) || strings.Contains(string(document), "PKCS8") || strings.Contains(string(document), "redacted") {
		t.Errorf("the document has a secret:\n%s", document)
	}
	other := newService(t, cognito.Config{})
	result := must(other.ImportPool(t.Context(), document, cognito.ImportOptions{}))(t)
	if len(result.NewSecrets) != 2 || !slices.Contains(result.NewSecrets, f.reader.ClientID) {
		t.Errorf("new secrets: %q", result.NewSecrets)
	}
	if again := must(other.ExportPool(f.pool, cognito.ExportOptions{}))(t); string(again) != string(document) {
		t.Errorf("the round trip changed\n%s\nto\n%s", document, again)
	}
	got := must(other.DescribeUserPoolClient(t.Context(), cognito.DescribeUserPoolClientInput{UserPoolID: f.pool, ClientID: f.reader.ClientID}))(t)
	if got.UserPoolClient.ClientSecret == "" || got.UserPoolClient.ClientSecret == f.reader.ClientSecret {
		t.Error("the client has no new secret")
	}
}

// TestReplace: what the document does not have is gone, and what it does not say stays.
func TestReplace(t *testing.T) {
	f := everything(t)
	document := must(f.service.ExportPool(f.pool, cognito.ExportOptions{}))(t)
	keys := must(f.service.Keys(f.pool))(t)
	f.client("late", machine(readScope))
	result := must(f.service.ImportPool(t.Context(), document, cognito.ImportOptions{Replace: true}))(t)
	if len(result.NewSecrets) > 0 {
		t.Errorf("new secrets: %q", result.NewSecrets)
	}
	if again := must(f.service.ExportPool(f.pool, cognito.ExportOptions{}))(t); string(again) != string(document) {
		t.Errorf("got\n%s\nwant\n%s", again, document)
	}
	if now := must(f.service.Keys(f.pool))(t); !slices.Equal(now, keys) {
		t.Errorf("keys\n got %+v\nwant %+v", now, keys)
	}
	request := cognito.TokenRequest{PoolID: f.pool, GrantType: "client_credentials", ClientID: f.reader.ClientID, ClientSecret: f.reader.ClientSecret}
	if _, err := f.service.Token(t.Context(), request); err != nil {
		t.Errorf("a secret whose value was not in the document is lost: %v", err)
	}
}

func TestImportRefuses(t *testing.T) {
	f := everything(t)
	document := string(must(f.service.ExportPool(f.pool, cognito.ExportOptions{Secrets: true, Keys: true}))(t))
	id := f.reader.ClientID
	for _, tt := range []struct{ name, old, new, code, text string }{
		{"no JSON", document, "pool", cognito.CodeInvalidParameter, "The pool cannot be read: it is not the JSON of a pool."},
		{"two", document, document + document, cognito.CodeInvalidParameter, "The pool cannot be read: there is more than one."},
		{"an unknown member", `{"UserPool":{`, `{"Pool":1,"UserPool":{`, cognito.CodeInvalidParameter, `The pool cannot be read: unknown field "Pool".`},
		{"a member of another type", `"ClientName":"reader"`, `"ClientName":1`, cognito.CodeInvalidParameter, "The pool cannot be read: Clients.ClientName: want string, got JSON number."},
		{"a list for a structure", `"MfaSettings":{`, `"MfaSettings":[],"mfa":{`, cognito.CodeInvalidParameter, "The pool cannot be read: MfaSettings: want object, got JSON array."},
		{"no id", `"Id":"` + f.pool + `"`, `"Id":"nonsense"`, cognito.CodeInvalidParameter, ""},
		{"a client of another pool", `"UserPoolId":"` + f.pool + `","ClientName":"reader"`, `"UserPoolId":"us-east-1_other","ClientName":"reader"`, cognito.CodeInvalidParameter, "App client " + id + ": It is a part of another user pool, us-east-1_other."},
		{"a name", `"ClientName":"reader"`, `"ClientName":"\u0000"`, cognito.CodeInvalidParameter, ""},
		{"a secret that is too short", f.reader.ClientSecret.Reveal(), "short", cognito.CodeInvalidParameter, ""},
		{"a client without an id", `"ClientId":"` + id + `"`, `"ClientId":""`, cognito.CodeInvalidParameter, ""},
		{"a domain", `"Domain":"demo-prefix"`, `"Domain":"amazon"`, cognito.CodeInvalidParameter, "Domain amazon: Domain cannot contain reserved word: amazon"},
		{"a key that is none", `"PKCS8":"`, `"PKCS8":"AAAA`, cognito.CodeInvalidParameter, ""},
		{"a key under another's id", `"Use":"access","PKCS8"`, `"Use":"id","PKCS8"`, cognito.CodeInvalidParameter, "The document has signing keys, and none of them is for access tokens."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(document, tt.old) {
				t.Fatalf("the document does not have %s", tt.old)
			}
			other := newService(t, cognito.Config{})
			_, err := other.ImportPool(t.Context(), []byte(strings.ReplaceAll(document, tt.old, tt.new)), cognito.ImportOptions{})
			wantAPIError(t, err, tt.code, tt.text)
			if pools := other.PoolIDs(); len(pools) > 0 {
				t.Errorf("the pool is there: %q", pools)
			}
		})
	}
}

// TestIdsThatAnotherPoolHas: a client's id and a domain are one pool's.
func TestIdsThatAnotherPoolHas(t *testing.T) {
	f := everything(t)
	document := string(must(f.service.ExportPool(f.pool, cognito.ExportOptions{}))(t))
	other := strings.ReplaceAll(document, f.pool, "us-east-1_AAAAAAAAA")
	_, err := f.service.ImportPool(t.Context(), []byte(other), cognito.ImportOptions{})
	wantAPIError(t, err, cognito.CodeInvalidParameter, "")
	if !strings.Contains(err.Error(), "exists already, in user pool "+f.pool) {
		t.Error(err)
	}
}

// TestPoolDocumentSaysWhichAnswer cannot be read, and nothing of what is in it.
func TestPoolDocumentSaysWhichAnswer(t *testing.T) {
	_, err := cognito.PoolDocument([]byte(`{}`), []byte(`{}`), nil, nil, []json.RawMessage{[]byte(`{"ClientSecret":{"hush":1}}`), []byte(`hush`)})
	want := "cognito: the answer to DescribeUserPoolClient cannot be read: ClientSecret: want string, got JSON object\n" +
		"cognito: the answer to DescribeUserPoolClient cannot be read: it is not the JSON of a pool"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}
