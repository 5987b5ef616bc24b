package clientcredentials

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	maxDocument     = 256 << 10
	documentMaxAge  = 24 * time.Hour
	anotherLook     = 3 * time.Second                     // for the document when the endpoint is known
	discoverySuffix = "/.well-known/openid-configuration" // OpenID Connect Discovery 1.0, Section 4
)

// endpoint is where and how an issuer takes token requests.
type endpoint struct {
	url     string
	methods []string // token_endpoint_auth_methods_supported
	readAt  time.Duration
	doubted bool // a request there failed in a way that a move would explain
}

// locate returns the token endpoint. A document that cannot be read again does no harm: the endpoint that
// is known stays in use.
func (f *fetcher) locate(ctx context.Context) (endpoint, *Error) {
	if f.set.endpoint != "" {
		return endpoint{url: f.set.endpoint}, nil
	}
	known := f.endpoint
	if known.url != "" && !known.doubted && f.clock.mono()-known.readAt < documentMaxAge {
		return known, nil
	}
	if known.url != "" {
		// A document that is not answered must leave time for the endpoint that is known.
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, anotherLook)
		defer cancel()
	}
	found, err := f.discover(ctx)
	if err != nil {
		if known.url != "" {
			return known, nil
		}
		return endpoint{}, err
	}
	f.endpoint = found
	return found, nil
}

// doubt marks the endpoint for another look when e looks like a request to a place that is gone.
func (f *fetcher) doubt(e *Error) {
	switch e.Status {
	case 0, http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect,
		http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone:
		f.endpoint.doubted = true
	}
}

// discover reads the issuer's discovery document.
func (f *fetcher) discover(ctx context.Context) (endpoint, *Error) {
	fail := func(status int, temporary bool, err error) (endpoint, *Error) {
		return endpoint{}, &Error{Status: status, Err: fmt.Errorf("discovery: %w", err), temporary: temporary}
	}
	address := strings.TrimSuffix(f.set.issuer, "/") + discoverySuffix
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fail(0, false, errors.New("the request cannot be built"))
	}
	req.Header.Set("Accept", "application/json")
	res, err := f.client.Do(req)
	if err != nil {
		return fail(0, !untrusted(err), cause(err, Credential{}))
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		e := f.refused(res, refusal{})
		e.Code, e.Err = "", errors.New("discovery: the issuer gives no discovery document")
		return endpoint{}, e
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxDocument+1))
	if err != nil {
		return fail(res.StatusCode, true, cause(err, Credential{}))
	}
	if len(body) > maxDocument {
		return fail(res.StatusCode, false, fmt.Errorf("the document is over %d bytes", maxDocument))
	}
	found, err := f.readDocument(body)
	if err != nil {
		return fail(res.StatusCode, false, err)
	}
	return found, nil
}

func (f *fetcher) readDocument(body []byte) (endpoint, error) {
	object, err := members(body)
	if err != nil {
		return endpoint{}, errors.New("the document is not a JSON object")
	}
	// OpenID Connect Discovery 1.0, Section 4.3: the issuer value MUST be identical to the one asked for.
	// Otherwise whoever answers for one issuer could name the token endpoint of another.
	switch said := text(object["issuer"]); {
	case said == f.set.issuer:
	case strings.TrimSuffix(said, "/") == strings.TrimSuffix(f.set.issuer, "/"):
		return endpoint{}, errors.New("the issuer's own name differs from Config.Issuer by a slash at the end; write it as the iss claim has it")
	default:
		return endpoint{}, errors.New("the document is of another issuer than Config.Issuer")
	}
	found := endpoint{url: text(object["token_endpoint"]), readAt: f.clock.mono()}
	if _, byCertificate := f.set.credentials.(clientCertificate); byCertificate {
		// RFC 8705, Section 5: a client that intends to do mutual TLS MUST use the alias in preference.
		if aliases, err := members(object["mtls_endpoint_aliases"]); err == nil {
			found.url = cmp.Or(text(aliases["token_endpoint"]), found.url)
		}
	}
	if found.url == "" {
		// Cognito: a user pool without a domain has no token endpoint.
		return endpoint{}, errors.New("the document names no token_endpoint; a Cognito user pool needs a domain, or Door: GetClientToken")
	}
	if _, err := checkURL(found.url, f.set.plainHTTP); err != nil {
		return endpoint{}, fmt.Errorf("token_endpoint %w", err)
	}
	if raw, given := object["token_endpoint_auth_methods_supported"]; given && json.Unmarshal(raw, &found.methods) != nil {
		return endpoint{}, errors.New("token_endpoint_auth_methods_supported is not a list of strings")
	}
	return found, nil
}
