package tokenendpoint

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/clientcredentials"
)

const (
	maxForm   = 16 << 10 // bytes of a token request's body
	maxScopes = 64       // of one request; Cognito's clients have at most 50
)

// Request is a token request of the client_credentials grant.
type Request struct {
	ClientID string
	Scopes   []string // sorted, each once; the order means nothing
	Basic    bool     // id and secret came in the Authorization header
	Again    bool     // the caller has been refused the token that a cache would give

	secret *string // fmt prints unexported fields too; of a pointer it prints the address
}

// Secret returns the client's secret; empty when the request shows none.
func (r Request) Secret() string {
	if r.secret == nil {
		return ""
	}
	return *r.secret
}

// ErrGrant is a request for another grant than client_credentials, ErrScope one whose scope is malformed.
var (
	ErrGrant = errors.New("this endpoint has the client_credentials grant only")
	ErrScope = errors.New("a scope has a character that RFC 6749, Section 3.3 does not allow, or there are too many scopes")
)

// Read reads a token request. Its error is what is wrong with it, without any of its values.
func Read(r *http.Request) (Request, error) {
	// RFC 6749, Section 2.3.1: the parameters MUST NOT be included in the request URI; it would be in logs.
	if r.URL.RawQuery != "" {
		return Request{}, errors.New("the request has parameters in its URL")
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return Request{}, errors.New("the Content-Type is not application/x-www-form-urlencoded")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxForm+1))
	if err != nil || len(body) > maxForm {
		return Request{}, errors.New("the body cannot be read, or is too long")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return Request{}, errors.New("the body is not a form")
	}
	var q Request
	if err := q.readForm(form); err != nil {
		return Request{}, err
	}
	if err := q.readBasic(r.Header.Values("Authorization")); err != nil {
		return Request{}, err
	}
	q.Again = noCache(r.Header)
	return q, nil
}

func (q *Request) readForm(form url.Values) error {
	for name, values := range form {
		// RFC 6749, Section 3.2: request parameters MUST NOT be included more than once.
		if len(values) > 1 {
			return errors.New("a parameter is there twice")
		}
		switch name {
		case "grant_type", "scope", "client_id", "client_secret":
		default:
			// RFC 6749, Section 3.2: parameters without a value MUST be treated as if they were omitted.
			if values[0] == "" {
				continue
			}
			// RFC 6749, Section 3.2 would ignore it. A parameter may change what is in the token, as Cognito's
			// aws_client_metadata does, and a cache that ignores it hands out the wrong one.
			return errors.New("a parameter is not one of grant_type, scope, client_id and client_secret")
		}
	}
	switch form.Get("grant_type") {
	case "client_credentials":
	case "":
		// RFC 6749, Section 5.2: invalid_request is for a request that is missing a required parameter.
		return errors.New("the request has no grant_type")
	default:
		return ErrGrant
	}
	secret := form.Get("client_secret")
	q.ClientID, q.secret = form.Get("client_id"), &secret
	// RFC 6749, Section 3.3: between scopes stands %x20. A space of another kind is none, and malformed in a scope.
	q.Scopes = strings.FieldsFunc(form.Get("scope"), func(c rune) bool { return c == ' ' })
	slices.Sort(q.Scopes)
	q.Scopes = slices.Compact(q.Scopes)
	if len(q.Scopes) > maxScopes || slices.ContainsFunc(q.Scopes, malformedScope) {
		return ErrScope
	}
	return nil
}

// malformedScope: RFC 6749, Section 3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E ). None is empty, since they are fields.
func malformedScope(token string) bool {
	return strings.ContainsFunc(token, func(c rune) bool { return c < '!' || c > '~' || c == '"' || c == '\\' })
}

func (q *Request) readBasic(headers []string) error {
	if len(headers) == 0 {
		return nil
	}
	// RFC 6749, Section 2.3: the client MUST NOT use more than one authentication method in each request.
	if len(headers) > 1 || q.Secret() != "" {
		return errors.New("the client authenticates twice")
	}
	id, secret, ok := (&http.Request{Header: http.Header{"Authorization": headers}}).BasicAuth()
	if !ok {
		return errors.New("the Authorization header is not of the scheme Basic")
	}
	// RFC 6749, Section 2.3.1: both are form-encoded before they are joined.
	id, err1 := url.QueryUnescape(id)
	secret, err2 := url.QueryUnescape(secret)
	if err1 != nil || err2 != nil || q.ClientID != "" && q.ClientID != id {
		return errors.New("the Authorization header is malformed, or of another client than client_id")
	}
	q.ClientID, q.secret, q.Basic = id, &secret, true
	return nil
}

// noCache reads RFC 9111, Section 5.2.1.4, with which [clientcredentials.Source] says that a token was refused.
func noCache(h http.Header) bool {
	for _, value := range h.Values("Cache-Control") {
		for directive := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(directive), "no-cache") {
				return true
			}
		}
	}
	return false
}

// Refusal is the answer to what Read did not take. Whoever writes a client in another language is told what is wrong with it.
func Refusal(err error) Failure {
	f := Failure{Code: clientcredentials.InvalidRequest, Status: http.StatusBadRequest, Reason: err.Error()}
	switch {
	case errors.Is(err, ErrGrant):
		f.Code = clientcredentials.UnsupportedGrantType
	case errors.Is(err, ErrScope):
		f.Code = clientcredentials.InvalidScope
	}
	return f
}
