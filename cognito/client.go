package cognito

import "encoding/json"

// UserPoolClient is an app client as the API describes it.
type UserPoolClient struct {
	UserPoolID       string `json:"UserPoolId"`
	ClientName       string
	ClientID         string `json:"ClientId"`
	ClientSecret     Secret `json:",omitempty"` // empty for a client without a secret
	ClientType       string `json:",omitempty"` // REGULAR: nothing registers itself here
	CreationDate     Time
	LastModifiedDate Time
	ClientSettings
}

// ClientSettings are the settings of an app client that both Create and Update take. What an update omits is reset.
type ClientSettings struct {
	RefreshTokenValidity int                 `json:",omitempty"`
	AccessTokenValidity  int                 `json:",omitempty"` // 0 means one hour
	IDTokenValidity      int                 `json:"IdTokenValidity,omitempty"`
	TokenValidityUnits   *TokenValidityUnits `json:",omitempty"`

	ExplicitAuthFlows               []string `json:",omitempty"`
	SupportedIdentityProviders      []string `json:",omitempty"`
	AllowedOAuthFlows               []string `json:",omitempty"`
	AllowedOAuthScopes              []string `json:",omitempty"`
	AllowedOAuthFlowsUserPoolClient bool

	CallbackURLs       []string `json:",omitempty"`
	LogoutURLs         []string `json:",omitempty"`
	DefaultRedirectURI string   `json:",omitempty"`
	ReadAttributes     []string `json:",omitempty"`
	WriteAttributes    []string `json:",omitempty"`

	PreventUserExistenceErrors               string `json:",omitempty"`
	EnableTokenRevocation                    *bool  `json:",omitempty"` // nil means true
	EnablePropagateAdditionalUserContextData bool
	AuthSessionValidity                      int `json:",omitempty"`

	AnalyticsConfiguration json.RawMessage `json:",omitempty"`
	RefreshTokenRotation   json.RawMessage `json:",omitempty"`
}

// TokenValidityUnits are the units of the validities: seconds, minutes, hours or days. Empty means hours for access
// and id tokens, and days for refresh tokens.
type TokenValidityUnits struct {
	AccessToken  string `json:",omitempty"`
	IDToken      string `json:"IdToken,omitempty"`
	RefreshToken string `json:",omitempty"`
}

// CreateUserPoolClientInput asks for an app client. UserPoolID and ClientName are required. The client has a secret if
// GenerateSecret is true or ClientSecret is given; it cannot get one later.
type CreateUserPoolClientInput struct {
	UserPoolID     string `json:"UserPoolId,omitempty"`
	ClientName     string `json:",omitempty"`
	GenerateSecret bool   `json:",omitempty"`
	ClientSecret   Secret `json:",omitempty"`
	ClientSettings
}

// CreateUserPoolClientOutput is the client that was made, with its secret.
type CreateUserPoolClientOutput struct{ UserPoolClient UserPoolClient }

// UpdateUserPoolClientInput replaces the settings of a client. What is omitted is set to its default, except for
// ClientName.
type UpdateUserPoolClientInput struct {
	UserPoolID string `json:"UserPoolId,omitempty"`
	ClientID   string `json:"ClientId,omitempty"`
	ClientName string `json:",omitempty"`
	ClientSettings
}

// UpdateUserPoolClientOutput is the client as it is now.
type UpdateUserPoolClientOutput struct{ UserPoolClient UserPoolClient }

// DescribeUserPoolClientInput names a client.
type DescribeUserPoolClientInput struct {
	UserPoolID string `json:"UserPoolId,omitempty"`
	ClientID   string `json:"ClientId,omitempty"`
}

// DescribeUserPoolClientOutput is the client, with its secret.
type DescribeUserPoolClientOutput struct{ UserPoolClient UserPoolClient }

// DeleteUserPoolClientInput names a client.
type DeleteUserPoolClientInput struct {
	UserPoolID string `json:"UserPoolId,omitempty"`
	ClientID   string `json:"ClientId,omitempty"`
}

// ListUserPoolClientsInput asks for a page. MaxResults is from 1 to 60; 0 means 60.
type ListUserPoolClientsInput struct {
	UserPoolID string `json:"UserPoolId,omitempty"`
	MaxResults int    `json:",omitempty"`
	NextToken  string `json:",omitempty"`
	ClientType string `json:",omitempty"` // REGULAR, DCR, of which there are none here, or empty for both
}

// ListUserPoolClientsOutput is a page of clients, ordered by id.
type ListUserPoolClientsOutput struct {
	UserPoolClients []UserPoolClientDescription
	NextToken       string `json:",omitempty"`
}

// UserPoolClientDescription is a client in a list.
type UserPoolClientDescription struct {
	ClientID   string `json:"ClientId"`
	UserPoolID string `json:"UserPoolId"`
	ClientName string
}

// The types that hold a secret, in the form that the wire has: the outer ClientSecret hides the redacted one.

type revealedClient struct {
	UserPoolClient
	ClientSecret string `json:",omitempty"`
}

func (c UserPoolClient) revealed() any { return revealedClient{c, c.ClientSecret.Reveal()} }

func (o CreateUserPoolClientOutput) revealed() any   { return clientMember(o.UserPoolClient) }
func (o UpdateUserPoolClientOutput) revealed() any   { return clientMember(o.UserPoolClient) }
func (o DescribeUserPoolClientOutput) revealed() any { return clientMember(o.UserPoolClient) }

func clientMember(c UserPoolClient) any { return struct{ UserPoolClient any }{c.revealed()} }

func (in CreateUserPoolClientInput) revealed() any {
	return struct {
		CreateUserPoolClientInput
		ClientSecret string `json:",omitempty"`
	}{in, in.ClientSecret.Reveal()}
}
