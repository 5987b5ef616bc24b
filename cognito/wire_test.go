package cognito_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

func mustRequest(method, target string) *http.Request {
	return httptest.NewRequest(method, target, nil)
}

func newWire(t *testing.T) (*fixture, wire) {
	f := newFixture(t)
	return f, wire{t, cognito.Handler(f.service, cognito.HandlerConfig{})}
}

// TestTokenEndpointSuccess: section 1.1: members and headers of the answer.
func TestTokenEndpointSuccess(t *testing.T) {
	f, w := newWire(t)
	secret := f.reader.ClientSecret.Reveal()
	post := url.Values{"grant_type": {"client_credentials"}, "client_id": {f.reader.ClientID}, "client_secret": {secret}}.Encode()
	for _, tt := range []struct {
		name string
		r    *http.Request
	}{
		{"client_secret_basic", tokenRequest(f.pool, f.reader, "grant_type=client_credentials")},
		{"client_secret_basic with the id in the form", tokenRequest(f.pool, f.reader, "grant_type=client_credentials&client_id="+f.reader.ClientID)},
		{"client_secret_post", tokenRequest(f.pool, cognito.UserPoolClient{}, post)},
		{"rfc6749 s3.1: an empty scope is no scope", tokenRequest(f.pool, f.reader, "grant_type=client_credentials&scope=")},
		{"rfc6749 s3.2: unknown parameters are ignored", tokenRequest(f.pool, f.reader, "grant_type=client_credentials&resource=a&resource=b&x=y")},
		{"cognito 1.1: aws_client_metadata", tokenRequest(f.pool, f.reader, "grant_type=client_credentials&aws_client_metadata="+url.QueryEscape(`{"a":"b"}`))},
		{"rfc6749 s2.3.1: the query of a gateway is no matter", func() *http.Request {
			r := tokenRequest(f.pool, f.reader, "grant_type=client_credentials")
			r.URL.RawQuery = "trace=1"
			return r
		}()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := w.do(tt.r)
			if res.Code != http.StatusOK {
				t.Fatalf("%d %s", res.Code, res.Body)
			}
			body := res.Body.Bytes()
			want := `{"access_token":` + member(t, body, "access_token") + `,"expires_in":3600,"token_type":"Bearer"}`
			if string(body) != want {
				t.Errorf("body %s", body)
			}
			for name, want := range map[string]string{
				"Content-Type": "application/json;charset=UTF-8", "Cache-Control": "no-store", "Pragma": "no-cache",
				"Access-Control-Allow-Origin": "*",
			} {
				if got := res.Header().Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			if len(res.Header().Get("x-amz-cognito-request-id")) != 36 {
				t.Error("no request id")
			}
		})
	}
}

func TestTokenEndpointBadRequests(t *testing.T) {
	f, w := newWire(t)
	grant := "grant_type=client_credentials"
	basic := func(form string) *http.Request { return tokenRequest(f.pool, f.reader, form) }
	with := func(change func(*http.Request)) *http.Request {
		r := basic(grant)
		change(r)
		return r
	}
	other := f.client("other", machine(readScope))
	for _, tt := range []struct {
		name   string
		r      *http.Request
		status int
		code   string
	}{
		{"rfc6749 s3.2: GET", with(func(r *http.Request) { r.Method = "GET" }), 405, "invalid_request"},
		{"rfc6749 s3.2: PUT", with(func(r *http.Request) { r.Method = "PUT" }), 405, "invalid_request"},
		{"rfc6749 s3.2: repeated grant_type", basic(grant + "&" + grant), 400, "invalid_request"},
		{"rfc6749 s3.2: repeated scope", basic(grant + "&scope=a&scope=a"), 400, "invalid_request"},
		{"rfc6749 s3.2: repeated client_id", basic(grant + "&client_id=a&client_id=a"), 400, "invalid_request"},
		{"missing grant", basic("scope=x"), 400, "invalid_request"},
		{"empty grant", basic("grant_type="), 400, "invalid_request"},
		{"empty body", basic(""), 400, "invalid_request"},
		{"another grant", basic("grant_type=password"), 400, "unsupported_grant_type"},
		{"malformed escape", basic(grant + "&scope=%zz"), 400, "invalid_request"},
		{"semicolon", basic(grant + ";scope=x"), 400, "invalid_request"},
		{"aws_client_metadata is no JSON", basic(grant + "&aws_client_metadata=x"), 400, "invalid_request"},
		{"aws_client_metadata is null", basic(grant + "&aws_client_metadata=null"), 400, "invalid_request"},
		{"aws_client_metadata of numbers", basic(grant + "&aws_client_metadata=" + url.QueryEscape(`{"a":1}`)), 400, "invalid_request"},
		{"JSON", with(func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }), 400, "invalid_request"},
		{"no content type", with(func(r *http.Request) { r.Header.Del("Content-Type") }), 400, "invalid_request"},
		{"multipart", with(func(r *http.Request) { r.Header.Set("Content-Type", "multipart/form-data; boundary=x") }), 400, "invalid_request"},
		{"rfc6749 s2.3.1: parameter in the query", with(func(r *http.Request) { r.URL.RawQuery = grant }), 400, "invalid_request"},
		{"rfc6749 s2.3.1: secret in the query", with(func(r *http.Request) { r.URL.RawQuery = "client_secret=x" }), 400, "invalid_request"},
		{"too large", basic(grant + "&scope=" + strings.Repeat("a", 70_000)), 413, "invalid_request"},
		{"rfc6749 s2.3: header and form both authenticate", basic(grant + "&client_id=" + f.reader.ClientID + "&client_secret=x"), 400, "invalid_request"},
		{"header and form name different clients", basic(grant + "&client_id=" + other.ClientID), 400, "invalid_request"},
		{"repeated Authorization", with(func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) }), 400, "invalid_request"},
		{"Bearer", with(func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }), 400, "invalid_client"},
		{"Basic without a colon", with(func(r *http.Request) { r.Header.Set("Authorization", "Basic eA==") }), 400, "invalid_client"},
		{"Basic that is no base64", with(func(r *http.Request) { r.Header.Set("Authorization", "Basic !") }), 400, "invalid_client"},
		{"oversized Authorization", with(func(r *http.Request) { r.Header.Set("Authorization", "Basic "+strings.Repeat("QUFB", 5000)) }), 400, "invalid_client"},
		{"no credentials", tokenRequest(f.pool, cognito.UserPoolClient{}, grant), 400, "invalid_client"},
		{"unknown pool", tokenRequest("ap-southeast-1_000000000", f.reader, grant), 404, "invalid_request"},
		{"pool that is no pool id", tokenRequest("%3Cscript%3E", f.reader, grant), 404, "invalid_request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := w.do(tt.r)
			if want := `{"error":"` + tt.code + `"}`; res.Code != tt.status || res.Body.String() != want {
				t.Errorf("%d %s, want %d %s", res.Code, res.Body, tt.status, want)
			}
			if got := res.Header().Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control %q", got)
			}
			if tt.status == 405 && res.Header().Get("Allow") != "POST" {
				t.Errorf("Allow %q, want POST", res.Header().Get("Allow"))
			}
		})
	}
}

func TestDiscovery(t *testing.T) {
	f, w := newWire(t)
	res := w.do(mustRequest("GET", "/"+f.pool+"/.well-known/openid-configuration"))
	iss := "http://localhost:8081/" + f.pool
	want := `{"authorization_endpoint":"` + iss + `/oauth2/authorize","end_session_endpoint":"` + iss + `/logout","id_token_signing_alg_values_supported":["RS256"],"issuer":"` + iss +
		`","jwks_uri":"` + iss + `/.well-known/jwks.json","response_types_supported":["code","token"],"revocation_endpoint":"` + iss + `/oauth2/revoke","scopes_supported":["openid","email","phone","profile"],` +
		`"subject_types_supported":["public"],"token_endpoint":"` + iss + `/oauth2/token","token_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post"],` +
		`"userinfo_endpoint":"` + iss + `/oauth2/userInfo"}`
	if res.Code != 200 || res.Body.String() != want {
		t.Errorf("%d\n got %s\nwant %s", res.Code, res.Body, want)
	}
	if got := f.service.Issuer(f.pool); got != iss {
		t.Errorf("Issuer %q, want %q", got, iss)
	}
	for _, document := range []string{"openid-configuration", "jwks.json"} {
		res := w.do(mustRequest("GET", "/"+f.pool+"/.well-known/"+document))
		if got := res.Header().Get("Cache-Control"); got != "public, max-age=3600" {
			t.Errorf("%s: Cache-Control %q", document, got)
		}
		res = w.do(mustRequest("GET", "/ap-southeast-1_000000000/.well-known/"+document))
		if want := `{"message":"User pool ap-southeast-1_000000000 does not exist."}`; res.Code != 404 || res.Body.String() != want {
			t.Errorf("%s of an unknown pool: %d %s", document, res.Code, res.Body)
		}
		res = w.do(mustRequest("POST", "/"+f.pool+"/.well-known/"+document))
		if res.Code != 405 {
			t.Errorf("POST %s: %d, want 405", document, res.Code)
		}
	}
}

// TestIssuerForms: section 1.5: the issuers of AWS, when no base URL says otherwise.
func TestIssuerForms(t *testing.T) {
	s, err := cognito.New(t.Context(), cognito.Config{Region: "eu-west-1", NewKey: cheapKey})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		form *cognito.IssuerConfiguration
		host string
	}{
		{nil, "cognito-idp.eu-west-1.amazonaws.com"},
		{&cognito.IssuerConfiguration{Type: "ORIGINAL"}, "cognito-idp.eu-west-1.amazonaws.com"},
		{&cognito.IssuerConfiguration{Type: "UPDATED"}, "issuer-cognito-idp.eu-west-1.amazonaws.com"},
	} {
		pool := must(s.CreateUserPool(t.Context(), cognito.CreateUserPoolInput{PoolName: "p", IssuerConfiguration: tt.form}))(t).UserPool
		if got, want := s.Issuer(pool.ID), "https://"+tt.host+"/"+pool.ID; got != want {
			t.Errorf("%+v: issuer %s, want %s", tt.form, got, want)
		}
	}
	if got, want := s.Issuer("us-east-1_nobody"), "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_nobody"; got != want {
		t.Errorf("issuer of an unknown pool %s, want %s", got, want)
	}
}
