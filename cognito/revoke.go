package cognito

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/countersign-dev/countersign/internal/oauth"
)

// RevokeTokenInput names a refresh token, and the app client that it was issued to.
type RevokeTokenInput struct {
	Token        Secret `json:",omitempty"`
	ClientID     string `json:"ClientId,omitempty"`
	ClientSecret Secret `json:",omitempty"`

	RevokeAssociatedSessions string `json:",omitempty"` // NONE or LINKED; there are no sessions here
}

func (in RevokeTokenInput) revealed() any {
	return struct {
		RevokeTokenInput
		Token        string `json:",omitempty"`
		ClientSecret string `json:",omitempty"`
	}{in, in.Token.Reveal(), in.ClientSecret.Reveal()}
}

// The two errors of revocation that RFC 6749 does not have; the codes are RFC 7009's, Section 2.2.1, and Cognito's.
var (
	errUnsupportedToken = &TokenError{Code: "unsupported_token_type", Reason: "an access token cannot be revoked: it is good until it expires", Status: http.StatusBadRequest}
	errRevocationOff    = &TokenError{Code: oauth.InvalidRequest, Reason: "EnableTokenRevocation of the app client is false", Status: http.StatusBadRequest}
)

// RevokeToken revokes nothing: this issuer has no refresh tokens, and Cognito revokes no others.
//
// A client that proves itself learns that an access token is not of the kind, as from Cognito; any other text is a refresh
// token that is not valid any more, which is no error (RFC 7009, Section 2.2).
func (s *Service) RevokeToken(ctx context.Context, in RevokeTokenInput) (EmptyOutput, error) {
	if err := check(revokeTokenShape, in); err != nil {
		return EmptyOutput{}, err
	}
	err := s.revoke(ctx, in.ClientID, in.ClientSecret, in.Token)
	refused := func(code, message string) (EmptyOutput, error) {
		return EmptyOutput{}, &APIError{Code: code, Message: message, Status: http.StatusBadRequest, Err: err}
	}
	switch {
	case err == nil:
		return EmptyOutput{}, nil
	case errors.Is(err, errUnsupportedToken):
		return refused(CodeUnsupportedTokenType, "Unsupported token type")
	case err == error(errRevocationOff):
		return refused(CodeUnsupportedOperation, "Token revocation is not enabled for this client")
	}
	return refused(CodeUnauthorized, "Invalid client or secret")
}

// revoke is what both doors share. A wrong secret is held back here as where tokens are issued: it is as good a guess.
func (s *Service) revoke(ctx context.Context, clientID string, secret, token Secret) error {
	err := s.current.Load().revoke(clientID, secret, token)
	if errors.Is(err, &TokenError{Code: oauth.InvalidClient}) {
		s.guesses.slow(ctx, clientID, s.config.Now())
	}
	return err
}

func (s *snapshot) revoke(clientID string, secret, token Secret) error {
	c := s.clients.get(clientID)
	// Cognito: a client without a secret revokes with its id alone.
	if c == nil || len(c.Secrets) > 0 || secret != "" {
		var err error
		if c, err = s.authenticate(clientID, secret); err != nil {
			return err
		}
	}
	if c.EnableTokenRevocation != nil && !*c.EnableTokenRevocation {
		return errRevocationOff
	}
	// A token of three parts is signed; Cognito's refresh tokens are encrypted and have five (RFC 7516, Section 3.1).
	if strings.Count(token.Reveal(), ".") == 2 {
		return errUnsupportedToken
	}
	return nil
}

// revoke serves Cognito's revocation endpoint.
func (h *handler) revoke(w http.ResponseWriter, r *http.Request, e *entry) {
	e.operation = "Revoke"
	e.actor.Address = r.RemoteAddr
	request, err := readTokenRequest(w, r)
	if err == nil {
		h.name(e, request.PoolID, request.ClientID)
		err = h.service.revokeRequest(r.Context(), request)
	}
	if err != nil {
		var refused *TokenError
		// Cognito: 401 here, where the token endpoint has 400.
		if errors.As(err, &refused) && refused.Code == oauth.InvalidClient {
			err = &TokenError{Code: refused.Code, Reason: refused.Reason, Status: http.StatusUnauthorized}
		}
		h.writeTokenError(w, e, err)
		return
	}
	writeToken(w, e, http.StatusOK, nil)
}

func (s *Service) revokeRequest(ctx context.Context, r TokenRequest) error {
	now := s.current.Load()
	switch c := now.clients.get(r.ClientID); {
	case now.pools[r.PoolID] == nil:
		return noSuchPool()
	case r.token == "":
		return tokenError(oauth.InvalidRequest, "the token parameter is missing")
	case c != nil && c.UserPoolID != r.PoolID:
		return tokenError(oauth.InvalidClient, "the app client belongs to another user pool")
	}
	return s.revoke(ctx, r.ClientID, r.ClientSecret, r.token)
}
