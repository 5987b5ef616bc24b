package cognito_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

// TestSecretRotation: section 1.7: two live secrets, both honoured, and what of them is shown.
func TestSecretRotation(t *testing.T) {
	f := newFixture(t)
	works := func(name string, secret cognito.Secret, want bool) {
		t.Helper()
		c := f.reader
		c.ClientSecret = secret
		if _, err := f.service.Token(t.Context(), f.request(c, "")); (err == nil) != want {
			t.Errorf("%s: error %v", name, err)
		}
	}
	name := func() cognito.AddUserPoolClientSecretInput {
		return cognito.AddUserPoolClientSecretInput{UserPoolID: f.pool, ClientID: f.reader.ClientID}
	}
	list := func() []cognito.ClientSecretDescriptor {
		return must(f.service.ListUserPoolClientSecrets(t.Context(), cognito.ListUserPoolClientSecretsInput{UserPoolID: f.pool, ClientID: f.reader.ClientID}))(t).ClientSecrets
	}
	remove := func(id string) error {
		_, err := f.service.DeleteUserPoolClientSecret(t.Context(), cognito.DeleteUserPoolClientSecretInput{UserPoolID: f.pool, ClientID: f.reader.ClientID, ClientSecretID: id})
		return err
	}
	original := f.reader.ClientSecret
	wantAPIError(t, remove(list()[0].ClientSecretID), "InvalidParameterException", "")

	second := must(f.service.AddUserPoolClientSecret(t.Context(), name()))(t).ClientSecretDescriptor
	works("the original", original, true)
	works("the second", second.ClientSecretValue, true)
	works("neither", original+"x", false)
	secrets := list()
	if len(secrets) != 2 || secrets[0].ClientSecretValue != "" || secrets[1].ClientSecretID != second.ClientSecretID {
		t.Errorf("ListUserPoolClientSecrets: %+v", secrets)
	}
	if !strings.HasPrefix(second.ClientSecretID, f.reader.ClientID+"--") || secrets[0].ClientSecretID == secrets[1].ClientSecretID {
		t.Errorf("secret ids %q and %q", secrets[0].ClientSecretID, secrets[1].ClientSecretID)
	}
	_, err := f.service.AddUserPoolClientSecret(t.Context(), name())
	wantAPIError(t, err, "LimitExceededException", "")
	wantAPIError(t, remove("nobody--1"), "ResourceNotFoundException", "")

	wantAPIError(t, remove(secrets[0].ClientSecretID), "", "")
	works("the original after its end", original, false)
	works("the second alone", second.ClientSecretValue, true)

	chosen := name()
	chosen.ClientSecret = "a-secret-with-a-dash-has-no-place"
	_, err = f.service.AddUserPoolClientSecret(t.Context(), chosen)
	wantAPIError(t, err, "InvalidParameterException", "")
	chosen.ClientSecret = "a_secret+of_ones_own_choice"
	if got := must(f.service.AddUserPoolClientSecret(t.Context(), chosen))(t).ClientSecretDescriptor.ClientSecretValue; got != "" {
		t.Error("1.7: a chosen secret is not returned")
	}
	works("the chosen one", chosen.ClientSecret, true)

	public := must(f.service.CreateUserPoolClient(t.Context(), cognito.CreateUserPoolClientInput{UserPoolID: f.pool, ClientName: "public"}))(t).UserPoolClient
	_, err = f.service.AddUserPoolClientSecret(t.Context(), cognito.AddUserPoolClientSecretInput{UserPoolID: f.pool, ClientID: public.ClientID})
	wantAPIError(t, err, "InvalidParameterException", "")
}

func TestSecretOnTheWire(t *testing.T) {
	f, w := newWire(t)
	res := w.call("AddUserPoolClientSecret", `{"UserPoolId":"`+f.pool+`","ClientId":"`+f.reader.ClientID+`"}`)
	if got := member(t, res.Body.Bytes(), "ClientSecretDescriptor", "ClientSecretValue"); len(got) < 50 {
		t.Errorf("the generated secret is not on the wire: %d characters", len(got))
	}
	res = w.call("ListUserPoolClientSecrets", `{"UserPoolId":"`+f.pool+`","ClientId":"`+f.reader.ClientID+`"}`)
	if strings.Contains(res.Body.String(), "ClientSecretValue") {
		t.Error("1.7: values are never listed")
	}
	res = w.call("CreateUserPoolClient", `{"UserPoolId":"`+f.pool+`","ClientName":"own","ClientSecret":"chosen_by_the_caller_2026"}`)
	if got := member(t, res.Body.Bytes(), "UserPoolClient", "ClientSecret"); got != `"chosen_by_the_caller_2026"` {
		t.Errorf("CreateUserPoolClient with a chosen secret: %d", res.Code)
	}
}

// TestSecretDoesNotPrint: nothing but Reveal gives a secret away.
func TestSecretDoesNotPrint(t *testing.T) {
	const text = "do-not-print-me"
	c := cognito.UserPoolClient{ClientSecret: text}
	marshalled, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", c.ClientSecret, "client", c)
	printed := fmt.Sprintf("%v %+v %#v %s %q %x %d %s", c, c, c, c.ClientSecret, c.ClientSecret, c.ClientSecret, c.ClientSecret, c.ClientSecret.String())
	for _, out := range []string{printed, string(marshalled), log.String()} {
		if strings.Contains(out, text) || strings.Contains(out, fmt.Sprintf("%x", text)) {
			t.Errorf("a secret was printed: %s", out)
		}
	}
	if c.ClientSecret.Reveal() != text {
		t.Error("Reveal does not reveal")
	}
}

func TestGetClientToken(t *testing.T) {
	f, w := newWire(t)
	door := f.client("door", cognito.ClientSettings{
		ExplicitAuthFlows: []string{"ALLOW_CLIENT_TOKEN_AUTH"}, AllowedOAuthScopes: []string{readScope, writeScope},
		AccessTokenValidity: 5, TokenValidityUnits: &cognito.TokenValidityUnits{AccessToken: "minutes"},
	})
	in := func(c cognito.UserPoolClient, scopes ...string) cognito.GetClientTokenInput {
		return cognito.GetClientTokenInput{ClientID: c.ClientID, Secret: c.ClientSecret, Scopes: scopes}
	}
	out := must(f.service.GetClientToken(t.Context(), in(door)))(t).ClientAuthenticationResult
	if got := scopeOf(t, out.AccessToken); got != `"`+readScope+" "+writeScope+`"` || out.ExpiresIn != 300 || out.TokenType != "Bearer" {
		t.Errorf("scope %s, ExpiresIn %d, TokenType %s", got, out.ExpiresIn, out.TokenType)
	}
	wrong := door
	wrong.ClientSecret += "x"
	for _, tt := range []struct {
		name       string
		in         cognito.GetClientTokenInput
		code, text string
	}{
		{"1.7: some of the scopes", in(door, readScope), "", ""},
		{"1.7 field: wrong secret", in(wrong), "NotAuthorizedException", "Invalid client or secret"},
		{"unknown client", in(cognito.UserPoolClient{ClientID: "nobody", ClientSecret: "wrong_secret_of_thirty_chars__"}), "NotAuthorizedException", "Invalid client or secret"},
		{"1.7: the flow is not enabled", in(f.reader), "NotAuthorizedException", ""},
		{"1.7 inferred: another scope", in(door, "https://api.example.com/demo.delete"), "InvalidParameterException", ""},
		{"no secret", in(cognito.UserPoolClient{ClientID: door.ClientID}), "InvalidParameterException", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := f.service.GetClientToken(t.Context(), tt.in)
			wantAPIError(t, err, tt.code, tt.text)
		})
	}
	res := w.call("GetClientToken", `{"ClientId":"`+door.ClientID+`","Secret":"`+door.ClientSecret.Reveal()+`","ClientMetadata":{"a":"b"}}`)
	if res.Code != 200 || member(t, res.Body.Bytes(), "ClientAuthenticationResult", "TokenType") != `"Bearer"` {
		t.Errorf("%d on the wire", res.Code)
	}
	// 2.3.5: such a client has no other door.
	if _, err := f.service.Token(t.Context(), f.request(door, "")); err == nil {
		t.Error("the token endpoint serves a client without client_credentials")
	}
}
