package tokenendpoint

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
)

// Grant is a token and how long it is still good.
type Grant struct {
	AccessToken string
	Scopes      []string
	Left        time.Duration
}

// answer is RFC 6749, Section 5.1.
type answer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int64  `json:"expires_in"`
	Scope       string `json:"scope,omitempty"`
}

// Write answers with the token. Expires_in is what is left of its life, and not what the issuer once said: a client that
// believed the latter would send a token that has ended.
func (g Grant) Write(w http.ResponseWriter) {
	body, err := json.Marshal(answer{AccessToken: g.AccessToken, TokenType: "Bearer",
		ExpiresIn: max(int64(g.Left/time.Second), 1), Scope: strings.Join(g.Scopes, " ")})
	if err != nil {
		Failure{Status: http.StatusInternalServerError}.Write(w)
		return
	}
	write(w, http.StatusOK, body)
}

// Failure is a token request that was not granted.
type Failure struct {
	Code       string // RFC 6749, Section 5.2; empty for a fault that is not the client's
	Status     int
	RetryAfter time.Duration
	Reason     string // its error_description: fixed words of this program's, of the characters that the section allows; may be empty
}

// FailureOf is the answer to an error of [clientcredentials.Source]. It discloses a code and nothing else.
func FailureOf(err error) Failure {
	var e *clientcredentials.Error
	switch {
	case errors.As(err, &e) && e.Temporary():
		// NextTry is when the issuer is asked again; a caller that could not wait has none.
		return Failure{Status: http.StatusServiceUnavailable, RetryAfter: max(time.Until(e.NextTry), time.Second)}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.Is(err, clientcredentials.ErrClosed):
		return Failure{Status: http.StatusServiceUnavailable, RetryAfter: time.Second}
	case e == nil || e.Code == "":
		return Failure{Status: http.StatusBadGateway}
	}
	f := Failure{Code: e.Code, Status: http.StatusBadRequest}
	if e.Status == http.StatusUnauthorized {
		f.Status = http.StatusUnauthorized
	}
	return f
}

// refusal is RFC 6749, Section 5.2.
type refusal struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// Write answers with the failure.
func (f Failure) Write(w http.ResponseWriter) {
	code := f.Code
	if code == "" {
		// RFC 6749 has this code for the authorization endpoint; clients know it here too, and that it passes.
		code = "temporarily_unavailable"
		if f.RetryAfter == 0 {
			code = "server_error"
		}
	}
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
	}
	if f.Status == http.StatusUnauthorized {
		// RFC 6749, Section 5.2: a 401 MUST have the header field of the scheme that the client used.
		w.Header().Set("WWW-Authenticate", `Basic realm="token endpoint"`)
	}
	body, _ := json.Marshal(refusal{code, f.Reason}) // strings have no error
	write(w, f.Status, body)
}

func write(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json;charset=UTF-8")
	// RFC 6749, Section 5.1: both MUST be there.
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}
