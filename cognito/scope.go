package cognito

import (
	"slices"

	"github.com/countersign-dev/countersign/internal/oauth"
)

// userScope reports whether the scope is one of OpenID Connect or Cognito's own, which only users can be granted.
func userScope(scope string) bool {
	switch scope {
	case "openid", "email", "phone", "profile", "aws.cognito.signin.user.admin":
		return true
	}
	return false
}

// checkScopes: a scope must exist before a client can name it.
//
// Cognito: awsdocs/aws-cloudformation-user-guide#564 has the text. For the same reason an update of a client that still
// names a scope which its resource server has lost is refused.
func (p *pool) checkScopes(scopes []string) error {
	for _, scope := range scopes {
		if _, ok := p.scopes[scope]; !ok && !userScope(scope) {
			return apiError(CodeScopeDoesNotExist, "Invalid scope requested: %s", scope)
		}
	}
	return nil
}

// requestedScopes splits the scope parameter. The empty string, which is also a missing parameter (RFC 6749,
// Section 3.1), asks for nothing in particular.
func requestedScopes(scope string) ([]string, error) {
	if scope == "" {
		return nil, nil
	}
	scopes, err := oauth.ParseScope(scope)
	if err != nil {
		return nil, tokenError(oauth.InvalidScope, "the scope parameter is not a list of scope tokens with single spaces (RFC 6749, Section 3.3)")
	}
	return scopes, nil
}

// grant decides which scopes the token gets, in the order in which they were asked for, each once.
//
//   - Without a request it is all scopes of the client, in the order of its settings.
//   - A scope that the client does not have is invalid_scope. Cognito: its pages contradict each other here; the answer
//     is a field observation (lelylan/simple-oauth2#168). With [Config].IgnoreDisallowedScopes it is left out.
//   - A scope that the client has and its resource server has lost is inactive, and left out: "Amazon Cognito doesn't
//     add inactive scopes to access tokens, but otherwise proceeds as normal".
//
// If all are inactive, the token is issued without a scope claim. Cognito: not documented; "proceeds as normal" is taken
// by its word. Such a token opens no route that asks for a scope.
func (p *pool) grant(c *client, requested []string, ignore bool) ([]string, error) {
	if len(requested) == 0 {
		requested = c.AllowedOAuthScopes
	}
	granted := make([]string, 0, len(requested))
	for _, scope := range requested {
		if !slices.Contains(c.AllowedOAuthScopes, scope) {
			if ignore {
				continue
			}
			return nil, p.notAllowed(scope)
		}
		if _, active := p.scopes[scope]; active && !slices.Contains(granted, scope) {
			granted = append(granted, scope)
		}
	}
	return granted, nil
}

// notAllowed says what is wrong with a scope that the client does not have. It names a scope that exists: the difference
// between a misspelt scope and one that was not granted is what people look for.
func (p *pool) notAllowed(scope string) error {
	if _, exists := p.scopes[scope]; exists {
		return tokenError(oauth.InvalidScope, "the scope "+scope+" is not one of the app client's AllowedOAuthScopes")
	}
	return tokenError(oauth.InvalidScope, "a requested scope is neither one of the app client's AllowedOAuthScopes nor of any resource server of the user pool")
}
