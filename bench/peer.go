package bench

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
)

// Peer is a way to protect a handler with access tokens, built as its own documentation says.
type Peer struct {
	Name     string
	Modules  []string // whose versions the report names
	Audience bool     // it takes no token without an aud, and so none of Cognito's: it is given others
	// Protect returns next behind the peer. What it starts ends with ctx.
	Protect func(ctx context.Context, f *Fixture, next http.Handler) (http.Handler, error)
}

// Peers are the Go libraries that a resource server would take otherwise.
func Peers() []Peer {
	return []Peer{
		{"golang-jwt + keyfunc", []string{"github.com/golang-jwt/jwt/v5", "github.com/MicahParks/keyfunc/v3"}, false, golangJWT},
		{"jwx, jwk.Cache", []string{"github.com/lestrrat-go/jwx/v3"}, false, jwx},
		{"go-oidc", []string{"github.com/coreos/go-oidc/v3"}, false, goOIDC},
		{"auth0 v2", []string{"github.com/auth0/go-jwt-middleware/v2"}, true, auth0v2},
		{"auth0 v3", []string{"github.com/auth0/go-jwt-middleware/v3"}, true, auth0v3},
		{"cristalhq, one key", []string{"github.com/cristalhq/jwt/v5"}, false, cristalhq},
		{"go-jose, fixed key set", []string{"github.com/go-jose/go-jose/v4"}, false, goJose},
	}
}

// accessClaims are what a handler needs of a Cognito token.
type accessClaims struct {
	ClientID string `json:"client_id"`
	TokenUse string `json:"token_use"`
	Scope    string `json:"scope"`
}

var errNotAllowed = errors.New("no access token, or without the scope")

// check is what no peer checks of a Cognito access token, and its user has to.
func (c *accessClaims) check() error {
	if c.TokenUse != "access" || c.ClientID == "" || !slices.Contains(strings.Fields(c.Scope), scope) {
		return errNotAllowed
	}
	return nil
}

type claimsKey struct{}

// behind is the middleware that users of the peers without one write: the header, the verification, the caller in the context.
func behind(verify func(ctx context.Context, token string) (*accessClaims, error), next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok {
			refuse(w)
			return
		}
		claims, err := verify(r.Context(), token)
		if err != nil || claims.check() != nil {
			refuse(w)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), claimsKey{}, claims)))
	})
}

// refuse says as little as a refusal can, so that the peers are not measured by what they write.
func refuse(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	w.WriteHeader(http.StatusUnauthorized)
}
