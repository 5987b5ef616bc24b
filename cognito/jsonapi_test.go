package cognito_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

// TestGoldenPool: the members of a pool that Terraform's provider reads, with Cognito's defaults.
func TestGoldenPool(t *testing.T) {
	_, w := newWire(t)
	res := w.call("CreateUserPool", `{"PoolName":"golden","UserPoolTags":{"team":"a"}}`)
	if res.Code != http.StatusOK || res.Header().Get("Content-Type") != "application/x-amz-json-1.1" || res.Header().Get("x-amzn-RequestId") == "" {
		t.Fatalf("%d %v %s", res.Code, res.Header(), res.Body)
	}
	created := res.Body.Bytes()
	id := strings.Trim(member(t, created, "UserPool", "Id"), `"`)
	want := map[string]string{
		"Name": `"golden"`, "Arn": `"arn:aws:cognito-idp:ap-southeast-1:000000000000:userpool/` + id + `"`,
		"CreationDate": "1772625600.000", "LastModifiedDate": "1772625600.000",
		"DeletionProtection": `"INACTIVE"`, "MfaConfiguration": `"OFF"`, "UserPoolTier": `"ESSENTIALS"`,
		"EstimatedNumberOfUsers": "0", "UserPoolTags": `{"team":"a"}`, "LambdaConfig": "{}",
		"Policies":               `{"PasswordPolicy":{"MinimumLength":8,"RequireUppercase":true,"RequireLowercase":true,"RequireNumbers":true,"RequireSymbols":true,"TemporaryPasswordValidityDays":7},"SignInPolicy":{"AllowedFirstAuthFactors":["PASSWORD"]}}`,
		"AdminCreateUserConfig":  `{"AllowAdminCreateUserOnly":false,"UnusedAccountValidityDays":7}`,
		"EmailConfiguration":     `{"EmailSendingAccount":"COGNITO_DEFAULT"}`,
		"AccountRecoverySetting": `{"RecoveryMechanisms":[{"Priority":1,"Name":"verified_email"},{"Priority":2,"Name":"verified_phone_number"}]}`,
		"Domain":                 "", "CustomDomain": "", "Schema": "",
	}
	described := w.call("DescribeUserPool", `{"UserPoolId":"`+id+`"}`).Body.Bytes()
	for name, value := range want {
		if got := member(t, created, "UserPool", name); got != value {
			t.Errorf("CreateUserPool: %s is %s, want %s", name, got, value)
		}
		if got := member(t, described, "UserPool", name); got != value {
			t.Errorf("DescribeUserPool: %s is %s, want %s", name, got, value)
		}
	}
	var attributes []map[string]any
	if err := json.Unmarshal([]byte(member(t, described, "UserPool", "SchemaAttributes")), &attributes); err != nil || len(attributes) != 20 {
		t.Errorf("%d standard attributes, want 20 (%v)", len(attributes), err)
	}
	if got := w.call("GetUserPoolMfaConfig", `{"UserPoolId":"`+id+`"}`).Body.String(); got != `{"MfaConfiguration":"OFF"}` {
		t.Errorf("GetUserPoolMfaConfig: %s", got)
	}
}

// TestGoldenClient: the answer to a client that only has a name, and that of a machine.
func TestGoldenClient(t *testing.T) {
	f, w := newWire(t)
	res := w.call("CreateUserPoolClient", `{"UserPoolId":"`+f.pool+`","ClientName":"plain"}`)
	id := member(t, res.Body.Bytes(), "UserPoolClient", "ClientId")
	want := `{"UserPoolClient":{"UserPoolId":"` + f.pool + `","ClientName":"plain","ClientId":` + id + `,"ClientType":"REGULAR"` +
		`,"CreationDate":1772625600.000,"LastModifiedDate":1772625600.000,"RefreshTokenValidity":30,"TokenValidityUnits":{},"AllowedOAuthFlowsUserPoolClient":false,` +
		`"EnableTokenRevocation":true,"EnablePropagateAdditionalUserContextData":false,"AuthSessionValidity":3}}`
	if got := res.Body.String(); got != want {
		t.Errorf("CreateUserPoolClient\n got %s\nwant %s", got, want)
	}
	res = w.call("DescribeUserPoolClient", `{"UserPoolId":"`+f.pool+`","ClientId":"`+f.reader.ClientID+`"}`)
	if got, want := member(t, res.Body.Bytes(), "UserPoolClient", "ClientSecret"), `"`+f.reader.ClientSecret.Reveal()+`"`; got != want {
		t.Error("DescribeUserPoolClient does not show the secret")
	}
	if res.Header().Get("Cache-Control") != "no-store" {
		t.Error("an answer with a secret may be kept by caches")
	}
	res = w.call("DeleteUserPoolClient", `{"UserPoolId":"`+f.pool+`","ClientId":`+id+`}`)
	if res.Code != 200 || res.Body.String() != "{}" {
		t.Errorf("DeleteUserPoolClient: %d %s", res.Code, res.Body)
	}
}

// TestJSONAPIErrors: shape, status and text of errors on the wire.
func TestJSONAPIErrors(t *testing.T) {
	_, w := newWire(t)
	const one = "1 validation error detected: "
	for _, tt := range []struct {
		name, operation, body string
		status                int
		code, message         string // an empty message is not compared
	}{
		{"not JSON", "ListUserPools", `{`, 400, "SerializationException", "the request body is not JSON"},
		{"empty body", "ListUserPools", ``, 400, "SerializationException", ""},
		{"two values", "ListUserPools", `{}{}`, 400, "SerializationException", "the request body has more than one JSON value"},
		{"an array", "ListUserPools", `[]`, 400, "SerializationException", "the request body: want structure, got JSON array"},
		{"a byte order mark", "ListUserPools", "\ufeff" + `{"MaxResults":1}`, 400, "SerializationException", "the request body is not JSON"},
		{"20,000 arrays in each other", "ListUserPools", `{"MaxResults":1,"x":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, 400, "SerializationException", "the request body is not JSON"},
		{"of a repeated member the last counts", "ListUserPools", `{"MaxResults":1,"MaxResults":61}`, 400, "InvalidParameterException", one + "Value '61' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 60"},
		{"a member that is unknown does not help", "ListUserPools", `{"maxResults":1,"Limit":1}`, 400, "InvalidParameterException", one + "Value null at 'maxResults' failed to satisfy constraint: Member must not be null"},
		{"a token that was tampered with", "ListUserPools", `{"MaxResults":1,"NextToken":"TGlzdFVzZXJQb29scw"}`, 400, "InvalidParameterException", "Invalid pagination token."},
		{"null", "ListUserPools", `null`, 400, "SerializationException", "the request body: want structure, got JSON null"},
		{"a string for a number", "ListUserPools", `{"MaxResults":"1"}`, 400, "SerializationException", "MaxResults: want 32-bit integer, got JSON string"},
		{"a fraction", "ListUserPools", `{"MaxResults":1.5}`, 400, "SerializationException", ""},
		{"above 32 bits", "ListUserPools", `{"MaxResults":2147483648}`, 400, "SerializationException", ""},
		{"a number for a string", "CreateUserPool", `{"PoolName":1}`, 400, "SerializationException", ""},
		{"a wrong type deep inside", "CreateUserPool", `{"PoolName":"a","Policies":{"PasswordPolicy":{"MinimumLength":"8"}}}`, 400, "SerializationException", "Policies.PasswordPolicy.MinimumLength: want 32-bit integer, got JSON string"},
		{"a wrong type in a list", "CreateResourceServer", `{"UserPoolId":"a_b","Identifier":"i","Name":"n","Scopes":[{"ScopeName":true}]}`, 400, "SerializationException", "Scopes[0].ScopeName: want string, got JSON boolean"},
		{"null in a list", "CreateUserPoolClient", `{"UserPoolId":"a_b","ClientName":"n","AllowedOAuthScopes":[null]}`, 400, "SerializationException", ""},
		{"required", "CreateUserPool", `{}`, 400, "InvalidParameterException", one + "Value null at 'poolName' failed to satisfy constraint: Member must not be null"},
		{"null is absent", "CreateUserPool", `{"PoolName":null}`, 400, "InvalidParameterException", one + "Value null at 'poolName' failed to satisfy constraint: Member must not be null"},
		{"names are case-sensitive", "CreateUserPool", `{"poolname":"a"}`, 400, "InvalidParameterException", ""},
		{"a member that differs in case replaces nothing", "CreateUserPool", `{"PoolName":"no/slash","poolname":"fine"}`, 400, "InvalidParameterException", ""},
		{"pattern", "CreateUserPool", `{"PoolName":"no/slash"}`, 400, "InvalidParameterException", one + `Value 'no/slash' at 'poolName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w\s+=,.@-]+`},
		{"length", "CreateUserPool", `{"PoolName":"` + strings.Repeat("a", 129) + `"}`, 400, "InvalidParameterException", one + `Value '` + strings.Repeat("a", 129) + `' at 'poolName' failed to satisfy constraint: Member must have length less than or equal to 128`},
		{"two violations", "CreateUserPool", `{"PoolName":""}`, 400, "InvalidParameterException", `2 validation errors detected: Value '' at 'poolName' failed to satisfy constraint: Member must have length greater than or equal to 1; Value '' at 'poolName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w\s+=,.@-]+`},
		{"enumeration", "CreateUserPool", `{"PoolName":"a","DeletionProtection":"on"}`, 400, "InvalidParameterException", one + "Value 'on' at 'deletionProtection' failed to satisfy constraint: Member must satisfy enum value set: [ACTIVE, INACTIVE]"},
		{"number", "ListUserPools", `{"MaxResults":61}`, 400, "InvalidParameterException", one + "Value '61' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 60"},
		{"number at the other end", "ListUserPools", `{"MaxResults":0}`, 400, "InvalidParameterException", one + "Value '0' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{"values of a list", "CreateUserPoolClient", `{"UserPoolId":"a_b","ClientName":"n","AllowedOAuthFlows":["a","code"]}`, 400, "InvalidParameterException", one + "Value '[a, code]' at 'allowedOAuthFlows' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [code, implicit, client_credentials]]"},
		{"structures in a list", "CreateResourceServer", `{"UserPoolId":"a_b","Identifier":"i","Name":"n","Scopes":[{"ScopeName":"a/b","ScopeDescription":"x"}]}`, 400, "InvalidParameterException", one + `Value 'a/b' at 'scopes.1.member.scopeName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\x21\x23-\x2E\x30-\x5B\x5D-\x7E]+`},
		{"values of a map", "CreateUserPool", `{"PoolName":"a","UserPoolTags":{"k":"` + strings.Repeat("v", 257) + `"}}`, 400, "InvalidParameterException", one + "Value '{1 entries}' at 'userPoolTags' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 256, Member must have length greater than or equal to 0]"},
		{"a sensitive value is not repeated", "CreateUserPoolClient", `{"UserPoolId":"a_b","ClientName":"n","ClientSecret":"too-short"}`, 400, "InvalidParameterException", `2 validation errors detected: Value at 'clientSecret' failed to satisfy constraint: Member must have length greater than or equal to 24; Value at 'clientSecret' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+]+`},
		{"unknown pool", "DescribeUserPool", `{"UserPoolId":"ap-southeast-1_000000000"}`, 400, "ResourceNotFoundException", "User pool ap-southeast-1_000000000 does not exist."},
		{"unknown operation", "AdminCreateUser", `{}`, 400, "UnknownOperationException", ""},
		{"operation names are case-sensitive", "createUserPool", `{}`, 400, "UnknownOperationException", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := w.call(tt.operation, tt.body)
			var got struct {
				Type    string `json:"__type"`
				Message string `json:"message"`
			}
			if err := json.Unmarshal(res.Body.Bytes(), &got); err != nil {
				t.Fatalf("%s: %v", res.Body, err)
			}
			if res.Code != tt.status || got.Type != tt.code || got.Message == "" || (tt.message != "" && got.Message != tt.message) {
				t.Errorf("%d %s\n got %s\nwant %d %s\n     %s", res.Code, got.Type, got.Message, tt.status, tt.code, tt.message)
			}
		})
	}
}

func TestUnknownOperationNamesWhatIsSupported(t *testing.T) {
	_, w := newWire(t)
	body := w.call("AdminCreateUser", `{}`).Body.String()
	for _, want := range []string{"AdminCreateUser", "CreateUserPool", "GetClientToken"} {
		if !strings.Contains(body, want) {
			t.Errorf("%s does not name %s", body, want)
		}
	}
}

func TestJSONAPIRequests(t *testing.T) {
	f := newFixture(t)
	w := wire{t, cognito.Handler(f.service, cognito.HandlerConfig{MaxBody: 1000})}
	request := func(change func(*http.Request)) *http.Request {
		r := httptest.NewRequest("POST", "/", strings.NewReader(`{"MaxResults":1}`))
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		r.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService.ListUserPools")
		change(r)
		return r
	}
	for _, tt := range []struct {
		name   string
		r      *http.Request
		status int
		code   string
	}{
		{"as the CLI sends it", request(func(*http.Request) {}), 200, ""},
		{"with a charset", request(func(r *http.Request) { r.Header.Set("Content-Type", "application/x-amz-json-1.1; charset=utf-8") }), 200, ""},
		{"no target", request(func(r *http.Request) { r.Header.Del("X-Amz-Target") }), 400, "UnknownOperationException"},
		{"another service", request(func(r *http.Request) { r.Header.Set("X-Amz-Target", "DynamoDB_20120810.ListTables") }), 400, "UnknownOperationException"},
		{"repeated target", request(func(r *http.Request) { r.Header.Add("X-Amz-Target", r.Header.Get("X-Amz-Target")) }), 400, "UnknownOperationException"},
		{"another content type", request(func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }), 415, "UnsupportedMediaTypeException"},
		{"too large", func() *http.Request {
			r := request(func(*http.Request) {})
			return httptest.NewRequest(r.Method, "/", strings.NewReader(strings.Repeat(" ", 1001)))
		}(), 413, "RequestEntityTooLargeException"},
		{"GET", request(func(r *http.Request) { r.Method = "GET" }), 405, ""},
		{"another path", request(func(r *http.Request) { r.URL.Path = "/a/b" }), 404, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := w.do(tt.r)
			if res.Code != tt.status {
				t.Fatalf("%d %s, want %d", res.Code, res.Body, tt.status)
			}
			if tt.code != "" && member(t, res.Body.Bytes(), "__type") != `"`+tt.code+`"` {
				t.Errorf("%s, want %s", res.Body, tt.code)
			}
		})
	}
}

// TestAuthenticate: every operation is signed but those that Cognito takes unsigned.
func TestAuthenticate(t *testing.T) {
	f := newFixture(t)
	refusal := error(&cognito.APIError{Code: "InvalidSignatureException", Message: "no", Status: 400})
	asked := ""
	h := cognito.Handler(f.service, cognito.HandlerConfig{Authenticate: func(_ *http.Request, body []byte) error {
		asked = string(body)
		return refusal
	}})
	w := wire{t, h}
	for _, tt := range []struct {
		name, operation string
		refusal         error
		signed          bool
		status          int
		code            string
	}{
		{"a refusal is the answer", "ListUserPools", refusal, true, 400, "InvalidSignatureException"},
		{"an accepted signature", "ListUserPools", nil, true, 200, ""},
		{"an unexpected error is hidden", "ListUserPools", errors.New("disk on fire"), true, 500, "InternalErrorException"},
		{"an unknown operation is signed too", "AdminCreateUser", refusal, true, 400, "InvalidSignatureException"},
		{"cognito 0.1: GetClientToken is unsigned", "GetClientToken", refusal, false, 400, "InvalidParameterException"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			refusal, asked = tt.refusal, ""
			res := w.call(tt.operation, `{"MaxResults":1}`)
			if res.Code != tt.status || tt.code != "" && member(t, res.Body.Bytes(), "__type") != `"`+tt.code+`"` {
				t.Errorf("%d %s, want %d %s", res.Code, res.Body, tt.status, tt.code)
			}
			if strings.Contains(res.Body.String(), "disk") {
				t.Error("the cause is on the wire")
			}
			if (asked == `{"MaxResults":1}`) != tt.signed {
				t.Errorf("the body that was authenticated is %q", asked)
			}
		})
	}
}
