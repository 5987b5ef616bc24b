package cognito_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

// TestResetNamesWhatWasNotSaid: of a call of the JSON API what it leaves out, and not what it says to be the default.
func TestResetNamesWhatWasNotSaid(t *testing.T) {
	const flows = `"AllowedOAuthFlows":["client_credentials"],"AllowedOAuthScopes":["` + readScope + `"]`
	for _, c := range []struct{ name, operation, rest, want string }{
		{"terraform#34945: flows without the flag", "UpdateUserPoolClient", flows, "AllowedOAuthFlowsUserPoolClient EnablePropagateAdditionalUserContextData"},
		{"the flag said to be false", "UpdateUserPoolClient", flows + `,"AllowedOAuthFlowsUserPoolClient":false,"EnablePropagateAdditionalUserContextData":false`, ""},
		{"the flag said to be null", "UpdateUserPoolClient", flows + `,"AllowedOAuthFlowsUserPoolClient":null`, "AllowedOAuthFlowsUserPoolClient EnablePropagateAdditionalUserContextData"},
		{"all of it said", "UpdateUserPoolClient", flows + `,"AllowedOAuthFlowsUserPoolClient":true,"EnablePropagateAdditionalUserContextData":true`, ""},
		{"scopes of a resource server", "UpdateResourceServer", `"Identifier":"https://api.example.com","Name":"Gateway"`, "Scopes"},
		{"fewer scopes", "UpdateResourceServer", `"Identifier":"https://api.example.com","Name":"Gateway","Scopes":[]`, ""},
		{"a domain's version", "UpdateUserPoolDomain", `"Domain":"demo-prefix"`, "ManagedLoginVersion"},
		{"a domain's version said", "UpdateUserPoolDomain", `"Domain":"demo-prefix","ManagedLoginVersion":1`, ""},
		{"MFA", "SetUserPoolMfaConfig", `"MfaConfiguration":"OPTIONAL"`, "SoftwareTokenMfaConfiguration"},
		{"MFA, nothing said", "SetUserPoolMfaConfig", `"MfaConfiguration":null`, "MfaConfiguration SoftwareTokenMfaConfiguration"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var tr trail
			f := newFixture(t)
			settings := machine(readScope)
			settings.EnablePropagateAdditionalUserContextData = true
			client := f.client("c", settings)
			must(f.service.CreateUserPoolDomain(t.Context(), cognito.CreateUserPoolDomainInput{UserPoolID: f.pool, Domain: "demo-prefix", ManagedLoginVersion: 2}))(t)
			must(f.service.SetUserPoolMfaConfig(t.Context(), cognito.SetUserPoolMfaConfigInput{
				UserPoolID: f.pool, MfaConfiguration: "OPTIONAL", MfaSettings: cognito.MfaSettings{SoftwareTokenMfaConfiguration: []byte(`{"Enabled":true}`)},
			}))(t)
			f.service = newService(t, cognito.Config{Store: f.store, Audit: tr.record})
			body := `{"UserPoolId":"` + f.pool + `","ClientId":"` + client.ClientID + `",` + c.rest + `}`
			if res := (wire{t, cognito.Handler(f.service, cognito.HandlerConfig{})}).call(c.operation, body); res.Code != 200 {
				t.Fatalf("%d %s", res.Code, res.Body)
			}
			if got := strings.Join(tr.last(t).Reset, " "); got != c.want {
				t.Errorf("reset %q, want %q", got, c.want)
			}
		})
	}
}

// TestResetOfATypedUpdate: in Go, false is how a flag is left out.
func TestResetOfATypedUpdate(t *testing.T) {
	var tr trail
	f := newFixture(t)
	f.service = newService(t, cognito.Config{Store: f.store, Audit: tr.record})
	no := false
	settings := machine(readScope)
	settings.AllowedOAuthFlowsUserPoolClient, settings.EnableTokenRevocation = false, &no
	must(f.service.UpdateUserPoolClient(t.Context(), cognito.UpdateUserPoolClientInput{UserPoolID: f.pool, ClientID: f.reader.ClientID, ClientSettings: settings}))(t)
	if got := tr.last(t).Reset; !slices.Equal(got, []string{"AllowedOAuthFlowsUserPoolClient"}) {
		t.Errorf("reset %q", got)
	}
}
