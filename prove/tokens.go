package prove

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Tokens mints the good tokens of a proof.
type Tokens interface {
	// Token returns an access token with exactly these scopes, by their full names. With none it returns a token with
	// whatever scopes the issuer gives a client that asks for none.
	Token(ctx context.Context, scopes []string) (string, error)
	// Grants lists what can be minted: any set that is part of one of the lists, each of which is what one client may have.
	Grants() [][]string
}

// Client is one client of the prover, and a source of tokens for it.
type Client struct {
	Scopes []string // full names of what it may ask for
	Token  func(ctx context.Context, scopes []string) (string, error)
}

// Clients mints tokens with whichever client may have the scopes; the first one that may is asked.
type Clients []Client

// Grants lists the scopes of each client.
func (c Clients) Grants() [][]string {
	grants := make([][]string, 0, len(c))
	for _, client := range c {
		grants = append(grants, slices.Clone(client.Scopes))
	}
	return grants
}

// Token asks the first client that may have all the scopes.
func (c Clients) Token(ctx context.Context, scopes []string) (string, error) {
	for _, client := range c {
		if containsAll(client.Scopes, scopes) {
			return client.Token(ctx, scopes)
		}
	}
	return "", fmt.Errorf("prove: no client may ask for %s", strings.Join(scopes, " "))
}

// wallet has the tokens of one proof: one for each scope set, since issuers count and bill them.
type wallet struct {
	tokens Tokens
	grants [][]string
	have   map[string]string
	failed map[string]error
}

func newWallet(tokens Tokens) *wallet {
	w := &wallet{tokens: tokens, have: map[string]string{}, failed: map[string]error{}}
	if tokens != nil {
		w.grants = tokens.Grants()
	}
	return w
}

// unmintable is why there can be no token with these scopes; empty if there can.
func (w *wallet) unmintable(scopes []string) string {
	for _, grant := range w.grants {
		if containsAll(grant, scopes) {
			return ""
		}
	}
	switch {
	case len(scopes) == 0 || len(w.grants) == 0:
		return reasonNoClient
	case len(scopes) == 1:
		return reasonMayNotAsk + scopes[0]
	}
	return reasonMayNotAsk + "all of " + strings.Join(scopes, " ")
}

// other is a scope that the policy never asks for: the plainest wrong one, and the only one where the policy knows a single scope. One is
// enough, whatever else the clients may have: each costs a token. That of the probe costs none, and one of the resource is the nearest.
func (w *wallet) other(known []string, prefix, probe string) string {
	var all []string
	for _, grant := range w.grants {
		all = append(all, grant...)
	}
	if slices.Contains(all, probe) {
		return probe
	}
	slices.SortFunc(all, func(a, b string) int {
		if ours := strings.HasPrefix(a, prefix); ours != strings.HasPrefix(b, prefix) {
			return map[bool]int{true: -1, false: 1}[ours]
		}
		return strings.Compare(a, b)
	})
	for _, scope := range all {
		if !slices.Contains(known, scope) {
			return scope
		}
	}
	return ""
}

// mint asks for the token of a scope set, once.
func (w *wallet) mint(ctx context.Context, scopes []string) {
	key := setKey(scopes)
	if w.have[key] != "" || w.failed[key] != nil {
		return
	}
	token, err := w.tokens.Token(ctx, slices.Clone(scopes))
	if err == nil {
		err = holds(token, scopes)
	}
	if err != nil {
		w.failed[key] = err
		return
	}
	w.have[key] = token
}

// holds checks that the issuer gave what was asked for. RFC 6749, Section 3.3: it may give fewer scopes than that, and a
// case with another token than its own would prove nothing.
func holds(token string, scopes []string) error {
	if token == "" {
		return errors.New("the source of tokens gave none")
	}
	have, ok := scopesOf(token)
	if !ok || len(scopes) == 0 {
		return nil
	}
	if setKey(have) != setKey(scopes) {
		return fmt.Errorf("the issuer was asked for the scopes %q and gave %q", setKey(scopes), setKey(have))
	}
	return nil
}
