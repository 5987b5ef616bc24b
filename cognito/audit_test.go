package cognito_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

// trail collects events.
type trail struct {
	mu     sync.Mutex
	events []cognito.Event
}

func (tr *trail) record(e cognito.Event) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.events = append(tr.events, e)
}

func (tr *trail) last(t *testing.T) cognito.Event {
	t.Helper()
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if len(tr.events) == 0 {
		t.Fatal("nothing was recorded")
	}
	return tr.events[len(tr.events)-1]
}

// members returns the names of what a description has, sorted.
func members(m map[string]json.RawMessage) (names []string) {
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func TestAuditOfChanges(t *testing.T) {
	var tr trail
	s := newService(t, cognito.Config{Audit: tr.record})
	ctx := cognito.WithActor(t.Context(), "request-1", cognito.Actor{AccessKeyID: "AKIAEXAMPLE", Role: "admin"})
	pool := must(s.CreateUserPool(ctx, cognito.CreateUserPoolInput{PoolName: "p", DeletionProtection: "ACTIVE"}))(t).UserPool.ID
	e := tr.last(t)
	if e.Kind != cognito.EventChange || e.Operation != "CreateUserPool" || e.PoolID != pool || e.RequestID != "request-1" ||
		e.Actor.AccessKeyID != "AKIAEXAMPLE" || e.Actor.Role != "admin" || !e.Time.Equal(noon) || len(e.Changes) != 3 {
		t.Errorf("event %+v", e)
	}
	must(s.UpdateUserPool(ctx, cognito.UpdateUserPoolInput{UserPoolID: pool, PoolName: "q"}))(t)
	e = tr.last(t)
	if got := members(e.Changes[0].After); e.Operation != "UpdateUserPool" || !slices.Equal(got, []string{"DeletionProtection", "Name"}) || !slices.Equal(e.Reset, []string{"DeletionProtection"}) {
		t.Errorf("event %+v, changed %v", e, got)
	}
	if before, after := string(e.Changes[0].Before["Name"]), string(e.Changes[0].After["Name"]); before != `"p"` || after != `"q"` {
		t.Errorf("Name: before %s, after %s", before, after)
	}
	must(s.DeleteUserPool(ctx, cognito.DeleteUserPoolInput{UserPoolID: pool}))(t)
	if e = tr.last(t); e.Operation != "DeleteUserPool" || e.Changes[0].Before == nil || e.Changes[0].After != nil {
		t.Errorf("event %+v", e)
	}
	if _, err := s.DescribeUserPool(ctx, cognito.DescribeUserPoolInput{UserPoolID: pool}); err == nil || len(tr.events) != 3 {
		t.Errorf("%d events after three changes and a read", len(tr.events))
	}
}

// TestAuditHoldsNoSecret goes through every operation that makes, moves or removes a secret or a key.
func TestAuditHoldsNoSecret(t *testing.T) {
	var tr trail
	s := newService(t, cognito.Config{Audit: tr.record})
	ctx := t.Context()
	pool := must(s.CreateUserPool(ctx, cognito.CreateUserPoolInput{PoolName: "p"}))(t).UserPool.ID
	c := must(s.CreateUserPoolClient(ctx, cognito.CreateUserPoolClientInput{UserPoolID: pool, ClientName: "c", GenerateSecret: true}))(t).UserPoolClient
	const chosen = "chosen_secret_of_thirty_chars_"
	added := must(s.AddUserPoolClientSecret(ctx, cognito.AddUserPoolClientSecretInput{UserPoolID: pool, ClientID: c.ClientID, ClientSecret: chosen}))(t)
	e := tr.last(t)
	if e.ClientID != c.ClientID || !strings.Contains(string(e.Changes[0].After["ClientSecretIds"]), added.ClientSecretDescriptor.ClientSecretID) {
		t.Errorf("event %+v", e)
	}
	first := must(s.ListUserPoolClientSecrets(ctx, cognito.ListUserPoolClientSecretsInput{UserPoolID: pool, ClientID: c.ClientID}))(t).ClientSecrets[0]
	must(s.DeleteUserPoolClientSecret(ctx, cognito.DeleteUserPoolClientSecretInput{UserPoolID: pool, ClientID: c.ClientID, ClientSecretID: first.ClientSecretID}))(t)
	must(s.UpdateUserPoolClient(ctx, cognito.UpdateUserPoolClientInput{UserPoolID: pool, ClientID: c.ClientID, ClientName: "d"}))(t)
	must(s.DeleteUserPool(ctx, cognito.DeleteUserPoolInput{UserPoolID: pool}))(t)
	all, err := json.Marshal(tr.events)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{c.ClientSecret.Reveal(), chosen, "PKCS8", `"Value":`} {
		if strings.Contains(string(all), secret) {
			t.Errorf("the trail holds %q", secret)
		}
	}
}

func TestAuditOfRefusals(t *testing.T) {
	var tr trail
	s := newService(t, cognito.Config{Audit: tr.record})
	pool := must(s.CreateUserPool(t.Context(), cognito.CreateUserPoolInput{PoolName: "p"}))(t).UserPool.ID
	open := wire{t, cognito.Handler(s, cognito.HandlerConfig{})}
	shut := wire{t, cognito.Handler(s, cognito.HandlerConfig{Authenticate: func(*http.Request, []byte) error {
		return &cognito.APIError{Code: "UnrecognizedClientException", Status: http.StatusBadRequest}
	}})}
	for _, c := range []struct {
		name  string
		send  func()
		count int
		want  cognito.Event
	}{
		{"token", func() {
			open.do(tokenRequest(pool, cognito.UserPoolClient{ClientID: "pasted", ClientSecret: "pasted"}, "grant_type=client_credentials"))
		}, 1, cognito.Event{Operation: "Token", PoolID: pool, Code: "invalid_client", Reason: "there is no such app client"}},
		{"token, malformed", func() { open.do(tokenRequest(pool, cognito.UserPoolClient{}, "%zz")) }, 1,
			cognito.Event{Operation: "Token", Code: "invalid_request", Reason: "the form cannot be decoded"}},
		{"GetClientToken", func() { open.call("GetClientToken", `{"ClientId":"pasted","Secret":"pasted_secret_of_thirty_chars_"}`) }, 1,
			cognito.Event{Operation: "GetClientToken", Code: "NotAuthorizedException", Reason: "there is no such app client"}},
		{"change", func() { open.call("DeleteUserPool", `{"UserPoolId":"a_b"}`) }, 1,
			cognito.Event{Operation: "DeleteUserPool", Code: "ResourceNotFoundException"}},
		{"bad signature", func() { shut.call("ListUserPools", `{"MaxResults":1}`) }, 1, cognito.Event{Code: "UnrecognizedClientException"}},
		{"question about nothing", func() { open.call("DescribeUserPool", `{"UserPoolId":"a_b"}`) }, 0, cognito.Event{}},
		{"keys of no pool", func() { open.do(mustRequest("GET", "/a_b/.well-known/jwks.json")) }, 0, cognito.Event{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr.events = nil
			c.send()
			if len(tr.events) != c.count {
				t.Fatalf("%d events: %+v", len(tr.events), tr.events)
			}
			if c.count == 0 {
				return
			}
			e := tr.events[0]
			if e.Kind != cognito.EventRefusal || e.Operation != c.want.Operation || e.PoolID != c.want.PoolID || e.Code != c.want.Code || e.Reason != c.want.Reason ||
				e.RequestID == "" || e.Actor.Address == "" || e.Actor.AccessKeyID != "" {
				t.Errorf("event %+v", e)
			}
		})
	}
}
