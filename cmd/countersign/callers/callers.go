package callers

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/clientcredentials"
)

// Caller is one client of the prover.
type Caller struct {
	Name        string
	Credentials clientcredentials.Credentials
	// Scopes are the full names of what it may ask for. None of them is what the issuer gives it when it asks for none.
	Scopes []string
}

// The endings of the environment variables of a caller.
const (
	envID     = "_CLIENT_ID"
	envSecret = "_CLIENT_SECRET"
	envScopes = "_SCOPES"
)

var validPrefix = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// FromEnv makes a caller from NAME=PREFIX: the environment has PREFIX_CLIENT_ID and PREFIX_CLIENT_SECRET, and may have PREFIX_SCOPES, full
// names separated by spaces.
func FromEnv(text string) (Caller, error) {
	name, prefix, found := strings.Cut(text, "=")
	if !found || name == "" || !validPrefix.MatchString(prefix) {
		// The text may be a secret that somebody took for a value of this flag.
		return Caller{}, errors.New("write NAME=PREFIX, as in reader=READER for READER_CLIENT_ID, READER_CLIENT_SECRET and READER_SCOPES")
	}
	var missing []string
	for _, variable := range []string{prefix + envID, prefix + envSecret} {
		if os.Getenv(variable) == "" {
			missing = append(missing, variable)
		}
	}
	if len(missing) > 0 {
		return Caller{}, fmt.Errorf("%s: the environment has no %s; export it", name, strings.Join(missing, " and no "))
	}
	scopes := strings.Fields(os.Getenv(prefix + envScopes))
	for i, scope := range scopes {
		if why := badScope(scope, scopes[:i]); why != "" {
			return Caller{}, fmt.Errorf("%s: %s%s: %s", name, prefix, envScopes, why)
		}
	}
	return Caller{Name: name, Credentials: clientcredentials.Env(prefix+envID, prefix+envSecret), Scopes: scopes}, nil
}

// badScope says what is wrong with a scope. RFC 6749, Section 3.3: no space, quote or backslash.
func badScope(scope string, before []string) string {
	switch {
	case scope == "" || strings.ContainsFunc(scope, func(c rune) bool { return c <= ' ' || c > '~' || c == '"' || c == '\\' }):
		return "a scope is no name without spaces and quotes (RFC 6749, Section 3.3)"
	case slices.Contains(before, scope):
		return "the scope " + scope + " is there twice"
	}
	return ""
}
