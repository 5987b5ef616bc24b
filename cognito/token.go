package cognito

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/countersign-dev/countersign/internal/oauth"
)

// TokenRequest is a request of the client_credentials grant, with the client's credentials taken out of the header or
// the form that they came in.
type TokenRequest struct {
	PoolID       string
	GrantType    string
	ClientID     string
	ClientSecret Secret
	Scope        string // as sent; empty asks for all scopes of the client

	ClientMetadata map[string]string // aws_client_metadata, for a pre token generation trigger

	token Secret // of a request to the revocation endpoint
}

// TokenResponse is Cognito's answer: these three members and no other.
type TokenResponse struct {
	AccessToken string `json:"access_token"`
	ExpiresIn   int    `json:"expires_in"` // seconds
	TokenType   string `json:"token_type"` // Bearer
}

// Token issues an access token. The error is always a [TokenError].
//
// The order of the checks is fixed: grant type, credentials, flow, scope. Cognito: its order is not documented; this one
// tells a caller nothing about a client before it has proved to be that client.
func (s *Service) Token(ctx context.Context, r TokenRequest) (TokenResponse, error) {
	now := s.current.Load()
	p := now.pools[r.PoolID]
	if p == nil {
		return TokenResponse{}, noSuchPool()
	}
	if err := checkGrantType(r.GrantType); err != nil {
		return TokenResponse{}, err
	}
	c, err := now.authenticate(r.ClientID, r.ClientSecret)
	if err != nil {
		s.guesses.slow(ctx, r.ClientID, s.config.Now())
		return TokenResponse{}, err
	}
	if c.UserPoolID != p.ID {
		return TokenResponse{}, tokenError(oauth.InvalidClient, "the app client belongs to another user pool")
	}
	if err := c.checkFlow(); err != nil {
		return TokenResponse{}, err
	}
	requested, err := requestedScopes(r.Scope)
	if err != nil {
		return TokenResponse{}, err
	}
	scopes, err := p.grant(c, requested, s.config.IgnoreDisallowedScopes)
	if err != nil {
		return TokenResponse{}, err
	}
	token, err := s.issue(ctx, p, c, scopes, r.ClientMetadata)
	if err != nil {
		return TokenResponse{}, issueError(err)
	}
	return TokenResponse{token, int(c.lifetime.Seconds()), "Bearer"}, nil
}

func noSuchPool() *TokenError {
	return &TokenError{Code: oauth.InvalidRequest, Reason: "there is no such user pool", Status: http.StatusNotFound}
}

func checkGrantType(grant string) error {
	switch grant {
	case "":
		return tokenError(oauth.InvalidRequest, "the grant_type parameter is missing")
	case "client_credentials":
		return nil
	}
	return tokenError(oauth.UnsupportedGrantType, "this issuer has the client_credentials grant only")
}

// authenticate finds the client and proves that the caller is it. An unknown client and a wrong secret are one answer
// and cost the same: who guesses learns nothing about which ids exist. The reasons differ, for the log.
func (s *snapshot) authenticate(clientID string, secret Secret) (*client, error) {
	c := s.clients.get(clientID)
	known := c != nil
	if !known {
		c = nobody
	}
	proved := c.proves(secret)
	switch {
	case clientID == "":
		return nil, tokenError(oauth.InvalidClient, "no client credentials were sent")
	case !known:
		return nil, tokenError(oauth.InvalidClient, "there is no such app client")
	case len(c.Secrets) == 0:
		return nil, tokenError(oauth.InvalidClient, "the app client has no secret")
	case !proved:
		return nil, tokenError(oauth.InvalidClient, "the client secret is wrong")
	}
	return c, nil
}

// checkFlow: Cognito: invalid_grant is what the field reports for a client whose flows and scopes are stored while
// AllowedOAuthFlowsUserPoolClient is false (boto/boto3#3916, hashicorp/terraform-provider-aws#34945).
func (c *client) checkFlow() error {
	if !slices.Contains(c.AllowedOAuthFlows, "client_credentials") {
		return tokenError(oauth.UnauthorizedClient, "client_credentials is not one of the app client's AllowedOAuthFlows")
	}
	if !c.AllowedOAuthFlowsUserPoolClient {
		return tokenError(oauth.InvalidGrant, "AllowedOAuthFlowsUserPoolClient of the app client is false")
	}
	return nil
}

// statusGone is what the log and the metrics have of a caller who hung up: it is no fault of the server's. Nobody sees it;
// nginx has made the number known.
const statusGone = 499

// issueError tells a trigger, a queue that is full, a caller that is gone and a signer that failed from each other.
func issueError(err error) *TokenError {
	var hook *hookError
	switch {
	case errors.As(err, &hook):
		return hook.asTokenError()
	case errors.Is(err, errBusy):
		return &TokenError{Code: oauth.TemporarilyUnavailable, Reason: "too many requests wait for a signature", Status: http.StatusServiceUnavailable}
	case errors.Is(err, context.Canceled):
		return &TokenError{Code: oauth.TemporarilyUnavailable, Reason: "the caller hung up before the token was signed", Status: statusGone, Err: err}
	case errors.Is(err, context.DeadlineExceeded):
		return &TokenError{Code: oauth.TemporarilyUnavailable, Reason: "the request's time was over before the token was signed", Status: http.StatusServiceUnavailable, Err: err}
	}
	return &TokenError{Code: oauth.ServerError, Reason: "the token could not be signed", Status: http.StatusInternalServerError, Err: err}
}
