package prove

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/internal/jose"
	"github.com/countersign-dev/countersign/internal/oauth"
)

// Bounds of what is read of an issuer.
const (
	maxIssuerAnswer = 1 << 20
	issuerTimeout   = 10 * time.Second
)

// Keys are the public keys of an issuer, by the names that its tokens give them: an issuer may have several, and a token that abuses
// one must abuse the one that its verifier looks up.
type Keys struct{ set *jose.KeySet }

// FetchKeys reads the issuer's discovery document (OpenID Connect Discovery 1.0, Section 4, or RFC 8414, Section 3) and the
// key set that it names: https, or http on this machine. A nil client is [http.DefaultTransport]; redirects are not followed.
// The error has nothing of the answers but their status.
func FetchKeys(ctx context.Context, issuer string, client *http.Client) (*Keys, error) {
	ctx, cancel := context.WithTimeout(ctx, issuerTimeout)
	defer cancel()
	own := http.Client{}
	if client != nil {
		own = *client
	}
	own.Jar = nil
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	address, err := findKeySet(ctx, &own, issuer)
	if err != nil {
		return nil, fmt.Errorf("prove: discovery of the issuer's keys: %w", err)
	}
	body, _, err := read(ctx, &own, address)
	if err != nil {
		return nil, fmt.Errorf("prove: key set of the issuer: %w", err)
	}
	set, err := jose.ParseKeySet(body)
	if err != nil {
		return nil, fmt.Errorf("prove: key set of the issuer: %w", err)
	}
	return &Keys{set}, nil
}

// findKeySet is the jwks_uri of the issuer.
func findKeySet(ctx context.Context, client *http.Client, issuer string) (string, error) {
	u, err := url.Parse(issuer)
	if err != nil || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", errors.New("the issuer is no URL of scheme, host and path")
	}
	path := strings.TrimSuffix(u.EscapedPath(), "/")
	for _, at := range []string{path + "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server" + path} {
		body, status, err := read(ctx, client, u.Scheme+"://"+u.Host+at)
		if status == http.StatusNotFound {
			continue
		}
		if err != nil {
			return "", err
		}
		var document struct {
			Issuer string `json:"issuer"`
			Keys   string `json:"jwks_uri"`
		}
		// RFC 8414, Section 3.3: the issuer in the document MUST be identical to the one asked for.
		if json.Unmarshal(body, &document) != nil || document.Issuer != issuer || document.Keys == "" {
			return "", errors.New("the document is not this issuer's, or names no jwks_uri")
		}
		return document.Keys, nil
	}
	return "", errors.New("the issuer has no discovery document")
}

// read gets a document. The keys are public, but whoever can change them on the way could have a service proved with other keys.
func read(ctx context.Context, client *http.Client, address string) (body []byte, status int, err error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil {
		return nil, 0, errors.New("the address is no URL of scheme, host and path")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !oauth.IsLoopback(u.Hostname())) {
		return nil, 0, errors.New("the address is not https, and not this machine's")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, 0, errors.New("the address is no URL of scheme, host and path")
	}
	req.Header.Set("Accept", "application/json")
	res, err := client.Do(req)
	if err != nil {
		var with *url.Error // its text has the address, which a document may have chosen
		if errors.As(err, &with) {
			err = with.Err
		}
		return nil, 0, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, res.StatusCode, fmt.Errorf("status %d", res.StatusCode)
	}
	body, err = io.ReadAll(io.LimitReader(res.Body, maxIssuerAnswer+1))
	if err == nil && len(body) > maxIssuerAnswer {
		err = errors.New("the answer is larger than 1 MiB")
	}
	return body, res.StatusCode, err
}

// signer is the key that the header of a good token names; nil where it is not known.
func (k *Keys) signer(header string) crypto.PublicKey {
	var named struct {
		KeyID string         `json:"kid"`
		Alg   jose.Algorithm `json:"alg"`
	}
	if k == nil || json.Unmarshal([]byte(header), &named) != nil {
		return nil
	}
	if key := k.set.Lookup(named.KeyID, named.Alg); key != nil {
		return key.Public()
	}
	return nil
}
