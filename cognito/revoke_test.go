package cognito_test

import (
	"net/http"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

// TestRevocation: Cognito's table, at both doors: an access token cannot be revoked, and stays good.
func TestRevocation(t *testing.T) {
	f, w := newWire(t)
	no := false
	off := machine(readScope)
	off.EnableTokenRevocation = &no
	closed := f.client("off", off)
	public := must(f.service.CreateUserPoolClient(t.Context(), cognito.CreateUserPoolClientInput{UserPoolID: f.pool, ClientName: "public"}))(t).UserPoolClient
	wrong := f.reader
	wrong.ClientSecret = "wrong_secret_of_thirty_chars__"
	access := must(f.service.Token(t.Context(), f.asking(nil)))(t).AccessToken
	for _, c := range []struct {
		name   string
		client cognito.UserPoolClient
		token  string
		status int
		code   string // of the endpoint
		api    string // of RevokeToken
	}{
		{"access token", f.reader, access, 400, "unsupported_token_type", "UnsupportedTokenTypeException"},
		{"rfc7009 s2.2: an invalid token is no error", f.reader, "whatever", 200, "", ""},
		{"what may be a refresh token", f.reader, "a.b.c.d.e", 200, "", ""},
		{"wrong secret", wrong, "whatever", 401, "invalid_client", "UnauthorizedException"},
		{"unknown client", cognito.UserPoolClient{ClientID: "nobody", ClientSecret: "wrong_secret_of_thirty_chars__"}, "whatever", 401, "invalid_client", "UnauthorizedException"},
		{"a secret that is missing", cognito.UserPoolClient{ClientID: f.reader.ClientID}, "whatever", 401, "invalid_client", "UnauthorizedException"},
		{"public client", public, "whatever", 200, "", ""},
		{"revocation is off", closed, "whatever", 400, "invalid_request", "UnsupportedOperationException"},
	} {
		t.Run(c.name, func(t *testing.T) {
			form := "token=" + c.token + "&client_id=" + c.client.ClientID
			if secret := c.client.ClientSecret.Reveal(); secret != "" {
				form += "&client_secret=" + secret
			}
			r := tokenRequest(f.pool, cognito.UserPoolClient{}, form)
			r.URL.Path = "/" + f.pool + "/oauth2/revoke"
			res := w.do(r)
			want := ""
			if c.code != "" {
				want = `{"error":"` + c.code + `"}`
			}
			if res.Code != c.status || res.Body.String() != want {
				t.Errorf("endpoint: %d %s", res.Code, res.Body)
			}
			_, err := f.service.RevokeToken(t.Context(), cognito.RevokeTokenInput{Token: cognito.Secret(c.token), ClientID: c.client.ClientID, ClientSecret: c.client.ClientSecret})
			wantAPIError(t, err, c.api, "")
		})
	}
	r := tokenRequest(f.pool, f.reader, "")
	r.URL.Path = "/" + f.pool + "/oauth2/revoke"
	if res := w.do(r); res.Code != http.StatusBadRequest || res.Body.String() != `{"error":"invalid_request"}` {
		t.Errorf("without a token: %d %s", res.Code, res.Body)
	}
}
