package clientcredentials

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/internal/oauth"
)

// The codes of [Error], as RFC 6749, Section 5.2 spells them.
const (
	InvalidRequest       = oauth.InvalidRequest
	InvalidClient        = oauth.InvalidClient
	InvalidGrant         = oauth.InvalidGrant
	UnauthorizedClient   = oauth.UnauthorizedClient
	UnsupportedGrantType = oauth.UnsupportedGrantType
	InvalidScope         = oauth.InvalidScope
)

// ErrClosed is the cause of an [Error] when no token can be had because the [Source] was closed.
var ErrClosed = errors.New("source is closed")

// Error says why there is no token. It never holds the issuer's answer, a token or a secret.
//
// errors.Is(err, &Error{Code: InvalidClient}) compares codes; errors.Is with context.DeadlineExceeded and
// the like looks at Err.
type Error struct {
	// Code is one of the constants of this package when the issuer answered with it, and empty when
	// there was no answer, no readable one, or one with another code.
	Code string

	// Status is the HTTP status of the issuer's answer; 0 without one.
	Status int

	// Attempt counts the failed attempts since the last token, this one included; 0 when no attempt
	// was made, for instance because the caller's context had ended.
	Attempt int

	// NextTry is when the issuer is asked again at the earliest; until then calls get this error at once.
	// Zero when a new call asks at once.
	NextTry time.Time

	// Err is the cause.
	Err error

	temporary  bool
	retryAfter time.Duration // as the issuer asked; 0 when it did not
	retryAt    time.Duration // NextTry on the monotonic clock
	at         time.Time     // when the issuer answered, by its own clock; zero when it does not say
}

// Error implements the error interface.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("clientcredentials: no token: ")
	if e.Code != "" {
		b.WriteString(e.Code + ": ")
	}
	if e.Err != nil {
		b.WriteString(e.Err.Error())
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, " (HTTP %d)", e.Status)
	}
	if e.Attempt > 0 {
		fmt.Fprintf(&b, ", attempt %d", e.Attempt)
	}
	if !e.NextTry.IsZero() {
		b.WriteString(", next try " + e.NextTry.Format(time.RFC3339))
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is an [Error] with the same code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code != "" && t.Code == e.Code
}

// Temporary reports whether the same request may succeed later: the issuer was not reached, was too busy
// or failed. Otherwise something has to be put right first: a secret, a scope, an address.
func (e *Error) Temporary() bool { return e.temporary }

// copy gives each caller an Error of its own.
func (e *Error) copy() *Error {
	own := *e
	return &own
}

// reasons says what each code means here.
var reasons = map[string]string{
	InvalidRequest:       "the issuer does not take the request; with GetClientToken, look at the scopes first",
	InvalidClient:        "the issuer does not accept the client id and what proves it",
	InvalidGrant:         "the issuer does not grant it; in Cognito, look at AllowedOAuthFlowsUserPoolClient of the app client",
	UnauthorizedClient:   "the client is not allowed to use client_credentials",
	UnsupportedGrantType: "the issuer does not have client_credentials",
	InvalidScope:         "a scope is unknown, or not allowed to this client",
}

// knownCode keeps the text of a stranger out of errors and logs.
func knownCode(code string) string {
	switch code {
	case InvalidRequest, InvalidClient, InvalidGrant, UnauthorizedClient, UnsupportedGrantType, InvalidScope:
		return code
	}
	return ""
}

// cause strips what a transport's error repeats of the request or of the answer. An http.RoundTripper is
// free to put the header or the form that it could not send into its error, and net/http quotes the line of
// an answer that it does not understand.
func cause(err error, c Credential) error {
	if inner := (*url.Error)(nil); errors.As(err, &inner) {
		err = inner.Err
	}
	text := err.Error()
	if strings.Contains(text, "malformed") || strings.Contains(text, "transport connection broken") {
		return errors.New("the connection broke, or the answer is not HTTP")
	}
	if strings.Contains(text, "Location header") {
		return errors.New("the answer redirects, to what is no address")
	}
	for _, form := range formsOf(c) {
		if form != "" && strings.Contains(text, form) {
			return errors.New("the cause is withheld, for its text repeats the client's secret")
		}
	}
	return err
}

// untrusted reports whether the issuer's certificate is the cause: somebody has to name another authority, or to renew it.
func untrusted(err error) bool {
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &certificate)
}

// formsOf are the spellings in which a request has the secret.
func formsOf(c Credential) []string {
	inJSON, _ := json.Marshal(c.ClientSecret)
	return []string{
		c.assertion,
		c.ClientSecret,
		url.QueryEscape(c.ClientSecret),
		strings.Trim(string(inJSON), `"`),
		strings.TrimPrefix(oauth.BasicHeader(c.ClientID, c.ClientSecret), "Basic "),
	}
}
