package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"golang.org/x/oauth2"
	oauthcc "golang.org/x/oauth2/clientcredentials"

	"github.com/countersign-dev/countersign/clientcredentials"
)

// tokenEndpoint gives one token to everybody.
func (s *Suite) tokenEndpoint(token string) *httptest.Server {
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, fmt.Sprintf(`{"access_token":%q,"expires_in":3600,"token_type":"Bearer"}`, token))
	}))
	context.AfterFunc(s.ctx, endpoint.Close)
	return endpoint
}

// clientTokens is the row of the token client: a token that is at hand.
func (s *Suite) clientTokens() Row {
	token := s.fixture.token(variant{})
	endpoint := s.tokenEndpoint(token)
	ours := func() (Op, error) {
		source, err := clientcredentials.New(clientcredentials.Config{TokenEndpoint: endpoint.URL, Credentials: clientcredentials.Static("id", "secret")})
		if err != nil {
			return nil, err
		}
		context.AfterFunc(s.ctx, func() { source.Close() })
		return asked(func() (string, error) {
			t, err := source.Token(s.ctx)
			if err != nil {
				return "", err
			}
			return t.AccessToken, nil
		}, token)
	}
	theirs := func() (Op, error) {
		cfg := oauthcc.Config{ClientID: "id", ClientSecret: "secret", TokenURL: endpoint.URL, AuthStyle: oauth2.AuthStyleInHeader}
		source := cfg.TokenSource(s.ctx)
		return asked(func() (string, error) {
			t, err := source.Token()
			if err != nil {
				return "", err
			}
			return t.AccessToken, nil
		}, token)
	}
	return Row{ID: "ClientToken", Title: "A client's token that is at hand", About: "What each outgoing request asks for.",
		Contenders: []Contender{{clientName, true, false, ours}, {"golang.org/x/oauth2", false, false, theirs}}}
}

// clientTransports is the row of what a token adds to an outgoing request. The transport beneath answers at once.
func (s *Suite) clientTransports() Row {
	token := s.fixture.token(variant{})
	endpoint := s.tokenEndpoint(token)
	ours := func() (Op, error) {
		source, err := clientcredentials.New(clientcredentials.Config{TokenEndpoint: endpoint.URL, Credentials: clientcredentials.Static("id", "secret")})
		if err != nil {
			return nil, err
		}
		context.AfterFunc(s.ctx, func() { source.Close() })
		base := &atOnce{want: "Bearer " + token}
		return sent(source.Transport(base), base)
	}
	theirs := func() (Op, error) {
		cfg := oauthcc.Config{ClientID: "id", ClientSecret: "secret", TokenURL: endpoint.URL, AuthStyle: oauth2.AuthStyleInHeader}
		base := &atOnce{want: "Bearer " + token}
		return sent(&oauth2.Transport{Source: cfg.TokenSource(s.ctx), Base: base}, base)
	}
	return Row{ID: "ClientTransport", Title: "What a token adds to an outgoing request", About: "A request with four header fields, over a transport that answers at once.",
		Contenders: []Contender{{clientName, true, false, ours}, {"golang.org/x/oauth2", false, false, theirs}}}
}

// atOnce is a transport that answers at once, and counts what came without the token.
type atOnce struct {
	want    string
	without int
	answer  http.Response
}

func (a *atOnce) RoundTrip(req *http.Request) (*http.Response, error) {
	if values := req.Header["Authorization"]; len(values) != 1 || values[0] != a.want {
		a.without++
	}
	return &a.answer, nil
}

func sent(t http.RoundTripper, base *atOnce) (Op, error) {
	base.answer = http.Response{StatusCode: http.StatusOK, Body: http.NoBody}
	req, err := http.NewRequest(http.MethodGet, "https://api.example.com/api/demo", nil)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"Accept", "User-Agent", "Traceparent", "X-Request-Id"} {
		req.Header.Set(name, "value")
	}
	op := func(n int) error {
		for range n {
			if _, err := t.RoundTrip(req); err != nil || base.without > 0 {
				return errors.Join(errors.New("not with the token"), err)
			}
		}
		return nil
	}
	return op, op(1)
}

func asked(token func() (string, error), want string) (Op, error) {
	op := func(n int) error {
		for range n {
			if got, err := token(); err != nil || got != want {
				return errors.Join(errors.New("not the token"), err)
			}
		}
		return nil
	}
	return op, op(1)
}
