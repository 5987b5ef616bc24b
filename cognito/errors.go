package cognito

import (
	"errors"
	"fmt"
	"net/http"
)

// The codes of an [APIError], which are Cognito's exception names.
const (
	CodeConcurrentModification = "ConcurrentModificationException"
	CodeFeatureUnavailable     = "FeatureUnavailableInTierException"
	CodeInternalError          = "InternalErrorException"
	CodeInternalServer         = "InternalServerException" // what the operations about secrets have instead
	CodeInvalidLambdaResponse  = "InvalidLambdaResponseException"
	CodeInvalidOAuthFlow       = "InvalidOAuthFlowException"
	CodeInvalidParameter       = "InvalidParameterException"
	CodeLimitExceeded          = "LimitExceededException"
	CodeNotAuthorized          = "NotAuthorizedException"
	CodeRequestTooLarge        = "RequestEntityTooLargeException"
	CodeResourceNotFound       = "ResourceNotFoundException"
	CodeScopeDoesNotExist      = "ScopeDoesNotExistException"
	CodeSerialization          = "SerializationException"
	CodeTooManyRequests        = "TooManyRequestsException"
	CodeUnauthorized           = "UnauthorizedException"
	CodeUnexpectedLambda       = "UnexpectedLambdaException"
	CodeUnknownOperation       = "UnknownOperationException"
	CodeUnsupportedMediaType   = "UnsupportedMediaTypeException"
	CodeUnsupportedOperation   = "UnsupportedOperationException"
	CodeUnsupportedTokenType   = "UnsupportedTokenTypeException"
	CodeUserLambdaValidation   = "UserLambdaValidationException"
)

// An APIError is what an operation of the cognito-idp API answers instead of its output.
//
// [errors.Is] compares codes: errors.Is(err, &APIError{Code: CodeResourceNotFound}).
type APIError struct {
	Code    string // one of the codes of this package
	Message string // Cognito's text, for a person; it goes to the caller and never to a log
	Status  int    // HTTP status; 499, which nobody sees, when the caller hung up
	Err     error  // what went wrong inside; it goes to the log and never to the caller
}

// Error implements error.
func (e *APIError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("cognito: %s: %v", e.Code, e.Err)
	}
	return fmt.Sprintf("cognito: %s: %s", e.Code, e.Message)
}

// Unwrap returns Err.
func (e *APIError) Unwrap() error { return e.Err }

// Is reports whether target is an APIError of the same code.
func (e *APIError) Is(target error) bool {
	t, ok := target.(*APIError)
	return ok && t.Code == e.Code
}

// apiError makes the error of a client's mistake. Cognito: client exceptions are HTTP 400 (its API pages state it).
func apiError(code, format string, args ...any) *APIError {
	return &APIError{Code: code, Message: fmt.Sprintf(format, args...), Status: http.StatusBadRequest}
}

const internalErrorMessage = "The service met an unexpected error; its log has the request id."

// internalError hides err from the caller. Cognito: Internal* exceptions are service faults.
func internalError(err error) *APIError {
	return &APIError{Code: CodeInternalError, Message: internalErrorMessage, Status: http.StatusInternalServerError, Err: err}
}

// asAPIError turns any error into one that can be written: what is no APIError is an internal error.
func asAPIError(err error) *APIError {
	var e *APIError
	if errors.As(err, &e) {
		return e
	}
	return internalError(err)
}

// A TokenError is what the token endpoint answers instead of a token.
//
// [errors.Is] compares codes: errors.Is(err, &TokenError{Code: "invalid_scope"}).
type TokenError struct {
	// Code is one of RFC 6749, Section 5.2, server_error or temporarily_unavailable; of the revocation endpoint also
	// unsupported_token_type (RFC 7009, Section 2.2.1), and rate_exceeded where quotas are turned on, which the wire does not have.
	Code   string
	Reason string // why, in words that hold nothing of the request; for the log, never for the wire
	Status int    // HTTP status; 499, which nobody sees, when the caller hung up
	Err    error  // what went wrong inside, for the log
}

// Error implements error.
func (e *TokenError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("cognito: %s: %s: %v", e.Code, e.Reason, e.Err)
	}
	return fmt.Sprintf("cognito: %s: %s", e.Code, e.Reason)
}

// Unwrap returns Err.
func (e *TokenError) Unwrap() error { return e.Err }

// Is reports whether target is a TokenError of the same code.
func (e *TokenError) Is(target error) bool {
	t, ok := target.(*TokenError)
	return ok && t.Code == e.Code
}

// tokenError makes the error of a client's mistake.
//
// Cognito: HTTP 400 for every code, also invalid_client (amazon-archives/amazon-cognito-auth-js#116), where
// RFC 6749, Section 5.2 would have 401 for a client that used the Authorization header.
func tokenError(code, reason string) *TokenError {
	return &TokenError{Code: code, Reason: reason, Status: http.StatusBadRequest}
}
