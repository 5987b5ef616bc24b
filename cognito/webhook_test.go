package cognito_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

// hookServer answers with a body and a status; asked counts.
func hookServer(t *testing.T, status int, body string, asked *[]byte) cognito.PreTokenHook {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked != nil {
			*asked, _ = io.ReadAll(r.Body)
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return must(cognito.NewWebhook(cognito.WebhookConfig{URL: server.URL}))(t)
}

const wrapped = `{"version":"3","response":{"claimsAndScopeOverrideDetails":{"accessTokenGeneration":`

func TestWebhook(t *testing.T) {
	var asked []byte
	hook := hookServer(t, 200, wrapped+`{"claimsToAddOrOverride":{"tenant":"a","n":12345678901234567890},"scopesToAdd":["x/y"]}}}}`, &asked)
	f := hooked(t, hook)
	token := must(f.service.Token(t.Context(), f.asking(nil)))(t).AccessToken
	claims := claimsOf(t, token)
	if claims["tenant"] != "a" || claims["scope"] != readScope+" x/y" {
		t.Errorf("claims %v", claims)
	}
	if !strings.Contains(string(asked), `"triggerSource":"TokenGeneration_ClientCredentials"`) || strings.Contains(string(asked), f.reader.ClientSecret.Reveal()) {
		t.Errorf("event %s", asked)
	}
}

func TestWebhookAnswers(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		body   string
		err    string // "" for an answer that is taken
	}{
		{"untouched event", 200, `{"response":{"claimsAndScopeOverrideDetails":null}}`, ""},
		{"empty response", 200, `{"response":{}}`, ""},
		{"only for id tokens", 200, `{"response":{"claimsAndScopeOverrideDetails":{"idTokenGeneration":{"x":1},"groupOverrideDetails":{}}}}`, ""},
		{"not JSON", 200, `ok`, "it is not a JSON object"},
		{"nothing", 200, ``, "it is not a JSON object"},
		{"no response", 200, `{}`, "response is not a JSON object"},
		{"two documents", 200, `{"response":{}}{}`, "it is not a JSON object"},
		{"a name twice", 200, `{"response":{},"response":{}}`, "it is not a JSON object"},
		{"wrong case", 200, `{"response":{"claimsAndScopeOverrideDetails":{"AccessTokenGeneration":{}}}}`, "unknown member"},
		{"misspelt", 200, wrapped + `{"claimsToAdd":{}}}}}`, "unknown member"},
		{"claims are a list", 200, wrapped + `{"claimsToAddOrOverride":[]}}}}`, "claimsToAddOrOverride is of another type"},
		{"scopes are a string", 200, wrapped + `{"scopesToAdd":"a"}}}}`, "scopesToAdd is of another type"},
		{"too large", 200, strings.Repeat(" ", 1<<20) + `{"response":{}}`, "larger than 1 MiB"},
		{"status", 500, `{"response":{}}`, "status 500"},
		{"redirect", 302, `{"response":{}}`, "status 302"},
		{"created", 201, `{"response":{}}`, "status 201"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := hookServer(t, c.status, c.body, nil)(t.Context(), cognito.PreTokenEvent{})
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("error %v, want %q", err, c.err)
			}
		})
	}
}

// TestWebhookErrorNamesNoURL: a query may hold a token.
func TestWebhookErrorNamesNoURL(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	hook := must(cognito.NewWebhook(cognito.WebhookConfig{URL: server.URL + "/?token=pasted"}))(t)
	if _, err := hook(context.Background(), cognito.PreTokenEvent{}); err == nil || strings.Contains(err.Error(), "pasted") {
		t.Errorf("error %v", err)
	}
}

func TestWebhookMistakes(t *testing.T) {
	for _, url := range []string{"", "localhost:1", "ftp://localhost", "http://hooks.example.com/", "https://user:pasted@hooks.example.com/", "https://h.example.com/#x", "http://127.0.0.1.example.com/"} {
		if _, err := cognito.NewWebhook(cognito.WebhookConfig{URL: url}); err == nil || strings.Contains(err.Error(), "pasted") {
			t.Errorf("%q: %v", url, err)
		}
	}
	for _, config := range []cognito.WebhookConfig{{URL: "https://hooks.example.com/x?y=z"}, {URL: "http://[::1]:1/"}, {URL: "http://hooks.example.com", InsecureAllowHTTP: true}} {
		if _, err := cognito.NewWebhook(config); err != nil {
			t.Errorf("%q: %v", config.URL, err)
		}
	}
}
