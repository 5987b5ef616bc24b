package countersigntest_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/countersigntest"
)

const resource = "https://orders.example.com"

// newAPI is a service as its authors write it.
func newAPI(guard *countersign.Guard) *countersign.Mux {
	api := guard.Mux()
	api.HandleFunc("GET /orders/{id}", order, countersign.Scope("orders.read"))
	api.HandleFunc("POST /orders", create, countersign.Scope("orders.write"))
	api.HandleFunc("DELETE /orders/{id}", order, countersign.AllScopes("orders.read", "orders.write"))
	api.HandleFunc("GET /whoami", order, countersign.Authenticated())
	api.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {}, countersign.Public("liveness probe"))
	return api
}

func order(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%s for %s", r.PathValue("id"), strings.Join(countersign.CallerFrom(r.Context()).Scopes, " "))
}

func create(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintf(w, "%s %s", r.Header.Get("Content-Type"), body)
}

func body(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAs(t *testing.T) {
	issuer := countersigntest.NewIssuer(t)
	api := newAPI(issuer.Guard(resource))
	reader := issuer.As("shop", "orders.read")
	if got := body(t, reader.Get(api, "/orders/7")); got != "7 for orders.read" {
		t.Errorf("got %q", got)
	}
	res := issuer.As("shop", "orders.write").Post(api, "/orders", "application/json", `{"a":1}`)
	if got := body(t, res); res.StatusCode != http.StatusCreated || got != `application/json {"a":1}` {
		t.Errorf("%d %q", res.StatusCode, got)
	}
	// The same client asked for less: the first token is as it was, and the new one has no more than was asked for.
	if got := reader.Post(api, "/orders", "", ""); got.StatusCode != http.StatusForbidden {
		t.Errorf("the reader writes: %d", got.StatusCode)
	}
	for _, tt := range []struct {
		name   string
		client *countersigntest.Client
		want   int
	}{
		{"full name", issuer.As("full", resource+"/orders.read"), 200},
		{"two scopes", issuer.As("both", "orders.read", "orders.write"), 200},
		{"no scope", issuer.As("nobody"), 403},
		{"scope of another resource", issuer.As("stranger", "https://other.example.com/orders.read"), 403},
	} {
		if got := tt.client.Get(api, "/orders/7").StatusCode; got != tt.want {
			t.Errorf("%s: status %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestDoLeavesTheRequestAlone(t *testing.T) {
	issuer := countersigntest.NewIssuer(t)
	api := newAPI(issuer.Guard(resource))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://orders.example.com/orders/7", nil)
	if err != nil {
		t.Fatal(err)
	}
	if res := issuer.As("shop", "orders.read").Do(api, r); res.StatusCode != http.StatusOK {
		t.Errorf("status %d", res.StatusCode)
	}
	if len(r.Header) > 0 {
		t.Errorf("the request has %v", r.Header)
	}
}

// The token is Cognito's, from the token endpoint: with no claim more, and no claim less.
func TestTokenIsCognitos(t *testing.T) {
	issuer := countersigntest.NewIssuer(t)
	issuer.Guard(resource)
	token := issuer.As("shop", "orders.read", "orders.write").Token()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range claims {
		names = append(names, name)
	}
	slices.Sort(names)
	want := []string{"auth_time", "client_id", "exp", "iat", "iss", "jti", "scope", "sub", "token_use", "version"}
	if !slices.Equal(names, want) || claims["iss"] != issuer.URL() || claims["scope"] != resource+"/orders.read "+resource+"/orders.write" {
		t.Errorf("got %v", claims)
	}
}

// Two issuers do not believe each other's tokens, though they share their keys to save time.
func TestIssuersAreStrangers(t *testing.T) {
	ours, theirs := countersigntest.NewIssuer(t), countersigntest.NewIssuer(t)
	api := newAPI(ours.Guard(resource))
	theirs.Guard(resource)
	if res := theirs.As("shop", "orders.read").Get(api, "/orders/7"); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("status %d", res.StatusCode)
	}
}

// A guard of the test's own Config reaches the issuer, and nobody else is reached.
func TestHTTPClientReachesTheIssuerOnly(t *testing.T) {
	issuer := countersigntest.NewIssuer(t)
	res, err := issuer.HTTPClient().Get(issuer.URL() + "/.well-known/jwks.json")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var set struct{ Keys []map[string]any }
	if err := json.NewDecoder(res.Body).Decode(&set); err != nil || len(set.Keys) != 2 {
		t.Errorf("%d keys, %v", len(set.Keys), err)
	}
	if _, err := issuer.HTTPClient().Get("https://example.com/"); err == nil || !strings.Contains(err.Error(), "there is no network") {
		t.Errorf("got %v", err)
	}
}

func TestIssuerIsSafeForParallelUse(t *testing.T) {
	issuer := countersigntest.NewIssuer(t)
	api := newAPI(issuer.Guard(resource))
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			scopes := []string{"orders.read", fmt.Sprintf("extra.%d", n)}
			if res := issuer.As("shop", scopes...).Get(api, "/orders/7"); res.StatusCode != http.StatusOK {
				t.Errorf("status %d", res.StatusCode)
			}
		})
	}
	wg.Wait()
}

// A test that prints its client, or logs it, prints no token.
func TestClientPrintsNoToken(t *testing.T) {
	issuer := countersigntest.NewIssuer(t)
	issuer.Guard(resource)
	client := issuer.As("shop", "orders.read")
	text := fmt.Sprintf("%v %+v %#v %s %s", client, client, client, client, client.LogValue())
	if strings.Contains(text, "eyJ") || !strings.Contains(text, "client shop") {
		t.Error("the token is in it, or the name is not")
	}
}

func Example() {
	// In a test: func TestAPI(t *testing.T) { … }
	testAPI := func(t *testing.T) {
		issuer := countersigntest.NewIssuer(t)
		api := newAPI(issuer.Guard("https://orders.example.com"))
		countersigntest.Matrix(t, api)
		countersigntest.Golden(t, api, "testdata/authorization.json")
		res := issuer.As("shop", "orders.read").Get(api, "/orders/7")
		if res.StatusCode != http.StatusOK {
			t.Errorf("status %d", res.StatusCode)
		}
	}
	_ = testAPI
	fmt.Println("go test")
	// Output: go test
}
