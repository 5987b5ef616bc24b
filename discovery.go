package countersign

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/internal/jose"
	"github.com/countersign-dev/countersign/internal/oauth"
)

// discoveryAge is how long the address of the keys is believed before the discovery document is read again.
const discoveryAge = time.Hour

// keyAddress is where an issuer's keys are: fixed by configuration, or found by discovery.
type keyAddress struct {
	issuer    string
	allowHTTP bool
	fixed     bool

	uri  string    // "" until it is found
	read time.Time // when discovery found it; zero when it is to be read again
}

// find reads the discovery document if that is due. An error leaves uri as it was: an issuer whose discovery is out
// of order can still have its keys where they were.
func (a *keyAddress) find(ctx context.Context, f *fetcher) error {
	if a.fixed || !a.read.IsZero() && time.Since(a.read) < discoveryAge {
		return nil
	}
	var err error
	for _, address := range discoveryURLs(a.issuer) {
		var answered document
		answered, err = f.get(ctx, address)
		var status *statusError
		if errors.As(err, &status) && status.status == http.StatusNotFound {
			continue
		}
		if err != nil {
			break
		}
		var uri string
		if uri, err = parseDiscovery(answered.body, a.issuer, a.allowHTTP); err == nil {
			a.uri, a.read = uri, time.Now()
		}
		break
	}
	if err != nil {
		return fmt.Errorf("discovery: %w", err)
	}
	return nil
}

// doubt makes the next find read the document again: the keys were not where it said.
func (a *keyAddress) doubt() { a.read = time.Time{} }

// discoveryURLs are the addresses at which an issuer may keep its discovery document, in the order of asking.
func discoveryURLs(issuer string) []string {
	// OpenID Connect Discovery 1.0, Section 4: any terminating / is removed before the path is appended.
	openID := strings.TrimSuffix(issuer, "/") + "/.well-known/openid-configuration"
	// RFC 8414, Section 3: the well-known string stands between the host and the issuer's own path.
	scheme, rest, _ := strings.Cut(strings.TrimSuffix(issuer, "/"), "://")
	host, path, _ := strings.Cut(rest, "/")
	oauth := scheme + "://" + host + "/.well-known/oauth-authorization-server"
	if path != "" {
		oauth += "/" + path
	}
	return []string{openID, oauth}
}

// parseDiscovery returns where the keys are, from a discovery document that is of the issuer it was asked of.
func parseDiscovery(body []byte, issuer string, allowHTTP bool) (jwksURI string, err error) {
	named, err := stringMembers(body, "issuer", "jwks_uri")
	if err != nil {
		return "", err
	}
	// OpenID Connect Discovery 1.0, Section 4.3, and RFC 8414, Section 3.3: the issuer in the document MUST be
	// identical to the one asked for. Without this a document of one tenant could hand over the keys of another.
	if got, ok := named["issuer"]; !ok {
		return "", errors.New("document names no issuer")
	} else if got != issuer {
		return "", errors.New(issuerDifference(got, issuer))
	}
	uri, ok := named["jwks_uri"]
	if !ok {
		return "", errors.New("document names no jwks_uri")
	}
	// An issuer out on the network may not point this process at a plain port of its own machine.
	plain := allowHTTP || isLoopback(issuer)
	if err := checkURL(uri, plain, allowHTTP); err != nil {
		return "", fmt.Errorf("jwks_uri: %w", err)
	}
	return uri, nil
}

// issuerDifference says how two issuers differ without repeating what the document holds.
func issuerDifference(got, want string) string {
	const text = "document is of another issuer"
	switch {
	case strings.TrimSuffix(got, "/") == strings.TrimSuffix(want, "/"):
		return text + ": the two differ in a terminating slash, and must be identical"
	case strings.EqualFold(got, want):
		return text + ": the two differ in upper and lower case, and must be identical"
	}
	return text + " than the one configured"
}

// stringMembers returns the named members of a JSON object, each of which must be a string if it is there. Names
// match to the letter and none may be there twice, which encoding/json does not hold: to it an "ISSUER" after the
// issuer is the issuer.
func stringMembers(body []byte, names ...string) (map[string]string, error) {
	document := jose.ReadObject(body)
	found := make(map[string]string, len(names))
	var err error
	for document.Next() {
		name := string(document.Name())
		if !slices.Contains(names, name) {
			continue
		}
		value, ok := document.Value().Text()
		if !ok || len(value) == 0 {
			err = fmt.Errorf("member %s of the document is not a string", name)
		}
		found[name] = string(value)
	}
	if syntax := document.Err(); syntax != nil {
		return nil, syntax
	}
	return found, err
}

// checkURL reports why keys may not be fetched from raw, or nil. Plain http is for loopback if loopback says so,
// and for every host if anywhere does.
func checkURL(raw string, loopback, anywhere bool) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return errors.New("not a URL") // net/url's error repeats the text
	case u.Hostname() == "" || u.Opaque != "":
		return errors.New("not an absolute URL")
	case u.User != nil:
		return errors.New("URL holds a user name or password")
	case u.Fragment != "":
		return errors.New("URL has a fragment")
	case u.Scheme == "https":
		return nil
	case u.Scheme != "http":
		return errors.New("URL is not https")
	case anywhere || loopback && oauth.IsLoopback(u.Hostname()):
		return nil
	}
	return errors.New("URL is plain http, which is for loopback only unless InsecureAllowHTTP is set")
}

// isLoopback reports whether the URL names this machine.
func isLoopback(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && oauth.IsLoopback(u.Hostname())
}
