package console_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/cmd/countersign/console"
	"github.com/countersign-dev/countersign/cognito"
)

const resource = "https://api.example.com"

// A pool is a real issuer in memory, which holds the clients of the seed and others.
type pool struct {
	service *cognito.Service
	id      string
	clients map[string]cognito.UserPoolClient
}

func newPool(t *testing.T) *pool {
	t.Helper()
	service, err := cognito.New(t.Context(), cognito.Config{BaseURL: "http://localhost:8081"})
	if err != nil {
		t.Fatal(err)
	}
	out, err := service.CreateUserPool(t.Context(), cognito.CreateUserPoolInput{PoolName: "demo"})
	if err != nil {
		t.Fatal(err)
	}
	p := &pool{service, out.UserPool.ID, map[string]cognito.UserPoolClient{}}
	p.server(t, resource, "demo.read", "demo.write", "demo.gone")
	p.server(t, resource+"/v2", "read")
	p.server(t, "https://other.example.com", "demo.read")
	return p
}

func (p *pool) server(t *testing.T, identifier string, scopes ...string) {
	t.Helper()
	in := cognito.CreateResourceServerInput{UserPoolID: p.id, Identifier: identifier, Name: "Gateway"}
	for _, s := range scopes {
		in.Scopes = append(in.Scopes, cognito.ResourceServerScope{ScopeName: s, ScopeDescription: "may " + s})
	}
	if _, err := p.service.CreateResourceServer(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

func (p *pool) client(t *testing.T, name string, secret bool, s cognito.ClientSettings) cognito.UserPoolClient {
	t.Helper()
	in := cognito.CreateUserPoolClientInput{UserPoolID: p.id, ClientName: name, GenerateSecret: secret, ClientSettings: s}
	out, err := p.service.CreateUserPoolClient(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	p.clients[name] = out.UserPoolClient
	return out.UserPoolClient
}

func credentials(scopes ...string) cognito.ClientSettings {
	return cognito.ClientSettings{AllowedOAuthFlows: []string{"client_credentials"}, AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthScopes: scopes}
}

func TestDescribeReadsThePolicyAsTheGuardDoes(t *testing.T) {
	p := newPool(t)
	special := p.client(t, "special", true, credentials(resource+"/demo.read"))
	p.client(t, "both", true, credentials(resource+"/demo.read", resource+"/demo.write"))
	p.client(t, "foreign", true, credentials("https://other.example.com/demo.read", resource+"/v2/read"))
	p.client(t, "lost", true, credentials(resource+"/demo.gone"))
	p.client(t, "nothing", false, cognito.ClientSettings{})
	p.client(t, "no flow", true, cognito.ClientSettings{})
	tokenAuth := cognito.ClientSettings{ExplicitAuthFlows: []string{"ALLOW_CLIENT_TOKEN_AUTH"}, AllowedOAuthScopes: []string{resource + "/demo.write"}}
	p.client(t, "api", true, tokenAuth)
	_, err := p.service.UpdateResourceServer(t.Context(), cognito.UpdateResourceServerInput{UserPoolID: p.id, Identifier: resource, Name: "Gateway",
		Scopes: []cognito.ResourceServerScope{{ScopeName: "demo.read", ScopeDescription: "r"}, {ScopeName: "demo.write", ScopeDescription: "w"}}})
	if err != nil {
		t.Fatal(err)
	}
	policy := countersign.Policy{Issuer: p.service.Issuer(p.id), Resource: resource, Profile: countersign.Cognito}
	rules := []countersign.Rule{
		countersign.Scope("demo.read"),
		countersign.AllScopes("demo.read", "demo.write"),
		countersign.AnyScope("demo.read", "demo.write"),
		countersign.Client(special.ClientID),
		countersign.Scope("demo.write").And(countersign.Client(special.ClientID)),
		countersign.Scope("demo.gone"),
		countersign.Authenticated(),
		countersign.Public("liveness probe"),
		countersign.Report(countersign.Scope("demo.write")),
	}
	for i, rule := range rules {
		policy.Routes = append(policy.Routes, countersign.Route{Method: "GET", Path: fmt.Sprintf("/%d", i), Rule: rule, Source: "api.go:1"})
	}
	// The columns, ordered by name; "none" stands for a caller without a token.
	columns := []string{"none", "api", "both", "foreign", "lost", "no flow", "nothing", "special"}
	const (
		none  = "no token: "
		noFl  = none + "client_credentials is not among its flows"
		noSec = none + "it has no secret"
		alien = "refused: no scope of this service"
	)
	want := [][]string{
		{"refused: 401", "refused: lacks demo.read", "allowed: with demo.read", alien, alien, noFl, noSec, "allowed: with demo.read"},
		{"refused: 401", "refused: lacks demo.read", "allowed: with demo.read and demo.write", alien, alien, noFl, noSec, "refused: lacks demo.write"},
		{"refused: 401", "allowed: with demo.write", "allowed: with demo.read", alien, alien, noFl, noSec, "allowed: with demo.read"},
		{"refused: 401", "refused: not its client", "refused: not its client", alien, alien, noFl, noSec, "allowed: by its id"},
		{"refused: 401", "refused: not its client", "refused: not its client", alien, alien, noFl, noSec, "refused: lacks demo.write"},
		{"refused: 401", "refused: lacks demo.gone", "refused: lacks demo.gone", alien, alien, noFl, noSec, "refused: lacks demo.gone"},
		{"refused: 401", "allowed: any token of its own", "allowed: any token of its own", alien, alien, noFl, noSec, "allowed: any token of its own"},
		{"public: ", "public: ", "public: ", "public: ", "public: ", "public: ", "public: ", "public: "},
		{"open: the rule is only reported", "allowed: with demo.write", "allowed: with demo.write", "open: only reported: no scope of this service", "open: only reported: no scope of this service",
			"open: only reported: client_credentials is not among its flows", "open: only reported: it has no secret", "open: only reported: lacks demo.write"},
	}
	source, err := console.ReadPool(t.Context(), p.service, p.id)
	if err != nil {
		t.Fatal(err)
	}
	source.Policy = policy
	v := console.Describe(source)
	for i, route := range v.Routes {
		cells := append([]console.Cell{route.Anyone}, route.Cells...)
		for j, cell := range cells {
			if got := string(cell.Verdict) + ": " + cell.Detail; got != want[i][j] {
				t.Errorf("%s for %s: %q, want %q", rules[i], columns[j], got, want[i][j])
			}
		}
	}
	for j, c := range v.Clients {
		if c.Name != columns[j+1] {
			t.Errorf("column %d is %s", j, c.Name)
		}
	}
	if n := len(v.PublicRoutes()); n != 2 {
		t.Errorf("%d open routes, want the public and the reported one", n)
	}
	if lost := v.Clients[3]; !slices.Equal(lost.Lost, []string{resource + "/demo.gone"}) || lost.Scopes != nil {
		t.Errorf("lost scopes: %v, scopes: %v", lost.Lost, lost.Scopes)
	}
	if v.Example().Name != "both" {
		t.Errorf("the example is %q", v.Example().Name)
	}

	source.ClientIDs = []string{special.ClientID}
	for _, cell := range console.Describe(source).Routes[0].Cells[:2] {
		if cell.Detail != "not a client of this service" {
			t.Errorf("a client that is not listed: %v", cell)
		}
	}
}

// What the table says is held against the guard itself: a real token with all scopes of each client, on each route.
func TestDescribeAgreesWithTheGuard(t *testing.T) {
	p := newPool(t)
	p.client(t, "read", true, credentials(resource+"/demo.read"))
	p.client(t, "write", true, credentials(resource+"/demo.write"))
	p.client(t, "both", true, credentials(resource+"/demo.read", resource+"/demo.write"))
	p.client(t, "foreign", true, credentials("https://other.example.com/demo.read", resource+"/v2/read"))
	handler := cognito.Handler(p.service, cognito.HandlerConfig{})
	guard, err := countersign.New(countersign.Config{
		Issuer: p.service.Issuer(p.id), Resource: resource, InsecureAllowHTTP: true,
		HTTPClient: &http.Client{Transport: inProcess{handler}}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer guard.Close()
	api := guard.Mux()
	ok := func(http.ResponseWriter, *http.Request) {}
	for i, rule := range []countersign.Rule{
		countersign.Scope("demo.read"), countersign.AllScopes("demo.read", "demo.write"), countersign.AnyScope("demo.read", "demo.write"),
		countersign.Client(p.clients["read"].ClientID), countersign.Authenticated(), countersign.Public("test"),
		countersign.Scope("demo.write").Or(countersign.Client(p.clients["foreign"].ClientID)),
		countersign.Report(countersign.Scope("demo.write")),
	} {
		api.HandleFunc(fmt.Sprintf("GET /%d", i), ok, rule)
	}
	source, err := console.ReadPool(t.Context(), p.service, p.id)
	if err != nil {
		t.Fatal(err)
	}
	source.Policy = guard.Policy()
	v := console.Describe(source)
	for j, c := range v.Clients {
		token, err := p.service.Token(t.Context(), cognito.TokenRequest{PoolID: p.id, GrantType: "client_credentials", ClientID: c.ID, ClientSecret: p.clients[c.Name].ClientSecret})
		if err != nil {
			t.Fatal(err)
		}
		for _, route := range v.Routes {
			for _, sent := range []struct {
				token string
				cell  console.Cell
			}{{token.AccessToken, route.Cells[j]}, {"", route.Anyone}} {
				r, _ := http.NewRequest("GET", "http://localhost"+route.Path, nil)
				if sent.token != "" {
					r.Header.Set("Authorization", "Bearer "+sent.token)
				}
				res, err := inProcess{api}.RoundTrip(r)
				if err != nil {
					t.Fatal(err)
				}
				in := sent.cell.Verdict != console.Refused && sent.cell.Verdict != console.NoToken
				if (res.StatusCode == 200) != in {
					t.Errorf("%s for %s: the table says %v, the guard %d", route.Rule, c.Name, sent.cell, res.StatusCode)
				}
			}
		}
	}
}

func TestReadPoolIsBoundedAndHoldsNoSecretOnThePage(t *testing.T) {
	p := newPool(t)
	for i := range 63 {
		p.client(t, fmt.Sprintf("client-%02d", i), true, credentials(resource+"/demo.read"))
	}
	source, err := console.ReadPool(t.Context(), p.service, p.id)
	if err != nil {
		t.Fatal(err)
	}
	if len(source.Clients) != 60 || source.MoreClients != 3 || len(source.ResourceServers) != 3 {
		t.Errorf("%d clients, %d more, %d resource servers", len(source.Clients), source.MoreClients, len(source.ResourceServers))
	}
	source.Policy = countersign.Policy{Issuer: p.service.Issuer(p.id), Resource: resource}
	body, page := served(t, console.Describe(source))
	if !strings.Contains(page.words(), "The pool has 3 more, which neither this list nor the table shows") {
		t.Error("the page does not say that clients are left out")
	}
	for _, c := range p.clients {
		if secret := c.ClientSecret.Reveal(); len(secret) < 20 || strings.Contains(body, secret) {
			t.Fatal("a secret is on the page, or the client has none")
		}
	}
	if strings.Contains(body, "redacted") {
		t.Error("the page has the place of a secret")
	}
	if _, err := console.ReadPool(t.Context(), p.service, "us-east-1_none00000"); err == nil || !strings.Contains(err.Error(), "User pool us-east-1_none00000 does not exist") {
		t.Errorf("a pool that is not there: %v", err)
	}
}

func TestTokenLife(t *testing.T) {
	for _, tt := range []struct {
		validity int
		unit     string
		want     time.Duration
		shown    string
	}{
		{0, "", time.Hour, "1 hour"}, {2, "", 2 * time.Hour, "2 hours"}, {5, "minutes", 5 * time.Minute, "5 minutes"},
		{300, "seconds", 5 * time.Minute, "5 minutes"}, {90, "minutes", 90 * time.Minute, "90 minutes"}, {1, "days", 24 * time.Hour, "1 day"}, {3, "hours", 3 * time.Hour, "3 hours"},
	} {
		c := cognito.UserPoolClient{ClientName: "c"}
		c.AccessTokenValidity = tt.validity
		if tt.unit != "" {
			c.TokenValidityUnits = &cognito.TokenValidityUnits{AccessToken: tt.unit}
		}
		v := console.Describe(console.Source{Clients: []cognito.UserPoolClient{c}})
		if got := v.Clients[0].TokenLife; got != tt.want {
			t.Errorf("%d %s: %v, want %v", tt.validity, tt.unit, got, tt.want)
		}
		_, page := served(t, v)
		if !strings.Contains(page.words(), "Token life"+tt.shown) {
			t.Errorf("%d %s: the page does not say %q", tt.validity, tt.unit, tt.shown)
		}
	}
}

// inProcess answers requests with a handler, without a listener.
type inProcess struct{ handler http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r = r.Clone(context.WithoutCancel(r.Context()))
		r.Body = http.NoBody
	}
	return record(p.handler, r), nil
}
