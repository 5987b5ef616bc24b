package oauth

import (
	"errors"
	"strings"
)

// MaxScopes bounds the scope tokens in one string. Cognito allows 100 scopes a resource server and 50 for
// a client; a bound ten times that cannot be met by accident.
const MaxScopes = 512

var (
	errScopeEmpty = errors.New("oauth: scope is empty")
	errScopeToken = errors.New("oauth: scope has a character or a space that RFC 6749, Section 3.3 does not allow")
	errScopeMany  = errors.New("oauth: scope has too many tokens")
)

// ParseScope splits a scope string into its tokens, in order, duplicates kept.
//
// RFC 6749, Section 3.3: scope = scope-token *( SP scope-token ). A leading, trailing or double space and
// the empty string are errors; so is a token that [ValidScopeToken] refuses. The error never has the input.
func ParseScope(s string) ([]string, error) {
	if s == "" {
		return nil, errScopeEmpty
	}
	n := strings.Count(s, " ") + 1
	if n > MaxScopes {
		return nil, errScopeMany
	}
	tokens := make([]string, 0, n)
	for token := range strings.SplitSeq(s, " ") {
		if !ValidScopeToken(token) {
			return nil, errScopeToken
		}
		tokens = append(tokens, token)
	}
	return tokens, nil
}

// JoinScope is the inverse of [ParseScope].
func JoinScope(tokens []string) string { return strings.Join(tokens, " ") }

// ValidScopeToken reports whether s is one scope token.
//
// RFC 6749, Section 3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E ).
func ValidScopeToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c == '"' || c == '\\' || c > '~' {
			return false
		}
	}
	return s != ""
}
