package cognito

import (
	"crypto/sha256"
	"time"
)

// clientBody is a client as it is stored.
type clientBody struct {
	UserPoolClient
	Secrets []secretBody `json:",omitempty"` // oldest first
}

// secretBody is a live secret as it is stored. Value is not a [Secret]: the store seals the whole body.
type secretBody struct {
	ID      string
	Value   string
	Created Time
}

// client is a client in a snapshot, with what a token request needs worked out beforehand.
type client struct {
	clientBody
	hashes   [maxSecrets][sha256.Size]byte // of the live secrets; a missing one repeats the first
	lifetime time.Duration
}

// workOut works out what follows from the body.
func (c *client) workOut() {
	b := &c.clientBody
	c.lifetime = time.Hour
	unit := ""
	if b.TokenValidityUnits != nil {
		unit = b.TokenValidityUnits.AccessToken
	}
	if b.AccessTokenValidity != 0 {
		if d, ok := validity(b.AccessTokenValidity, unit, "hours"); ok {
			c.lifetime = d
		}
	}
	c.hashes = nobody.hashes
	for i, secret := range b.Secrets[:min(len(b.Secrets), maxSecrets)] {
		c.hashes[i] = sha256.Sum256([]byte(secret.Value))
	}
	if len(b.Secrets) == 1 {
		c.hashes[1] = c.hashes[0]
	}
}

// describe returns the client as the API shows it.
//
// Cognito: which of two secrets DescribeUserPoolClient shows is not documented; here it is the oldest that lives.
func (b *clientBody) describe() UserPoolClient {
	out := detach(b.UserPoolClient)
	out.ClientType = "REGULAR"
	if len(b.Secrets) > 0 {
		out.ClientSecret = Secret(b.Secrets[0].Value)
	}
	return out
}

// client returns the client and its pool, or Cognito's error. A client of another pool does not exist.
func (s *snapshot) client(poolID, clientID string) (*pool, *client, error) {
	p, err := s.pool(poolID)
	if err != nil {
		return nil, nil, err
	}
	if c := s.clients.get(clientID); c != nil && c.UserPoolID == poolID {
		return p, c, nil
	}
	return nil, nil, apiError(CodeResourceNotFound, "User pool client %s does not exist.", clientID)
}

func (s *snapshot) describeUserPoolClient(in DescribeUserPoolClientInput) (DescribeUserPoolClientOutput, error) {
	_, c, err := s.client(in.UserPoolID, in.ClientID)
	if err != nil {
		return DescribeUserPoolClientOutput{}, err
	}
	return DescribeUserPoolClientOutput{c.describe()}, nil
}

func (s *snapshot) listUserPoolClients(in ListUserPoolClientsInput) (ListUserPoolClientsOutput, error) {
	p, err := s.pool(in.UserPoolID)
	if err != nil {
		return ListUserPoolClientsOutput{}, err
	}
	if in.MaxResults == 0 {
		in.MaxResults = 60
	}
	if in.ClientType == "DCR" {
		return ListUserPoolClientsOutput{UserPoolClients: []UserPoolClientDescription{}}, nil
	}
	ids := make([]string, len(p.clients))
	for i, c := range p.clients {
		ids[i] = c.ClientID
	}
	page, err := pageOf(pageRequest{"ListUserPoolClients", p.ID, in.MaxResults, in.NextToken}, ids)
	if err != nil {
		return ListUserPoolClientsOutput{}, err
	}
	out := ListUserPoolClientsOutput{UserPoolClients: []UserPoolClientDescription{}, NextToken: page.next}
	for _, id := range page.keys {
		out.UserPoolClients = append(out.UserPoolClients, UserPoolClientDescription{id, p.ID, s.clients.get(id).ClientName})
	}
	return out, nil
}
