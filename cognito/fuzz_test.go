package cognito_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

// FuzzTokenForm: no body of a token request is answered with a 5xx or a panic, and only what a second reading of the
// form allows is answered with a token.
func FuzzTokenForm(f *testing.F) {
	s := newService(f, cognito.Config{})
	pool, c := seedPool(f, s)
	h := cognito.Handler(s, cognito.HandlerConfig{})
	for _, seed := range []string{
		"grant_type=client_credentials", "grant_type=client_credentials&scope=" + readScope, "grant_type=%63lient_credentials", "grant_type=a&grant_type=a",
		"grant_type=client_credentials&scope=%zz", "a;b", "&&&", "=", "grant_type=client_credentials&aws_client_metadata={}", "grant_type=client_credentials&scope=+",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		res := httptest.NewRecorder()
		h.ServeHTTP(res, tokenRequest(pool, c, body))
		checkTokenAnswer(t, res)
		if res.Code != http.StatusOK {
			return
		}
		// net/http's own reading of the form has to agree that this was the grant, once.
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if err := r.ParseForm(); err != nil || len(r.PostForm["grant_type"]) != 1 || r.PostForm.Get("grant_type") != "client_credentials" || len(r.PostForm["scope"]) > 1 {
			t.Errorf("a token for %q", body)
		}
	})
}

// FuzzAuthorization: no Authorization header is answered with a 5xx or a panic, and none but the client's own with a
// token.
func FuzzAuthorization(f *testing.F) {
	s := newService(f, cognito.Config{})
	pool, c := seedPool(f, s)
	h := cognito.Handler(s, cognito.HandlerConfig{})
	for _, seed := range []string{"", "Basic", "Basic ", "Basic !", "Basic Og==", "Basic eDp5", "basic eDp5", "Bearer eDp5", "Basic  eDp5", "Basic JTo6", "Basic eDp5, Basic eDp5"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		r := tokenRequest(pool, cognito.UserPoolClient{}, "grant_type=client_credentials")
		r.Header.Set("Authorization", header)
		res := httptest.NewRecorder()
		h.ServeHTTP(res, r)
		checkTokenAnswer(t, res)
		if id, secret, _ := r.BasicAuth(); res.Code == http.StatusOK && (id != c.ClientID || secret != c.ClientSecret.Reveal()) {
			t.Errorf("a token for the header %q", header)
		}
	})
}

// FuzzJSONAPI: no call of the JSON API is answered with a 5xx, a panic or something that is not JSON; a pool that it
// makes or changes is described as valid JSON.
func FuzzJSONAPI(f *testing.F) {
	s := newService(f, cognito.Config{})
	pool, c := seedPool(f, s)
	h := cognito.Handler(s, cognito.HandlerConfig{})
	names := operationNames()
	for i := range names {
		f.Add(uint8(i), `{}`)
		f.Add(uint8(i), `{"UserPoolId":"`+pool+`","ClientId":"`+c.ClientID+`","MaxResults":1,"Identifier":"i","Name":"n","Domain":"d","ClientName":"n","PoolName":"p"}`)
	}
	for _, seed := range []string{`[]`, `null`, `{"PoolName":{"a":[1,2,{"b":null}]}}`, `{"UserPoolTags":{"":1}}`, `{"PoolName":"\ud800","Schema":[{"Name":"x"}]}`, `{"Policies":{"PasswordPolicy":{"MinimumLength":8}}}`, "{\"PoolName\":\"\x00\"}", `{"MaxResults":1e9}`} {
		f.Add(uint8(0), seed)
		f.Add(uint8(16), seed)
	}
	for i, name := range names {
		transcript, err := os.ReadFile(filepath.Join("testdata", "wire", name+".txt"))
		if err != nil {
			f.Fatal(err)
		}
		for line := range strings.Lines(string(transcript)) {
			if body, ok := strings.CutPrefix(line, "> {"); ok {
				f.Add(uint8(i), strings.NewReplacer("<pool>", pool, "<client>", c.ClientID).Replace("{"+body))
			}
		}
	}
	f.Fuzz(func(t *testing.T, operation uint8, body string) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		r.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService."+names[int(operation)%len(names)])
		res := httptest.NewRecorder()
		h.ServeHTTP(res, r)
		if res.Code >= 500 || !json.Valid(res.Body.Bytes()) {
			t.Errorf("%s %q: %d %s", names[int(operation)%len(names)], body, res.Code, res.Body)
		}
	})
}

func checkTokenAnswer(t *testing.T, res *httptest.ResponseRecorder) {
	t.Helper()
	if res.Code >= 500 || !json.Valid(res.Body.Bytes()) || res.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v %s", res.Code, res.Header(), res.Body)
	}
	if res.Code != http.StatusOK && member(t, res.Body.Bytes(), "error") == "" {
		t.Errorf("no error code: %s", res.Body)
	}
}

func operationNames() []string {
	var names []string
	for _, f := range cognito.Compatibility() {
		if f.Area == "Operations" && f.Support == cognito.Supported {
			names = append(names, f.Name)
		}
	}
	return names
}

// seedPool makes a pool with a client that has readScope.
func seedPool(t testing.TB, s *cognito.Service) (string, cognito.UserPoolClient) {
	t.Helper()
	pool := must(s.CreateUserPool(t.Context(), cognito.CreateUserPoolInput{PoolName: "p", DeletionProtection: "ACTIVE"}))(t).UserPool.ID
	must(s.CreateResourceServer(t.Context(), cognito.CreateResourceServerInput{
		UserPoolID: pool, Identifier: "https://api.example.com", Name: "n",
		Scopes: []cognito.ResourceServerScope{{ScopeName: "demo.read", ScopeDescription: "read"}},
	}))(t)
	c := must(s.CreateUserPoolClient(t.Context(), cognito.CreateUserPoolClientInput{
		UserPoolID: pool, ClientName: "c", GenerateSecret: true, ClientSettings: machine(readScope),
	}))(t).UserPoolClient
	return pool, c
}
