package serve_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestDisallowedScopes: AWS' pages say both, and the configuration says which.
func TestDisallowedScopes(t *testing.T) {
	for more, want := range map[string]int{"": http.StatusBadRequest, "ignoreDisallowedScopes: true\n": http.StatusOK} {
		r := begin(t, more)
		form := url.Values{"grant_type": {"client_credentials"}, "scope": {"https://api.example.com/demo.read https://api.example.com/demo.write"}}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.Issuer()+"/"+r.pool+"/oauth2/token", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.SetBasicAuth(*r.client.ClientId, *r.client.ClientSecret)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%q: status %d, want %d", more, answer.StatusCode, want)
		}
	}
}
