package countersigntest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

// noScope is what a client that is given no scope may ask for: Cognito has no client without any. No rule asks for it.
const noScope = "countersigntest/none"

// Client is a caller with a token.
type Client struct {
	t     testing.TB
	name  string
	token string
}

// As returns the client of that name with a token that has exactly the scopes: it makes the resource server, its scopes and the app client in
// the issuer as far as they are missing, and asks the token endpoint. Scopes are written like those of rules, "orders.read", or
// with their resource, "https://api.example.com/orders.read". Without any, the token has a scope that no rule asks for.
func (i *Issuer) As(client string, scopes ...string) *Client {
	i.t.Helper()
	full, problem := i.fullNames(scopes)
	if problem != "" {
		i.t.Fatalf("countersigntest: As(%q): %s", client, problem)
	}
	if len(full) == 0 {
		full = []string{noScope}
	}
	token, err := i.token(i.background(), client, full)
	if err != nil {
		i.t.Fatalf("countersigntest: As(%q): %v", client, err)
	}
	return &Client{t: i.t, name: client, token: token}
}

// Token is the access token, for requests of the test's own.
func (c *Client) Token() string { return c.token }

// Get sends a GET request for the path to the handler.
func (c *Client) Get(h http.Handler, path string) *http.Response {
	c.t.Helper()
	return c.Do(h, httptest.NewRequest(http.MethodGet, path, nil))
}

// Post sends a POST request with the body to the handler. An empty contentType sends none.
func (c *Client) Post(h http.Handler, path, contentType, body string) *http.Response {
	c.t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return c.Do(h, r)
}

// Do sends the request to the handler with the client's token, and returns the answer; its body needs no closing. The
// request itself is left as it is.
func (c *Client) Do(h http.Handler, r *http.Request) *http.Response {
	c.t.Helper()
	with := r.Clone(r.Context())
	with.Header.Set("Authorization", "Bearer "+c.token)
	return serve(h, with)
}

// String is the name. A test that prints its client prints no token.
func (c *Client) String() string { return "client " + c.name }

// GoString is String.
func (c *Client) GoString() string { return c.String() }

// LogValue is String.
func (c *Client) LogValue() slog.Value { return slog.StringValue(c.String()) }

// application is an app client of the issuer.
type application struct {
	id     string
	secret cognito.Secret
	scopes []string
}

// token asks the token endpoint, after it has made what it takes to be asked.
func (i *Issuer) token(ctx context.Context, client string, scopes []string) (string, error) {
	app, err := i.register(ctx, client, scopes)
	if err != nil {
		return "", err
	}
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {strings.Join(scopes, " ")}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, i.url+"/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	// RFC 6749, Section 2.3.1: both are form-encoded first, which changes nothing in Cognito's.
	r.SetBasicAuth(url.QueryEscape(app.id), url.QueryEscape(app.secret.Reveal()))
	res, err := i.client.Do(r)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
		Error       string `json:"error"`
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&answer); err != nil {
		return "", fmt.Errorf("the token endpoint answered %d and no JSON", res.StatusCode)
	}
	if answer.AccessToken == "" {
		return "", fmt.Errorf("the token endpoint answered %d %s", res.StatusCode, answer.Error)
	}
	return answer.AccessToken, nil
}

// register makes the app client and its scopes, or widens what is there.
func (i *Issuer) register(ctx context.Context, client string, scopes []string) (application, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if err := i.registerScopes(ctx, scopes); err != nil {
		return application{}, err
	}
	app := i.apps[client]
	if app == nil {
		made, err := i.service.CreateUserPoolClient(ctx, cognito.CreateUserPoolClientInput{
			UserPoolID: i.pool, ClientName: client, GenerateSecret: true, ClientSettings: settings(scopes),
		})
		if err != nil {
			return application{}, err
		}
		app = &application{made.UserPoolClient.ClientID, made.UserPoolClient.ClientSecret, slices.Clone(scopes)}
		i.apps[client] = app
		return *app, nil
	}
	wider := union(app.scopes, scopes)
	if len(wider) > len(app.scopes) {
		_, err := i.service.UpdateUserPoolClient(ctx, cognito.UpdateUserPoolClientInput{
			UserPoolID: i.pool, ClientID: app.id, ClientSettings: settings(wider),
		})
		if err != nil {
			return application{}, err
		}
		app.scopes = wider
	}
	return *app, nil
}

func settings(scopes []string) cognito.ClientSettings {
	return cognito.ClientSettings{
		AllowedOAuthFlows:               []string{"client_credentials"},
		AllowedOAuthScopes:              scopes,
		AllowedOAuthFlowsUserPoolClient: true,
	}
}

// registerScopes makes the resource servers of the scopes, or adds to them.
func (i *Issuer) registerScopes(ctx context.Context, scopes []string) error {
	for _, full := range scopes {
		slash := strings.LastIndexByte(full, '/')
		if slash < 0 {
			return fmt.Errorf("the scope %q has no resource", full)
		}
		resource, name := full[:slash], full[slash+1:]
		have, exists := i.servers[resource]
		if slices.Contains(have, name) {
			continue
		}
		have = append(slices.Clone(have), name)
		list := make([]cognito.ResourceServerScope, 0, len(have))
		for _, name := range have {
			list = append(list, cognito.ResourceServerScope{ScopeName: name, ScopeDescription: name})
		}
		in := cognito.CreateResourceServerInput{UserPoolID: i.pool, Identifier: resource, Name: "countersigntest", Scopes: list}
		var err error
		if exists {
			_, err = i.service.UpdateResourceServer(ctx, cognito.UpdateResourceServerInput(in))
		} else {
			_, err = i.service.CreateResourceServer(ctx, in)
		}
		if err != nil {
			return err
		}
		i.servers[resource] = have
	}
	return nil
}

func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}
