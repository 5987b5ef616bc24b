package cognito

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/internal/oauth"
)

// immutableClaims are those that no trigger can add, change or remove.
//
// Cognito: its "Claims and scopes reference" says of each whether a trigger can add, modify or suppress it. The claim scope is here
// too: triggers change it through scopesToAdd and scopesToSuppress only.
var immutableClaims = []string{
	"acr", "amr", "at_hash", "auth_time", "azp", "client_id", "device_key", "event_id", "exp", "iat", "identities", "iss", "jti", "nbf", "nonce",
	"origin_jti", "scope", "sub", "token_use", "username", "version",
}

// maxGenerated: Cognito: 5,000 claims and scopes together. A token of this issuer is held below what verifiers take.
const (
	maxGenerated = 5000
	maxClaims    = 100
	maxClaimSize = 32 << 10
)

// claimAllowed reports whether a trigger may touch the claim.
//
// Cognito: of the names that begin with cognito: only these three are a trigger's.
func claimAllowed(name string) bool {
	switch name {
	case "cognito:groups", "cognito:roles", "cognito:preferred_role":
		return true
	case "":
		return false
	}
	return !strings.HasPrefix(name, "cognito:") && !slices.Contains(immutableClaims, name)
}

// canAdd: Cognito: an attribute of developers (dev:) can be suppressed, and neither added nor modified.
func canAdd(name string) bool { return claimAllowed(name) && !strings.HasPrefix(name, "dev:") }

// canSuppress: Cognito: aud can be added, as the client's id, and not suppressed.
func canSuppress(name string) bool { return claimAllowed(name) && name != "aud" }

// apply holds what a trigger wants to Cognito's rules. It returns the token's scopes, and the further claims as JSON
// members, sorted by name, each after a comma. The error is an errAnswer; it quotes no claim's value.
func (g AccessTokenGeneration) apply(clientID string, scopes []string) ([]string, []byte, error) {
	if len(g.ClaimsToAddOrOverride)+len(g.ClaimsToSuppress)+len(g.ScopesToAdd)+len(g.ScopesToSuppress) > maxGenerated {
		return nil, nil, errAnswer{"it has more than 5000 claims and scopes"}
	}
	for _, name := range g.ClaimsToSuppress {
		if !canSuppress(name) {
			return nil, nil, errAnswer{"claimsToSuppress has a claim that cannot be changed"}
		}
	}
	claims, err := g.claims(clientID)
	if err != nil {
		return nil, nil, err
	}
	granted, err := g.scopes(scopes)
	return granted, claims, err
}

func (g AccessTokenGeneration) claims(clientID string) ([]byte, error) {
	var b []byte
	written := 0
	for _, name := range slices.Sorted(maps.Keys(g.ClaimsToAddOrOverride)) {
		value := g.ClaimsToAddOrOverride[name]
		if !canAdd(name) {
			return nil, errAnswer{"claimsToAddOrOverride has a claim that cannot be changed"}
		}
		// Cognito: aud "may be added only as the client id".
		if name == "aud" && value != any(clientID) {
			return nil, errAnswer{"claimsToAddOrOverride has an aud that is not the app client's id"}
		}
		if slices.Contains(g.ClaimsToSuppress, name) {
			continue
		}
		encoded, err := json.Marshal(value)
		if err != nil || string(encoded) == "null" {
			return nil, errAnswer{"claimsToAddOrOverride has a value that is null or not JSON"}
		}
		b = append(append(appendJSONString(append(b, ','), name), ':'), encoded...)
		written++
	}
	if written > maxClaims || len(b) > maxClaimSize {
		return nil, errAnswer{"its claims make a token that is too large"}
	}
	return b, nil
}

func (g AccessTokenGeneration) scopes(granted []string) ([]string, error) {
	size := 0
	out := slices.Clone(granted)
	for _, scope := range g.ScopesToAdd {
		// Cognito: a value with a space is refused; RFC 6749, Section 3.3 has the rest of the grammar.
		if !oauth.ValidScopeToken(scope) {
			return nil, errAnswer{"scopesToAdd has a value that is no scope"}
		}
		if !slices.Contains(out, scope) {
			out = append(out, scope)
			size += len(scope)
		}
	}
	if size > maxClaimSize {
		return nil, errAnswer{"its scopes make a token that is too large"}
	}
	return slices.DeleteFunc(out, func(scope string) bool { return slices.Contains(g.ScopesToSuppress, scope) }), nil
}
