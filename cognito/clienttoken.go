package cognito

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/countersign-dev/countersign/internal/oauth"
)

// GetClientTokenInput asks for a token through the JSON API, without a domain and without a signature.
type GetClientTokenInput struct {
	ClientID       string            `json:"ClientId,omitempty"`
	Secret         Secret            `json:",omitempty"`
	Scopes         []string          `json:",omitempty"`
	ClientMetadata map[string]string `json:",omitempty"`
}

// GetClientTokenOutput is the token.
type GetClientTokenOutput struct {
	ClientAuthenticationResult ClientAuthenticationResult
}

// ClientAuthenticationResult is a token with its type, Bearer, and its lifetime in seconds.
type ClientAuthenticationResult struct {
	AccessToken string
	ExpiresIn   int
	TokenType   string
}

func (in GetClientTokenInput) revealed() any {
	return struct {
		GetClientTokenInput
		Secret string `json:",omitempty"`
	}{in, in.Secret.Reveal()}
}

// GetClientToken issues a token to a client whose explicit auth flow is ALLOW_CLIENT_TOKEN_AUTH.
//
// It shares authentication, scopes and signature with [Service.Token]; AllowedOAuthFlows do not matter to it. Cognito:
// the documented example makes such a client without them.
func (s *Service) GetClientToken(ctx context.Context, in GetClientTokenInput) (GetClientTokenOutput, error) {
	if err := check(getClientTokenShape, in); err != nil {
		return GetClientTokenOutput{}, err
	}
	now := s.current.Load()
	c, err := now.authenticate(in.ClientID, in.Secret)
	if err != nil {
		s.guesses.slow(ctx, in.ClientID, s.config.Now())
		return GetClientTokenOutput{}, &APIError{Code: CodeNotAuthorized, Message: "Invalid client or secret", Status: http.StatusBadRequest, Err: err}
	}
	if !slices.Contains(c.ExplicitAuthFlows, clientTokenAuth) {
		return GetClientTokenOutput{}, &APIError{
			Code: CodeNotAuthorized, Message: clientTokenAuth + " is not enabled for the client", Status: http.StatusBadRequest,
			Err: tokenError(oauth.UnauthorizedClient, clientTokenAuth+" is not one of the app client's ExplicitAuthFlows"),
		}
	}
	p := now.pools[c.UserPoolID]
	scopes, err := p.grant(c, in.Scopes, s.config.IgnoreDisallowedScopes)
	if err != nil {
		// Cognito: ScopeDoesNotExistException is not among the errors of this operation.
		return GetClientTokenOutput{}, &APIError{Code: CodeInvalidParameter, Message: "Invalid scope requested", Status: http.StatusBadRequest, Err: err}
	}
	token, err := s.issue(ctx, p, c, scopes, in.ClientMetadata)
	if err != nil {
		return GetClientTokenOutput{}, clientTokenError(err)
	}
	return GetClientTokenOutput{ClientAuthenticationResult{token, int(c.lifetime.Seconds()), "Bearer"}}, nil
}

// clientTokenError is what the API has for a token that was not issued.
func clientTokenError(err error) *APIError {
	var hook *hookError
	switch {
	case errors.As(err, &hook):
		return hook.asAPIError()
	case errors.Is(err, errBusy):
		return &APIError{Code: CodeTooManyRequests, Message: "Rate exceeded", Status: http.StatusBadRequest, Err: issueError(err)}
	case errors.Is(err, context.Canceled):
		return &APIError{Code: CodeInternalError, Message: internalErrorMessage, Status: statusGone, Err: issueError(err)}
	}
	return internalError(err)
}
