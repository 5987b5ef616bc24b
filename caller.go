package countersign

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/countersign-dev/countersign/internal/jose"
)

// Caller is who called, as a verified token says it. The zero Caller is nobody: the route is public and no valid
// token came with the request.
type Caller struct {
	ClientID string // client_id
	Subject  string // sub; the client itself in a client_credentials token
	Issuer   string // iss
	// Scopes are the scopes of this resource, without its prefix: as rules write them. What the token may
	// do elsewhere is none of this service's business; the claim "scope" has it.
	Scopes []string
	Expiry time.Time // exp, without leeway

	// from is the verified token. It is a pointer, so that printing a Caller does not print the token.
	from *verified
}

type callerKey struct{}

// CallerFrom returns the caller of the request that ctx belongs to. The value is the handler's own.
func CallerFrom(ctx context.Context) Caller {
	c, ok := ctx.Value(callerKey{}).(*Caller)
	if !ok || c == nil {
		return Caller{}
	}
	return c.own()
}

// own is a copy to give away. The original stands in the cache of verified tokens; a handler that wrote into it would
// change the rights of the token's later requests.
func (c *Caller) own() Caller {
	own := *c
	own.Scopes = slices.Clone(c.Scopes)
	return own
}

// IsZero reports whether nobody is known.
func (c Caller) IsZero() bool { return c.from == nil }

// HasScope reports whether the token has the scope, by its name without the resource's prefix.
func (c Caller) HasScope(name string) bool { return slices.Contains(c.Scopes, name) }

// errNoClaim is what Claim gives for a claim that the token does not have.
var errNoClaim = errors.New("countersign: the token has no such claim")

// Claim stores the claim of exactly this name in the value that v points to, by the rules of encoding/json.
// The error does not repeat the claim.
func (c Caller) Claim(name string, v any) error {
	raw := c.rawClaim(name)
	if raw == nil {
		return errNoClaim
	}
	if json.Unmarshal(raw, v) != nil {
		return errors.New("countersign: the claim is of another type")
	}
	return nil
}

// rawClaim finds a claim in the token. The guard keeps the token and not its claims: most handlers ask for none.
func (c Caller) rawClaim(name string) (raw []byte) {
	if c.from == nil {
		return nil
	}
	parts, _ := jose.Split(c.from.token)
	document, _ := jose.AppendDecode(nil, []byte(parts.Payload))
	claims := jose.ReadObject(document)
	for claims.Next() {
		if string(claims.Name()) == name {
			raw = claims.Value().Raw()
		}
	}
	if claims.Err() != nil { // cannot be: the token was verified
		return nil
	}
	return raw
}

// StringClaim returns a claim that is a string, and "" when it is not there or of another type.
func (c Caller) StringClaim(name string) string {
	var s string
	if c.Claim(name, &s) != nil {
		return ""
	}
	return s
}
