package bench_test

import (
	"context"
	"fmt"
	"net/http"

	"golang.org/x/oauth2"

	"github.com/countersign-dev/countersign/clientcredentials"
)

// tokenSource is a clientcredentials.Source for a library that wants an oauth2.TokenSource.
type tokenSource struct {
	ctx    context.Context
	source *clientcredentials.Source
}

func (t tokenSource) Token() (*oauth2.Token, error) {
	token, err := t.source.Token(t.ctx)
	if err != nil {
		return nil, err
	}
	return &oauth2.Token{AccessToken: token.AccessToken, TokenType: token.Type, Expiry: token.Expiry}, nil
}

// Do not wrap it in oauth2.ReuseTokenSource: that keeps a token beyond its renewal. oauth2.Transport takes it as it is.
func Example_tokenSource() {
	issuer := roundTripper(func(*http.Request) (*http.Response, error) { return tokenAnswer("opaque", 3600), nil })
	source, err := clientcredentials.New(clientcredentials.Config{
		TokenEndpoint: "https://auth.example.com/oauth2/token",
		Credentials:   clientcredentials.Static("readClient", "s3cret"),
		HTTPClient:    &http.Client{Transport: issuer},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer source.Close()

	var theirs oauth2.TokenSource = tokenSource{context.Background(), source}
	api := roundTripper(func(req *http.Request) (*http.Response, error) {
		fmt.Println(req.Header.Get("Authorization"))
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
	})
	client := &http.Client{Transport: &oauth2.Transport{Source: theirs, Base: api}}
	res, err := client.Get("https://api.example.com/api/demo")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(res.StatusCode)
	// Output:
	// Bearer opaque
	// 200
}
