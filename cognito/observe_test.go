package cognito_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cognito"
)

func TestObservations(t *testing.T) {
	f := newFixture(t)
	var seen []cognito.Observation
	w := wire{t, cognito.Handler(f.service, cognito.HandlerConfig{Observe: func(o cognito.Observation) { seen = append(seen, o) }})}
	stranger := cognito.UserPoolClient{ClientID: "stranger", ClientSecret: "hunter2hunter2hunter2hunter2"}
	w.do(tokenRequest(f.pool, f.reader, "grant_type=client_credentials"))
	w.do(tokenRequest(f.pool, stranger, "grant_type=client_credentials"))
	w.do(httptest.NewRequest(http.MethodGet, "/"+f.pool+"/.well-known/jwks.json", nil))
	w.do(httptest.NewRequest(http.MethodGet, "/nobody/.well-known/openid-configuration", nil))
	w.call("DescribeUserPool", `{"UserPoolId":"`+f.pool+`"}`)
	w.call("Nonsense", `{}`)
	w.do(httptest.NewRequest(http.MethodGet, "/"+f.pool+"/oauth2/revoke", nil))
	id := f.reader.ClientID
	want := []cognito.Observation{
		{Route: "token", PoolID: f.pool, ClientID: id, Status: 200},
		{Route: "token", PoolID: f.pool, Code: "invalid_client", Status: 400},
		{Route: "jwks", PoolID: f.pool, Status: 200},
		{Route: "discovery", Code: cognito.CodeResourceNotFound, Status: 404},
		{Route: "api", Operation: "DescribeUserPool", PoolID: f.pool, Status: 200},
		{Route: "api", Code: cognito.CodeUnknownOperation, Status: 400},
		{Route: "revoke", Code: "invalid_request", Status: 405},
	}
	if len(seen) != len(want) {
		t.Fatalf("%d observations, want %d", len(seen), len(want))
	}
	for i := range want {
		if seen[i].Duration <= 0 {
			t.Errorf("%d took %v", i, seen[i].Duration)
		}
		if seen[i].Context == nil {
			t.Errorf("observation %d has no context", i)
		}
		seen[i].Context = nil
		if seen[i].Duration = 0; seen[i] != want[i] {
			t.Errorf("observation %d\n got %+v\nwant %+v", i, seen[i], want[i])
		}
		if got := seen[i].Token(); got != (i == 0) {
			t.Errorf("observation %d: a token is %v", i, got)
		}
	}
}

// TestBothDoorsNameThePool: GetClientToken is told of no pool. Whoever counts its tokens would otherwise take one app client for two.
func TestBothDoorsNameThePool(t *testing.T) {
	f := newFixture(t)
	api := f.client("api", cognito.ClientSettings{ExplicitAuthFlows: []string{"ALLOW_CLIENT_TOKEN_AUTH"}, AllowedOAuthScopes: []string{readScope}})
	var seen []cognito.Observation
	w := wire{t, cognito.Handler(f.service, cognito.HandlerConfig{Observe: func(o cognito.Observation) { seen = append(seen, o) }})}
	w.call("GetClientToken", `{"ClientId":"`+api.ClientID+`","Secret":"`+api.ClientSecret.Reveal()+`"}`)
	w.call("GetClientToken", `{"ClientId":"`+api.ClientID+`","Secret":"hunter2hunter2hunter2hunter2"}`)
	w.call("RevokeToken", `{"ClientId":"`+api.ClientID+`","ClientSecret":"`+api.ClientSecret.Reveal()+`","Token":"a"}`)
	w.call("GetClientToken", `{"ClientId":"stranger","Secret":"hunter2hunter2hunter2hunter2"}`)
	for i, o := range seen {
		wantPool, wantClient := f.pool, api.ClientID
		if i == 3 {
			wantPool, wantClient = "", ""
		}
		if o.PoolID != wantPool || o.ClientID != wantClient || o.Token() != (i == 0) {
			t.Errorf("observation %d: %+v", i, o)
		}
	}
	if len(seen) != 4 {
		t.Errorf("%d observations", len(seen))
	}
}

func TestTokenLife(t *testing.T) {
	f := newFixture(t)
	if name, life := f.service.TokenLife(f.pool, f.reader.ClientID); name != "reader" || life != time.Hour {
		t.Errorf("%s, %v", name, life)
	}
	if name, life := f.service.TokenLife(f.pool, "nobody"); name != "" || life != 0 {
		t.Errorf("%s, %v", name, life)
	}
}
