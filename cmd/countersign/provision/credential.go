package provision

import (
	"encoding/json"
	"errors"

	"github.com/countersign-dev/countersign/cognito"
)

// Credential is what a service needs to ask for tokens, as it is stored for it: the JSON object that
// clientcredentials.File reads, with where to ask beside it.
type Credential struct {
	ClientID      string
	ClientSecret  cognito.Secret
	TokenEndpoint string
	Issuer        string
	Scope         string // space separated, in full

	// SecretID is Cognito's id of ClientSecret, where it is known: after a rotation DescribeUserPoolClient is not documented
	// to show the secret that lives.
	SecretID string

	// Second is the other live secret while a rotation is under way; clients try it when the first is refused.
	Second cognito.Secret

	// Rotation is there while one is under way.
	Rotation *Rotation
}

// Rotation says how far the change to a new secret has come. Each of its states is stored before the next is begun, so that
// a rotation that was cut off is taken up again.
type Rotation struct {
	OldID  string `json:"old_secret_id"`    // Cognito's id of the secret that goes
	Staged bool   `json:"staged,omitempty"` // the new secret is in Second, and may not be Cognito's yet
}

// wire is the stored form. The members that clientcredentials.File knows come first.
type wire struct {
	ClientID      string    `json:"client_id"`
	ClientSecret  string    `json:"client_secret"`
	TokenEndpoint string    `json:"token_endpoint"`
	Issuer        string    `json:"issuer"`
	Scope         string    `json:"scope"`
	SecretID      string    `json:"client_secret_id,omitempty"`
	Second        string    `json:"client_secret_2,omitempty"`
	Rotation      *Rotation `json:"rotation,omitempty"`
}

// encode returns the stored form, which holds the secrets.
func (c Credential) encode() ([]byte, error) {
	data, err := json.MarshalIndent(wire{
		c.ClientID, c.ClientSecret.Reveal(), c.TokenEndpoint, c.Issuer, c.Scope, c.SecretID, c.Second.Reveal(), c.Rotation,
	}, "", "  ")
	return append(data, '\n'), err
}

// errNotACredential never says what was found in its place: it may be a secret of another kind.
var errNotACredential = errors.New(`not a JSON object with client_id and client_secret`)

func decodeCredential(data []byte) (Credential, error) {
	var w wire
	if json.Unmarshal(data, &w) != nil || w.ClientID == "" {
		return Credential{}, errNotACredential
	}
	return Credential{
		w.ClientID, cognito.Secret(w.ClientSecret), w.TokenEndpoint, w.Issuer, w.Scope, w.SecretID, cognito.Secret(w.Second), w.Rotation,
	}, nil
}

// with returns the credential with what is wanted of it, and with the secrets that it has.
func (c Credential) with(clientID string, at Addresses, scope string) Credential {
	c.ClientID, c.TokenEndpoint, c.Issuer, c.Scope = clientID, at.TokenEndpoint, at.Issuer, scope
	return c
}

// pending returns the next credential that a place without stages of its own keeps inside the current one, or nil.
func (c Credential) pending() *Credential {
	if c.Rotation == nil || !c.Rotation.Staged {
		return nil
	}
	next := c
	next.ClientSecret, next.Second, next.SecretID = c.Second, c.ClientSecret, ""
	next.Rotation = &Rotation{OldID: c.Rotation.OldID}
	return &next
}

// staged is the other way round: the current credential with the next one in it.
func (c Credential) staged(next Credential) Credential {
	c.Second = next.ClientSecret
	c.Rotation = &Rotation{OldID: next.Rotation.OldID, Staged: true}
	return c
}
