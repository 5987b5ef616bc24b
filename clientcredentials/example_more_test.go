package clientcredentials_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
)

// anyIssuer is an issuer that gives everybody a token, and tells what it was shown.
func anyIssuer(shown func(*http.Request)) *httptest.Server {
	n := 0
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown(r)
		n++
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer","expires_in":3600}`, n)
	}))
}

// What golang.org/x/oauth2/clientcredentials does with Config{ClientID, ClientSecret, TokenURL, Scopes} and its Client method.
func ExampleNew_fromOAuth2() {
	issuer, api := servers()
	defer issuer.Close()
	defer api.Close()
	id, secret, tokenURL, scopes := "readClient", "s3cret", issuer.URL+"/oauth2/token", []string{"https://api.example.com/demo.read"}

	source, err := clientcredentials.New(clientcredentials.Config{TokenEndpoint: tokenURL, Credentials: clientcredentials.Static(id, secret), Scopes: scopes})
	if err != nil {
		fmt.Println(err)
		return
	}
	client := &http.Client{Transport: source.Transport(nil)}

	res, err := client.Get(api.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	fmt.Println(res.Status)
	// Output: 200 OK
}

func ExamplePrivateKeyJWT() {
	issuer := anyIssuer(func(r *http.Request) {
		fmt.Println(r.FormValue("client_assertion_type"))
		fmt.Println(r.FormValue("client_secret") == "", len(r.FormValue("client_assertion")) > 200)
	})
	defer issuer.Close()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader) // or a crypto.Signer of an HSM or a KMS
	if err != nil {
		fmt.Println(err)
		return
	}
	source, err := clientcredentials.New(clientcredentials.Config{
		TokenEndpoint: issuer.URL,
		Credentials:   clientcredentials.PrivateKeyJWT(clientcredentials.PrivateKey{ClientID: "orders", Signer: key, KeyID: "2026-11"}),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer source.Close()
	_, err = source.Token(context.Background())
	fmt.Println(err)
	// Output:
	// urn:ietf:params:oauth:client-assertion-type:jwt-bearer
	// true true
	// <nil>
}

func ExampleAssertionFile() {
	source, err := clientcredentials.New(clientcredentials.Config{
		Issuer:      "https://keycloak.example.com/realms/shop",
		Credentials: clientcredentials.AssertionFile("orders", "/var/run/secrets/tokens/keycloak"),
	})
	fmt.Println(source.Stats().Requests, err)
	// Output: 0 <nil>
}

func ExampleClientCertificate() {
	var own tls.Certificate // of tls.LoadX509KeyPair
	source, err := clientcredentials.New(clientcredentials.Config{
		Issuer:      "https://keycloak.example.com/realms/shop",
		Credentials: clientcredentials.ClientCertificate("orders"),
		HTTPClient:  &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{Certificates: []tls.Certificate{own}}}},
	})
	fmt.Println(source.Stats().Requests, err)
	// Output: 0 <nil>
}

func ExampleConfig_authorities() {
	authorities := x509.NewCertPool() // and AppendCertsFromPEM
	source, err := clientcredentials.New(clientcredentials.Config{
		Issuer:      "https://keycloak.example.com/realms/shop",
		Credentials: clientcredentials.File("/var/run/secrets/reader"),
		HTTPClient:  &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: authorities}}},
	})
	fmt.Println(source.Stats().Requests, err)
	// Output: 0 <nil>
}

func ExamplePeer() {
	source, err := clientcredentials.New(clientcredentials.Config{
		TokenEndpoint: "unix:///run/countersign/agent.sock",
		Credentials:   clientcredentials.Peer("reader"),
	})
	fmt.Println(source.Stats().Requests, err)
	// Output: 0 <nil>
}

// meter is an Observer that prints.
type meter struct{}

func (meter) TokenRequest(e clientcredentials.TokenRequestEvent) {
	fmt.Println("token request: granted", e.Granted, "status", e.Status)
}

func (meter) OverBudget(e clientcredentials.OverBudgetEvent) {
	fmt.Printf("over budget: %d of %d in %v, %.5f %s\n", e.Granted, e.Budget, e.Window, e.Cost, e.Currency)
}

func (meter) Resend(_ context.Context, e clientcredentials.ResendEvent) {
	fmt.Println("sent again:", e.Method, "http.request.resend_count", e.Count)
}

func ExampleObserver() {
	issuer := anyIssuer(func(*http.Request) {})
	defer issuer.Close()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer token-1" {
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer api.Close()
	source, err := clientcredentials.New(clientcredentials.Config{
		TokenEndpoint: issuer.URL,
		Credentials:   clientcredentials.Static("readClient", "s3cret"),
		Budget:        clientcredentials.Budget{Requests: 1, Price: clientcredentials.CognitoPrice()},
		Observer:      meter{},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer source.Close()
	client := &http.Client{Transport: source.Transport(nil)}
	res, err := client.Get(api.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	fmt.Println(res.StatusCode)
	// Output:
	// token request: granted true status 200
	// token request: granted true status 200
	// over budget: 2 of 1 in 24h0m0s, 0.00450 USD
	// sent again: GET http.request.resend_count 1
	// 200
}

// spans is where a transport that makes spans would be.
type spans struct{ base http.RoundTripper }

func (s spans) RoundTrip(req *http.Request) (*http.Response, error) {
	if n := clientcredentials.ResendCount(req.Context()); n > 0 {
		fmt.Println("attribute http.request.resend_count =", n)
	}
	return s.base.RoundTrip(req)
}

func ExampleResendCount() {
	issuer := anyIssuer(func(*http.Request) {})
	defer issuer.Close()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer token-1" {
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer api.Close()
	source, err := clientcredentials.New(clientcredentials.Config{TokenEndpoint: issuer.URL, Credentials: clientcredentials.Static("readClient", "s3cret")})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer source.Close()
	client := &http.Client{Transport: source.Transport(spans{http.DefaultTransport})}
	res, err := client.Get(api.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	fmt.Println(res.StatusCode)
	// Output:
	// attribute http.request.resend_count = 1
	// 200
}

func ExampleSource_Replace() {
	issuer := anyIssuer(func(*http.Request) {})
	defer issuer.Close()
	source, err := clientcredentials.New(clientcredentials.Config{TokenEndpoint: issuer.URL, Credentials: clientcredentials.Static("readClient", "s3cret")})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer source.Close()
	ctx := context.Background()
	token, err := source.Token(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	// A server that does not speak HTTP has refused it.
	another, ok := source.Replace(ctx, token)
	fmt.Println(another.AccessToken, ok)
	_, ok = source.Replace(ctx, another) // not twice in five minutes
	fmt.Println(ok)
	// Output:
	// token-2 true
	// false
}

func ExampleConfig_parameters() {
	issuer := anyIssuer(func(r *http.Request) { fmt.Println(r.FormValue("audience")) })
	defer issuer.Close()
	source, err := clientcredentials.New(clientcredentials.Config{
		TokenEndpoint: issuer.URL,
		Credentials:   clientcredentials.Static("orders", "s3cret"),
		Parameters:    url.Values{"audience": {"https://api.example.com"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer source.Close()
	_, err = source.Token(context.Background())
	fmt.Println(err)
	// Output:
	// https://api.example.com
	// <nil>
}

func ExamplePrice_Cost() {
	price := clientcredentials.CognitoPrice()
	fmt.Printf("%.2f %s as of %s\n", price.Cost(6_500), price.Currency, price.AsOf)
	// Output: 14.62 USD as of 2025-04
}

func ExampleParseCredentials() {
	list, err := clientcredentials.ParseCredentials("the vault's entry", []byte(`{"client_id": "readClient", "client_secret": "s3cret"}`))
	fmt.Println(list, err)
	_, err = clientcredentials.ParseCredentials("the vault's entry", []byte(`{"client_id": "readClient"}`))
	fmt.Println(err)
	// Output:
	// [readClient:<redacted>] <nil>
	// the vault's entry has no member "client_secret"
}

func ExampleEnv() {
	os.Setenv("READER_ID", "readClient")
	os.Setenv("READER_SECRET", "s3cret")
	defer os.Unsetenv("READER_ID")
	defer os.Unsetenv("READER_SECRET")
	list, err := clientcredentials.Env("READER_ID", "READER_SECRET").Load(context.Background())
	fmt.Println(list, err)
	// Output: [readClient:<redacted>] <nil>
}

func ExampleStatic() {
	// Two secrets of a client that are live at once: the second is tried when the first is refused.
	list, err := clientcredentials.Static("readClient", "the new secret", "the old secret").Load(context.Background())
	fmt.Println(len(list), err)
	// Output: 2 <nil>
}

func ExampleConfig_startSpread() {
	source, err := clientcredentials.New(clientcredentials.Config{
		Issuer:      "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123",
		Credentials: clientcredentials.File(filepath.Join("/var/run/secrets", "reader")),
		StartSpread: time.Minute, // 200 pods ask 3 or 4 times a second in that minute, and not 200 times in the first
	})
	fmt.Println(source.Stats().Granted, err)
	// Output: 0 <nil>
}
