package countersign

import (
	"net/http"
	"time"

	"github.com/countersign-dev/countersign/internal/oauth"
)

// Error is why a request or a token was refused. [errors.Is] finds its [Reason]:
//
//	errors.Is(err, countersign.Expired)
type Error struct {
	Code   string // of RFC 6750, Section 3.1, or "temporarily_unavailable"; empty when no token came
	Status int    // HTTP status: 400, 401, 403 or 503
	Err    error  // a [Reason], or wraps one; it says more than a caller may be told

	retryAfter time.Duration // of a 503
	scopes     []string      // full names, of a 403
}

// Error returns the reason. It never has a byte of the token in it.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// RetryAfter is how long to wait before the same token is worth another try, for answers in a protocol other than HTTP. It is
// zero unless Status is 503.
func (e *Error) RetryAfter() time.Duration { return e.retryAfter }

// Reason is the closed set of reasons of a refusal. It is for logs, metrics and tests; a caller is told the code
// of [Error] only.
type Reason string

// The reasons. The comment names the code of the answer.
const (
	MissingToken      Reason = "missing_token"      // no code, 401
	MalformedRequest  Reason = "malformed_request"  // invalid_request: the Authorization header is repeated, too large or malformed
	TokenInQuery      Reason = "token_in_query"     // invalid_request: the parameter access_token
	AmbiguousPath     Reason = "ambiguous_path"     // invalid_request: the path, once it is decoded, may be another route's
	MalformedToken    Reason = "malformed_token"    // invalid_token: not a compact JWS, or not encoded exactly as RFC 7515 has it
	BadHeader         Reason = "bad_header"         // invalid_token: not exact JSON; crit, b64 or zip; or a typ that the profile refuses
	BadAlgorithm      Reason = "bad_algorithm"      // invalid_token: an alg that is not on the issuer's list
	BadClaims         Reason = "bad_claims"         // invalid_token: not exact JSON, or a claim is missing or of the wrong type
	BadIssuer         Reason = "bad_issuer"         // invalid_token: iss is not a trusted issuer
	BadAudience       Reason = "bad_audience"       // invalid_token: aud does not name this resource
	BadTokenUse       Reason = "bad_token_use"      // invalid_token: not an access token, but for example an ID token
	BadClient         Reason = "bad_client"         // invalid_token: client_id is not on the list
	Expired           Reason = "expired"            // invalid_token
	NotYetValid       Reason = "not_yet_valid"      // invalid_token
	UnknownKey        Reason = "unknown_key"        // invalid_token: the issuer has no such key
	BadSignature      Reason = "bad_signature"      // invalid_token
	InsufficientScope Reason = "insufficient_scope" // insufficient_scope, 403
	ClientNotAllowed  Reason = "client_not_allowed" // insufficient_scope, 403: a Client rule
	KeysUnavailable   Reason = "keys_unavailable"   // temporarily_unavailable, 503: not the caller's fault
)

// Error makes a Reason an error of its own.
func (r Reason) Error() string { return "countersign: token refused: " + string(r) }

// refuse gives the error of a reason, with the status and code that RFC 6750, Section 3.1, has for it.
func refuse(reason Reason) *Error {
	switch reason {
	case MissingToken:
		// "If the request lacks any authentication information … the resource server SHOULD NOT include an
		// error code or other error information."
		return &Error{Status: http.StatusUnauthorized, Err: reason}
	case MalformedRequest, TokenInQuery, AmbiguousPath:
		return &Error{Code: oauth.InvalidRequest, Status: http.StatusBadRequest, Err: reason}
	case InsufficientScope, ClientNotAllowed:
		return &Error{Code: oauth.InsufficientScope, Status: http.StatusForbidden, Err: reason}
	case KeysUnavailable:
		return &Error{Code: oauth.TemporarilyUnavailable, Status: http.StatusServiceUnavailable, Err: reason}
	}
	return &Error{Code: oauth.InvalidToken, Status: http.StatusUnauthorized, Err: reason}
}
