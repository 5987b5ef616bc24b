package cognito_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

// TestPlusInSecrets: a caller may choose a secret with a plus, and clients spell it in two ways: Cognito's examples encode
// id:secret as it is (ramosbugs/oauth2-rs#64), RFC 6749, Section 2.3.1 has it form-encoded first.
func TestPlusInSecrets(t *testing.T) {
	f, w := newWire(t)
	const secret = "chosen+secret_of_+thirty_+chars"
	c := must(f.service.CreateUserPoolClient(t.Context(), cognito.CreateUserPoolClientInput{
		UserPoolID: f.pool, ClientName: "plus", ClientSecret: secret, ClientSettings: machine(readScope),
	}))(t).UserPoolClient
	const grant = "grant_type=client_credentials"
	basic := func(id, secret string) *http.Request {
		r := tokenRequest(f.pool, cognito.UserPoolClient{}, grant)
		r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(id+":"+secret)))
		return r
	}
	form := func(secret string) *http.Request {
		return tokenRequest(f.pool, cognito.UserPoolClient{}, grant+"&client_id="+c.ClientID+"&client_secret="+secret)
	}
	for _, tt := range []struct {
		name   string
		r      *http.Request
		status int
	}{
		{"header, as Cognito's examples", basic(c.ClientID, secret), 200},
		{"header, rfc6749 s2.3.1", basic(url.QueryEscape(c.ClientID), url.QueryEscape(secret)), 200},
		{"form", form(url.QueryEscape(secret)), 200},
		{"form that was not encoded", form(secret), 200},
		{"another secret", basic(c.ClientID, "chosen-secret_of_+thirty_+chars"), 400},
		{"another secret of the same length", form("chosen+secret_of_+thirty_+charz"), 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if res := w.do(tt.r); res.Code != tt.status {
				t.Errorf("%d %s, want %d", res.Code, res.Body, tt.status)
			}
		})
	}
}
