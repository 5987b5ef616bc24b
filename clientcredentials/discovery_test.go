package clientcredentials_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
)

const issuerID = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123"

// document is an issuer's discovery document as Cognito writes it.
func document(issuer, endpoint, methods string) string {
	return fmt.Sprintf(`{"issuer":%q,"token_endpoint":%q,"token_endpoint_auth_methods_supported":%s}`, issuer, endpoint, methods)
}

// discovered is an issuer that serves a document and grants tokens.
func discovered(doc func() *http.Response) *issuer {
	return &issuer{answer: func(n int, req request) *http.Response {
		if strings.HasSuffix(req.url, "/.well-known/openid-configuration") {
			return doc()
		}
		return granted(fmt.Sprintf("token-%d", n), 3600)
	}}
}

func viaIssuer(cfg *clientcredentials.Config) { cfg.Issuer, cfg.TokenEndpoint = issuerID, "" }

func TestDiscovery(t *testing.T) {
	both := `["client_secret_basic","client_secret_post"]`
	for _, c := range []struct {
		name string
		res  *http.Response
		says string // in the error; empty: it works
		post bool
	}{
		{"good", answer(200, "application/json", document(issuerID, endpoint, both)), "", false},
		{"rfc8414 s2: no methods means client_secret_basic", answer(200, "application/json",
			`{"issuer":"`+issuerID+`","token_endpoint":"`+endpoint+`"}`), "", false},
		{"an issuer that takes only client_secret_post", answer(200, "application/json", document(issuerID, endpoint, `["client_secret_post","private_key_jwt"]`)), "", true},
		{"oidc discovery s4.3: another issuer", answer(200, "application/json", document(issuerID+"2", endpoint, both)), "another issuer", false},
		{"a slash too many", answer(200, "application/json", document(issuerID+"/", endpoint, both)), "by a slash at the end", false},
		{"a token endpoint over http", answer(200, "application/json", document(issuerID, "http://auth.example.com/", both)), "plain http", false},
		{"Cognito: a pool without a domain", answer(200, "application/json", `{"issuer":"`+issuerID+`"}`), "needs a domain", false},
		{"no JSON", answer(200, "text/html", "<h1>hello</h1>"), "not a JSON object", false},
		{"methods that are no list", answer(200, "application/json", document(issuerID, endpoint, `"all"`)), "not a list", false},
		{"too long", answer(200, "application/json", strings.Repeat(" ", 1<<20)), "over 262144 bytes", false},
		{"not found", answer(404, "", ""), "no discovery document", false},
		{"a redirect", answer(302, "", "", "Location", endpoint), "no discovery document", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := discovered(func() *http.Response { return c.res })
			_, err := i.source(t, viaIssuer).Token(t.Context())
			if c.says != "" {
				if err == nil || !strings.Contains(err.Error(), c.says) || i.count() != 1 {
					t.Errorf("got %v after %d requests, want %q after 1", err, i.count(), c.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := i.requests[0].url; got != issuerID+"/.well-known/openid-configuration" {
				t.Errorf("asked %s", got)
			}
			if got := i.last(); got.url != endpoint || (got.secret == "") != c.post {
				t.Errorf("asked %s with %v", got.url, got.header)
			}
		})
	}
}

func TestDiscoveryIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		documents, up := 0, true
		i := discovered(func() *http.Response {
			documents++
			if !up {
				return nil
			}
			return answer(200, "application/json", document(issuerID, endpoint, "[]"))
		})
		s := i.source(t, viaIssuer)
		for range 10 {
			token(t, s)
			time.Sleep(time.Hour)
		}
		if documents != 1 {
			t.Errorf("the document was read %d times in ten hours, want once", documents)
		}
		up = false
		time.Sleep(24 * time.Hour)
		token(t, s) // the known endpoint stays in use
		if documents != 2 {
			t.Errorf("the document was read %d times, want another look after a day", documents)
		}
	})
}

// TestASilentDocumentDoesNoHarm: an issuer whose document is not answered, for a day or after one broken connection, has a token
// endpoint that works.
func TestASilentDocumentDoesNoHarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := discovered(func() *http.Response { return answer(200, "application/json", document(issuerID, endpoint, "[]")) })
		var silent, broken bool
		s := i.source(t, func(cfg *clientcredentials.Config) {
			viaIssuer(cfg)
			cfg.HTTPClient = &http.Client{Transport: roundTripper(func(req *http.Request) (*http.Response, error) {
				if silent && req.Method == http.MethodGet {
					<-req.Context().Done()
					return nil, req.Context().Err()
				}
				if broken && req.Method == http.MethodPost {
					broken = false
					return nil, errors.New("connection reset")
				}
				if err := req.Context().Err(); err != nil {
					return nil, err
				}
				return i.RoundTrip(req)
			})}
		})
		token(t, s)
		silent = true
		time.Sleep(25 * time.Hour) // the document is old
		token(t, s)
		broken = true
		for range 2 * 60 { // the endpoint is doubted
			time.Sleep(time.Minute)
			token(t, s)
		}
	})
}

func TestAMovedEndpointIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const moved = "https://new.example.com/token"
		now := endpoint
		i := &issuer{answer: func(_ int, req request) *http.Response {
			switch {
			case strings.HasSuffix(req.url, "/.well-known/openid-configuration"):
				return answer(200, "application/json", document(issuerID, now, "[]"))
			case req.url == now:
				return granted("token", 3600)
			}
			return answer(404, "", "")
		}}
		s := i.source(t, viaIssuer)
		token(t, s)
		now = moved
		for range 120 {
			time.Sleep(time.Minute)
			token(t, s)
		}
		if got := i.last().url; got != moved {
			t.Errorf("still asks %s", got)
		}
	})
}

func TestGetClientToken(t *testing.T) {
	const amz = "application/x-amz-json-1.1"
	good := `{"ClientAuthenticationResult":{"AccessToken":"abc","ExpiresIn":3600,"TokenType":"Bearer"}}`
	for _, c := range []struct {
		name, issuer, url string
		scopes            []string
		res               *http.Response
		body, code        string
		status            int
		temporary         bool
	}{
		{"good", issuerID, "https://cognito-idp.eu-west-1.amazonaws.com/", []string{"a/b"}, answer(200, amz, good),
			`{"ClientId":"reader","Secret":"s3cret","Scopes":["a/b"]}`, "", 0, false},
		{"an UPDATED issuer", "https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123", "https://cognito-idp.eu-west-1.amazonaws.com/",
			nil, answer(200, amz, good), `{"ClientId":"reader","Secret":"s3cret"}`, "", 0, false},
		{"local", "http://localhost:8081/local_AbCdEf123", "http://localhost:8081/", nil, answer(200, amz, good), "", "", 0, false},
		{"wrong secret", issuerID, "", nil, answer(400, amz, `{"__type":"NotAuthorizedException","message":"s3cret"}`), "", clientcredentials.InvalidClient, 400, false},
		{"with a namespace", issuerID, "", nil, answer(400, amz, `{"__type":"com.amazonaws#ResourceNotFoundException"}`), "", clientcredentials.InvalidClient, 400, false},
		{"flow not enabled", issuerID, "", nil, answer(400, amz, `{"__type":"OperationNotEnabledException"}`), "", clientcredentials.UnauthorizedClient, 400, false},
		{"wrong scope", issuerID, "", nil, answer(400, amz, `{"__type":"InvalidParameterException"}`), "", clientcredentials.InvalidRequest, 400, false},
		{"WAF", issuerID, "", nil, answer(403, amz, `{"__type":"ForbiddenException"}`), "", "", 403, false},
		{"Cognito: throttling is HTTP 400", issuerID, "", nil, answer(400, amz, `{"__type":"TooManyRequestsException"}`), "", "", 400, true},
		{"AWS: the name that all its APIs have", issuerID, "", nil, answer(400, amz, `{"__type":"ThrottlingException"}`), "", "", 400, true},
		{"internal error", issuerID, "", nil, answer(500, amz, `{"__type":"InternalErrorException"}`), "", "", 500, true},
		{"the token endpoint's form", issuerID, "", nil, answer(200, amz, `{"access_token":"abc","token_type":"Bearer"}`), "", "", 200, false},
		{"another media type", issuerID, "", nil, answer(200, "application/json", good), "", "", 200, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i := &issuer{answer: func(n int, _ request) *http.Response {
					if n > 1 {
						return answer(c.status, "", "")
					}
					return c.res
				}}
				s := i.source(t, func(cfg *clientcredentials.Config) {
					cfg.Issuer, cfg.TokenEndpoint, cfg.Scopes, cfg.Door = c.issuer, "", c.scopes, clientcredentials.GetClientToken
				})
				got, err := s.Token(t.Context())
				if c.status == 0 {
					req := i.last()
					if err != nil || got.AccessToken != "abc" || req.url != c.url || c.body != "" && req.body != c.body {
						t.Errorf("got %v, %v from %s with %s", got, err, req.url, req.body)
					}
					if req.header.Get("X-Amz-Target") != "AWSCognitoIdentityProviderService.GetClientToken" || req.header.Get("Authorization") != "" {
						t.Errorf("header %v", req.header)
					}
					return
				}
				checkError(t, err, c.code, c.status, c.temporary, i.count())
			})
		})
	}
}
