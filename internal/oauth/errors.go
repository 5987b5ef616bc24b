package oauth

// Error codes of the token endpoint (RFC 6749, Section 5.2; the last two are from Section 4.1.2.1,
// which lists what a redirect reports when an HTTP status cannot).
const (
	InvalidClient          = "invalid_client"
	InvalidGrant           = "invalid_grant"
	UnauthorizedClient     = "unauthorized_client"
	UnsupportedGrantType   = "unsupported_grant_type"
	InvalidScope           = "invalid_scope"
	ServerError            = "server_error"
	TemporarilyUnavailable = "temporarily_unavailable"
)

// Error codes of a protected resource (RFC 6750, Section 3.1). InvalidRequest is one of the token
// endpoint too (RFC 6749, Section 5.2), with the same spelling.
const (
	InvalidRequest    = "invalid_request"
	InvalidToken      = "invalid_token"
	InsufficientScope = "insufficient_scope"
)
