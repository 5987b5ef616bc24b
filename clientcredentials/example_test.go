package clientcredentials_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
)

// servers starts an issuer, whose client readClient has the secret "s3cret", and an API that takes its token.
func servers() (issuer, api *httptest.Server) {
	mux := http.NewServeMux()
	issuer = httptest.NewServer(mux)
	writeJSON := func(w http.ResponseWriter, status int, value map[string]any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(value)
	}
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, 200, map[string]any{"issuer": issuer.URL, "token_endpoint": issuer.URL + "/oauth2/token"})
	})
	mux.HandleFunc("POST /oauth2/token", func(w http.ResponseWriter, r *http.Request) {
		if id, secret, _ := r.BasicAuth(); id != "readClient" || secret != "s3cret" {
			writeJSON(w, 400, map[string]any{"error": "invalid_client"})
			return
		}
		writeJSON(w, 200, map[string]any{"access_token": "opaque", "token_type": "Bearer", "expires_in": 3600})
	})
	api = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer opaque" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	return issuer, api
}

func ExampleNew() {
	source, err := clientcredentials.New(clientcredentials.Config{
		Issuer:      "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123",
		Credentials: clientcredentials.File("/var/run/secrets/reader"),
		Scopes:      []string{"https://api.example.com/demo.read"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer source.Close()

	client := &http.Client{Transport: source.Transport(nil), Timeout: 30 * time.Second}
	fmt.Println(client.Timeout)
	// Output: 30s
}

func ExampleNew_everyProblem() {
	_, err := clientcredentials.New(clientcredentials.Config{
		Issuer:  "http://issuer.example.com",
		Origins: []string{"https://api.example.com/api"},
	})
	fmt.Println(err)
	// Output:
	// clientcredentials: Config.Issuer: is plain http and not on the loopback; use https, or say InsecureAllowHTTP
	// clientcredentials: Config.Credentials: is nil; use Static, Env, File or Func
	// clientcredentials: Config.Origins[0]: has a path or a query; an origin is scheme://host[:port]
}

func ExampleSource_Transport() {
	issuer, api := servers()
	defer issuer.Close()
	defer api.Close()

	source, err := clientcredentials.New(clientcredentials.Config{
		Issuer:      issuer.URL,
		Credentials: clientcredentials.Static("readClient", "s3cret"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer source.Close()

	client := &http.Client{Transport: source.Transport(nil)}
	for range 3 {
		res, err := client.Get(api.URL + "/api/demo/protectedRole/sample-username")
		if err != nil {
			fmt.Println(err)
			return
		}
		res.Body.Close()
		fmt.Println(res.Status)
	}
	fmt.Println(source.Stats().Requests, "token request")
	// Output:
	// 200 OK
	// 200 OK
	// 200 OK
	// 1 token request
}

func ExampleSource_Token() {
	issuer, api := servers()
	defer issuer.Close()
	defer api.Close()

	source, err := clientcredentials.New(clientcredentials.Config{
		Issuer:      issuer.URL,
		Credentials: clientcredentials.Static("readClient", "s3cret"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer source.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	token, err := source.Token(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(token.AccessToken, time.Until(token.Expiry) > 59*time.Minute)
	// Output: opaque true
}

func ExampleError() {
	issuer, api := servers()
	defer issuer.Close()
	defer api.Close()

	source, err := clientcredentials.New(clientcredentials.Config{
		Issuer:      issuer.URL,
		Credentials: clientcredentials.Static("readClient", "an old secret"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer source.Close()

	_, err = source.Token(context.Background())
	var failed *clientcredentials.Error
	if errors.As(err, &failed) {
		fmt.Println(failed.Code, failed.Status, failed.Attempt, failed.Temporary())
	}
	fmt.Println(errors.Is(err, &clientcredentials.Error{Code: clientcredentials.InvalidClient}))
	// Output:
	// invalid_client 400 1 false
	// true
}

func ExampleFile() {
	dir, err := os.MkdirTemp("", "reader")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	// As Kubernetes mounts a Secret: a file for each key.
	for name, value := range map[string]string{"client_id": "readClient", "client_secret": "s3cret"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(value), 0o600); err != nil {
			fmt.Println(err)
			return
		}
	}
	list, err := clientcredentials.File(dir).Load(context.Background())
	fmt.Println(list, err)
	// Output: [readClient:<redacted>] <nil>
}

func ExampleFunc() {
	// A store of your own. The second credential is tried when the issuer refuses the first.
	store := func(ctx context.Context) ([]clientcredentials.Credential, error) {
		return []clientcredentials.Credential{
			{ClientID: "readClient", ClientSecret: "the new secret"},
			{ClientID: "readClient", ClientSecret: "s3cret"},
		}, nil
	}
	issuer, api := servers()
	defer issuer.Close()
	defer api.Close()
	source, err := clientcredentials.New(clientcredentials.Config{
		Issuer:      issuer.URL,
		Credentials: clientcredentials.Func(store),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer source.Close()

	_, err = source.Token(context.Background())
	fmt.Println(err, source.Stats().SecretFallback)
	// Output: <nil> true
}

// oauth2Token has the fields of oauth2.Token that matter here.
type oauth2Token struct {
	AccessToken string
	TokenType   string
	Expiry      time.Time
}

// tokenSource has the shape of an oauth2.TokenSource: write *oauth2.Token for *oauth2Token.
type tokenSource struct {
	ctx    context.Context
	source *clientcredentials.Source
}

func (t tokenSource) Token() (*oauth2Token, error) {
	token, err := t.source.Token(t.ctx)
	if err != nil {
		return nil, err
	}
	return &oauth2Token{AccessToken: token.AccessToken, TokenType: token.Type, Expiry: token.Expiry}, nil
}

// A library that asks for an oauth2.TokenSource gets one in ten lines. Do not wrap it in
// oauth2.ReuseTokenSource, which would keep a token beyond the renewal.
func ExampleSource_Token_oauth2() {
	issuer, api := servers()
	defer issuer.Close()
	defer api.Close()
	source, err := clientcredentials.New(clientcredentials.Config{
		Issuer:      issuer.URL,
		Credentials: clientcredentials.Static("readClient", "s3cret"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer source.Close()

	var shaped interface{ Token() (*oauth2Token, error) } = tokenSource{context.Background(), source}
	token, err := shaped.Token()
	fmt.Println(token.TokenType, err)
	// Output: Bearer <nil>
}

func ExampleConfig_door() {
	source, err := clientcredentials.New(clientcredentials.Config{
		Issuer:      "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123",
		Credentials: clientcredentials.Static("readClient", "s3cret"),
		Door:        clientcredentials.GetClientToken,
	})
	fmt.Println(source.Stats().Requests, err)
	// Output: 0 <nil>
}
