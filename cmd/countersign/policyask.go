package main

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/document"
	"github.com/countersign-dev/countersign/prove"
)

// maxAskers bounds the clients as which a guarded policy is asked for.
const maxAskers = 20

// fetchPolicy asks for the document once, and follows no redirection: what it led to would not be what was named.
func fetchPolicy(ctx context.Context, client *http.Client, address, token string) (data []byte, status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, 0, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	own := *client
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := own.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer res.Body.Close()
	data, err = io.ReadAll(io.LimitReader(res.Body, document.MaxSize+1))
	return data, res.StatusCode, err
}

// askAsClient asks a service that guards its own policy, as each client of the proof in turn. A token goes to the service that is proved, and to
// no other host.
func (o proveOptions) askAsClient(ctx context.Context, client *http.Client, u *url.URL, refused int, targets []string) (data []byte, status int, err error) {
	if o.policyTokens == nil || !slices.ContainsFunc(targets, func(target string) bool { return sameOrigin(u, target) }) {
		return nil, refused, nil
	}
	tokens, err := o.policyTokens()
	if err != nil || tokens == nil {
		return nil, refused, err
	}
	grants := tokens.Grants()
	for _, scopes := range grants[:min(len(grants), maxAskers)] {
		token, err := tokens.Token(ctx, scopes)
		if err != nil {
			return nil, 0, err
		}
		if data, status, err = fetchPolicy(ctx, client, o.policy, token); err != nil || status == http.StatusOK {
			return data, status, err
		}
		refused = status
	}
	return nil, refused, nil
}

func sameOrigin(u *url.URL, target string) bool {
	t, err := url.Parse(target)
	return err == nil && t.Scheme == u.Scheme && strings.EqualFold(t.Host, u.Host)
}

// mintOnce gives the tokens of a proof, whichever asks for them first: a policy that is guarded, or the proof.
type mintOnce struct {
	mint func(proofPolicy) (proofTokens, error)
	have *proofTokens
}

func (m *mintOnce) tokens(policy proofPolicy) (proofTokens, error) {
	if m.have != nil {
		return *m.have, nil
	}
	tokens, err := m.mint(policy)
	if err == nil {
		m.have = &tokens
	}
	return tokens, err
}

// guarded is tokens before the policy is known.
func (m *mintOnce) guarded() (prove.Tokens, error) {
	tokens, err := m.tokens(proofPolicy{})
	return tokens.tokens, err
}
