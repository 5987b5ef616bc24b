package cognito

import (
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"strconv"
)

// maxSecrets: Cognito: two live secrets of one app client, so that one can be replaced while the other still serves.
const maxSecrets = 2

// ClientSecretDescriptor tells of a live secret. ClientSecretValue is there only when Cognito has just generated it.
type ClientSecretDescriptor struct {
	ClientSecretID         string `json:"ClientSecretId"`
	ClientSecretValue      Secret `json:",omitempty"`
	ClientSecretCreateDate Time
}

// AddUserPoolClientSecretInput asks for a second secret; Cognito makes one when ClientSecret is empty.
type AddUserPoolClientSecretInput struct {
	UserPoolID   string `json:"UserPoolId,omitempty"`
	ClientID     string `json:"ClientId,omitempty"`
	ClientSecret Secret `json:",omitempty"`
}

// AddUserPoolClientSecretOutput is the new secret.
type AddUserPoolClientSecretOutput struct{ ClientSecretDescriptor ClientSecretDescriptor }

// ListUserPoolClientSecretsInput names a client. NextToken is unused: there are two secrets at most.
type ListUserPoolClientSecretsInput struct {
	UserPoolID string `json:"UserPoolId,omitempty"`
	ClientID   string `json:"ClientId,omitempty"`
	NextToken  string `json:",omitempty"`
}

// ListUserPoolClientSecretsOutput has the live secrets without their values, oldest first.
type ListUserPoolClientSecretsOutput struct{ ClientSecrets []ClientSecretDescriptor }

// DeleteUserPoolClientSecretInput names a secret. The only one of a client cannot be deleted.
type DeleteUserPoolClientSecretInput struct {
	UserPoolID     string `json:"UserPoolId,omitempty"`
	ClientID       string `json:"ClientId,omitempty"`
	ClientSecretID string `json:"ClientSecretId,omitempty"`
}

func (in AddUserPoolClientSecretInput) revealed() any {
	return struct {
		AddUserPoolClientSecretInput
		ClientSecret string `json:",omitempty"`
	}{in, in.ClientSecret.Reveal()}
}

func (o AddUserPoolClientSecretOutput) revealed() any {
	type wire struct {
		ClientSecretDescriptor
		ClientSecretValue string `json:",omitempty"`
	}
	return struct{ ClientSecretDescriptor wire }{wire{o.ClientSecretDescriptor, o.ClientSecretDescriptor.ClientSecretValue.Reveal()}}
}

func (d *draft) addUserPoolClientSecret(in AddUserPoolClientSecretInput) (AddUserPoolClientSecretOutput, error) {
	p, c, err := d.view.client(in.UserPoolID, in.ClientID)
	switch {
	case err != nil:
		return AddUserPoolClientSecretOutput{}, err
	case len(c.Secrets) == 0:
		return AddUserPoolClientSecretOutput{}, apiError(CodeInvalidParameter, "The app client was created without a secret.")
	case len(c.Secrets) >= maxSecrets:
		return AddUserPoolClientSecretOutput{}, apiError(CodeLimitExceeded, "The app client already has %d secrets.", maxSecrets)
	}
	secret, generated := in.ClientSecret, Secret("")
	if secret == "" {
		generated = newClientSecret()
		secret = generated
	}
	b := c.clientBody
	b.Secrets = slices.Clone(b.Secrets)
	b.LastModifiedDate = d.now
	id := b.addSecret(secret, d.now)
	d.put(KindClient, p.ID, b.ClientID, b)
	return AddUserPoolClientSecretOutput{ClientSecretDescriptor{id, generated, d.now}}, nil
}

func (d *draft) deleteUserPoolClientSecret(in DeleteUserPoolClientSecretInput) (EmptyOutput, error) {
	p, c, err := d.view.client(in.UserPoolID, in.ClientID)
	if err != nil {
		return EmptyOutput{}, err
	}
	b := c.clientBody
	b.Secrets = slices.DeleteFunc(slices.Clone(b.Secrets), func(s secretBody) bool { return s.ID == in.ClientSecretID })
	if len(b.Secrets) == len(c.Secrets) {
		return EmptyOutput{}, apiError(CodeResourceNotFound, "Client secret %s does not exist.", in.ClientSecretID)
	}
	if len(b.Secrets) == 0 {
		return EmptyOutput{}, apiError(CodeInvalidParameter, "The only secret of an app client cannot be deleted.")
	}
	b.LastModifiedDate = d.now
	d.put(KindClient, p.ID, b.ClientID, b)
	return EmptyOutput{}, nil
}

func (s *snapshot) listUserPoolClientSecrets(in ListUserPoolClientSecretsInput) (ListUserPoolClientSecretsOutput, error) {
	_, c, err := s.client(in.UserPoolID, in.ClientID)
	if err != nil {
		return ListUserPoolClientSecretsOutput{}, err
	}
	out := ListUserPoolClientSecretsOutput{ClientSecrets: []ClientSecretDescriptor{}}
	for _, secret := range c.Secrets {
		out.ClientSecrets = append(out.ClientSecrets, ClientSecretDescriptor{ClientSecretID: secret.ID, ClientSecretCreateDate: secret.Created})
	}
	return out, nil
}

// addSecret appends a secret and returns its id.
//
// Cognito: <client-id>--<epoch of creation>. The unit of the epoch is not documented; milliseconds here.
func (b *clientBody) addSecret(secret Secret, now Time) string {
	stamp := now.UnixMilli()
	id := func() string { return b.ClientID + "--" + strconv.FormatInt(stamp, 10) }
	for slices.ContainsFunc(b.Secrets, func(s secretBody) bool { return s.ID == id() }) {
		stamp++
	}
	b.Secrets = append(b.Secrets, secretBody{id(), secret.Reveal(), now})
	return id()
}

// nobody stands in for a client that does not exist or has no secret, so that both cost what a wrong secret costs.
// No secret has its hash.
var nobody = &client{}

// proves reports whether secret is one of the client's. It takes the same time whatever the secret and the client are:
// otherwise the time would tell which client ids exist, and how much of a guess was right.
func (c *client) proves(secret Secret) bool {
	given := sha256.Sum256([]byte(secret))
	same := 0
	for i := range c.hashes {
		same |= subtle.ConstantTimeCompare(given[:], c.hashes[i][:])
	}
	return same == 1
}
