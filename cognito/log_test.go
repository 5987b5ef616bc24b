package cognito_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

// TestLogHoldsNoSecret sends secrets through every door, also in places where they do not belong.
func TestLogHoldsNoSecret(t *testing.T) {
	var log bytes.Buffer
	f := newFixture(t)
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w := wire{t, cognito.Handler(f.service, cognito.HandlerConfig{Logger: logger})}
	secret := f.reader.ClientSecret.Reveal()
	const pasted = "pasted_into_the_wrong_place_2026"

	token := w.do(tokenRequest(f.pool, f.reader, "grant_type=client_credentials"))
	w.do(tokenRequest(f.pool, f.reader, "grant_type="+pasted))
	w.do(tokenRequest(f.pool, f.reader, "grant_type=client_credentials&scope="+pasted))
	w.do(tokenRequest(f.pool, cognito.UserPoolClient{ClientID: pasted, ClientSecret: pasted}, "grant_type=client_credentials"))
	w.do(tokenRequest(pasted, f.reader, "grant_type=client_credentials"))
	w.do(mustRequest("GET", "/"+pasted+"/.well-known/jwks.json"))
	w.do(mustRequest("GET", "/"+f.pool+"/oauth2/token?client_secret="+pasted))
	w.call("DescribeUserPoolClient", `{"UserPoolId":"`+f.pool+`","ClientId":"`+f.reader.ClientID+`"}`)
	w.call("CreateUserPoolClient", `{"UserPoolId":"`+f.pool+`","ClientName":"n","ClientSecret":"`+pasted+`"}`)
	w.call("CreateUserPoolClient", `{"UserPoolId":"`+f.pool+`","ClientName":"`+pasted+`/"}`)
	w.call("GetClientToken", `{"ClientId":"`+pasted+`","Secret":"`+pasted+`"}`)
	w.call(pasted, `{}`)

	for name, text := range map[string]string{"a client secret": secret, "a text of the request": pasted, "a token": strings.Trim(member(t, token.Body.Bytes(), "access_token"), `"`)} {
		if strings.Contains(log.String(), text) {
			t.Errorf("%s is in the log", name)
		}
	}
	for _, want := range []string{
		"operation=DescribeUserPoolClient", "pool=" + f.pool, "client=" + f.reader.ClientID, "route=/{pool}/oauth2/token", "error=invalid_scope",
		`reason="there is no such app client"`, "error=NotAuthorizedException", "status=400", "request_id=",
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log has no %s:\n%s", want, log.String())
		}
	}
	if lines := strings.Count(log.String(), "\n"); lines != 12 {
		t.Errorf("%d lines for 12 requests", lines)
	}
}

// TestResetIsLogged: an update that resets says so in the service's log.
func TestResetIsLogged(t *testing.T) {
	var log bytes.Buffer
	s := newService(t, cognito.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	pool := must(s.CreateUserPool(t.Context(), cognito.CreateUserPoolInput{PoolName: "p", DeletionProtection: "ACTIVE"}))(t).UserPool.ID
	must(s.UpdateUserPool(t.Context(), cognito.UpdateUserPoolInput{UserPoolID: pool, DeletionProtection: "ACTIVE"}))(t)
	if log.Len() != 0 {
		t.Errorf("an update that reset nothing logged %s", log.String())
	}
	must(s.UpdateUserPool(t.Context(), cognito.UpdateUserPoolInput{UserPoolID: pool}))(t)
	if !strings.Contains(log.String(), "operation=UpdateUserPool") || !strings.Contains(log.String(), `settings=[DeletionProtection] were="{\"DeletionProtection\":\"ACTIVE\"}"`) {
		t.Errorf("log: %s", log.String())
	}
}

// TestPanicIsAnswered: a broken invariant costs one request, not the process, and its text stays inside.
func TestPanicIsAnswered(t *testing.T) {
	var log bytes.Buffer
	f := newFixture(t)
	w := wire{t, cognito.Handler(f.service, cognito.HandlerConfig{
		Logger:       slog.New(slog.NewTextHandler(&log, nil)),
		Authenticate: func(*http.Request, []byte) error { panic(errors.New("holds a secret")) },
	})}
	res := w.call("ListUserPools", `{"MaxResults":1}`)
	if res.Code != 500 || member(t, res.Body.Bytes(), "__type") != `"InternalErrorException"` {
		t.Errorf("%d %s", res.Code, res.Body)
	}
	if strings.Contains(res.Body.String()+log.String(), "holds a secret") {
		t.Error("the panic's text got out")
	}
	if !strings.Contains(log.String(), "panic of type *errors.errorString") {
		t.Errorf("log: %s", log.String())
	}
}
