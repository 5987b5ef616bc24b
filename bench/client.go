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

// clientTokens is the row of the token client: a token that is at hand.
func (s *Suite) clientTokens() Row {
	token := s.fixture.token(variant{})
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, fmt.Sprintf(`{"access_token":%q,"expires_in":3600,"token_type":"Bearer"}`, token))
	}))
	context.AfterFunc(s.ctx, endpoint.Close)
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
		Contenders: []Contender{{"**countersign/clientcredentials**", true, false, ours}, {"golang.org/x/oauth2", false, false, theirs}}}
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
