package callers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
	"github.com/countersign-dev/countersign/prove"
)

// Issuer gives tokens to callers.
type Issuer struct {
	url  string
	http *http.Client

	mu    sync.Mutex
	known map[string]*clientcredentials.Token // so far, by caller and scopes; of a pointer fmt prints the address
}

// tokenTimeout bounds one token, discovery included.
const tokenTimeout = 30 * time.Second

// NewIssuer takes an issuer's URL, as in the iss claim of its tokens. Its token endpoint comes from its discovery document. The URL is
// https, or on the loopback.
func NewIssuer(url string, client *http.Client) (*Issuer, error) {
	if client == nil {
		client = http.DefaultClient
	}
	if _, err := SecureURL(url); err != nil {
		return nil, fmt.Errorf("the issuer's URL %w", err)
	}
	return &Issuer{url: url, http: client, known: map[string]*clientcredentials.Token{}}, nil
}

// Tokens is a source of tokens over the callers. A caller that names no scopes is asked for a token first, which says what
// it may have.
func (i *Issuer) Tokens(ctx context.Context, callers []Caller) (prove.Clients, error) {
	var problems []error
	var tokens prove.Clients
	for _, c := range callers {
		if len(c.Scopes) > 0 {
			tokens = append(tokens, i.client(c))
			continue
		}
		token, err := i.ask(ctx, c, nil)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		// There may be none: an API that asks for a token alone is proved with it.
		c.Scopes = slices.Clone(token.Scopes)
		i.keep(c, c.Scopes, token)
		tokens = append(tokens, i.client(c))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return tokens, nil
}

func (i *Issuer) client(c Caller) prove.Client {
	return prove.Client{Scopes: c.Scopes, Token: func(ctx context.Context, scopes []string) (string, error) {
		return i.Token(ctx, c, scopes)
	}}
}

// Token asks for a token of the caller with the scopes, once: the issuer counts.
func (i *Issuer) Token(ctx context.Context, c Caller, scopes []string) (string, error) {
	i.mu.Lock()
	known := i.known[tokenKey(c, scopes)]
	i.mu.Unlock()
	if known != nil {
		return known.AccessToken, nil
	}
	token, err := i.ask(ctx, c, scopes)
	if err != nil {
		return "", err
	}
	return token.AccessToken, nil
}

func (i *Issuer) ask(ctx context.Context, c Caller, scopes []string) (*clientcredentials.Token, error) {
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	source, err := clientcredentials.New(clientcredentials.Config{Issuer: i.url, Credentials: c.Credentials, Scopes: scopes, HTTPClient: i.http})
	if err != nil {
		return nil, fmt.Errorf("client %s: %w", c.Name, err)
	}
	defer source.Close()
	token, err := source.Token(ctx)
	if err != nil {
		return nil, fmt.Errorf("client %s: %w", c.Name, err)
	}
	i.keep(c, scopes, token)
	return token, nil
}

func (i *Issuer) keep(c Caller, scopes []string, token *clientcredentials.Token) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.known[tokenKey(c, scopes)] = token
}

func tokenKey(c Caller, scopes []string) string {
	return c.Name + "\x00" + strings.Join(slices.Sorted(slices.Values(scopes)), " ")
}
