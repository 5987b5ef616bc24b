package clientcredentials

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/countersign-dev/countersign/internal/oauth"
)

// door is one protocol in which a token can be asked for.
type door interface {
	// request builds the token request.
	request(ctx context.Context, endpoint string, c Credential, set settings) (*http.Request, error)
	// mediaType is that of a successful answer.
	mediaType() string
	// grant reads a successful answer.
	grant(body []byte) (grant, error)
	// refusal reads the answer of a refusal; body is empty when it was not JSON.
	refusal(body []byte) refusal
}

// refusal is what an issuer's answer says about a request that it did not grant.
type refusal struct {
	code      string // of [Error]; "" when it says none that is known
	temporary bool
}

// doorFor returns the protocol. offered are the discovery document's methods; nil when it names none.
func doorFor(chosen Door, offered []string) door {
	switch chosen {
	case GetClientToken:
		return clientTokenDoor{}
	case ClientSecretPost:
		return tokenDoor{post: true}
	case ClientSecretBasic:
		return tokenDoor{}
	}
	// RFC 8414, Section 2: if omitted, the default is "client_secret_basic".
	basic, post := len(offered) == 0, false
	for _, method := range offered {
		basic = basic || method == string(ClientSecretBasic)
		post = post || method == string(ClientSecretPost)
	}
	return tokenDoor{post: post && !basic}
}

// tokenDoor is the token endpoint of RFC 6749.
type tokenDoor struct{ post bool }

func (d tokenDoor) request(ctx context.Context, endpoint string, c Credential, set settings) (*http.Request, error) {
	// RFC 6749, Section 4.4.2: grant_type REQUIRED, scope OPTIONAL.
	form := url.Values{"grant_type": {"client_credentials"}}
	if len(set.scopes) > 0 {
		form.Set("scope", oauth.JoinScope(set.scopes))
	}
	maps.Copy(form, set.parameters)
	basic := false
	switch {
	case c.assertion != "":
		// RFC 7523, Section 2.2; RFC 7521, Section 4.2: client_id is OPTIONAL beside an assertion.
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		form.Set("client_assertion", c.assertion)
		setIfAny(form, "client_id", c.ClientID)
	case c.connected:
		form.Set("client_id", c.ClientID)
	case d.post:
		form.Set("client_id", c.ClientID)
		form.Set("client_secret", c.ClientSecret)
	default:
		basic = true
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if basic {
		req.Header.Set("Authorization", oauth.BasicHeader(c.ClientID, c.ClientSecret))
	}
	return req, nil
}

func setIfAny(form url.Values, name, value string) {
	if value != "" {
		form.Set(name, value)
	}
}

func (tokenDoor) mediaType() string { return "application/json" }

func (tokenDoor) grant(body []byte) (grant, error) { return parseGrant(body) }

func (tokenDoor) refusal(body []byte) refusal {
	object, err := members(body)
	if err != nil {
		return refusal{}
	}
	code := text(object["error"])
	return refusal{code: knownCode(code), temporary: code == oauth.TemporarilyUnavailable || code == oauth.ServerError}
}

// clientTokenDoor is the GetClientToken operation of Cognito's JSON API.
type clientTokenDoor struct{}

// clientTokenRequest has Cognito's member names.
type clientTokenRequest struct {
	ClientID string   `json:"ClientId"`
	Secret   string   `json:"Secret"`
	Scopes   []string `json:"Scopes,omitempty"`
}

func (clientTokenDoor) request(ctx context.Context, endpoint string, c Credential, set settings) (*http.Request, error) {
	if c.ClientSecret == "" {
		// Cognito: ClientId and Secret are the whole authentication; there is no place for an assertion.
		return nil, errors.New("GetClientToken takes a client secret only")
	}
	body, err := json.Marshal(clientTokenRequest{ClientID: c.ClientID, Secret: c.ClientSecret, Scopes: set.scopes})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	// Cognito: the operation is not signed; client id and secret are its whole authentication.
	req.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService.GetClientToken")
	return req, nil
}

func (clientTokenDoor) mediaType() string { return "application/x-amz-json-1.1" }

func (clientTokenDoor) grant(body []byte) (grant, error) { return parseClientTokenResult(body) }

// refusal gives Cognito's exceptions the codes that its token endpoint has for the same thing.
func (clientTokenDoor) refusal(body []byte) refusal {
	object, err := members(body)
	if err != nil {
		return refusal{}
	}
	name := text(object["__type"])
	// Cognito: JSON 1.1 may write the name after a namespace, as in "com.amazonaws…#NotAuthorizedException".
	if _, after, found := strings.Cut(name, "#"); found {
		name = after
	}
	switch name {
	case "NotAuthorizedException", "ResourceNotFoundException":
		return refusal{code: InvalidClient}
	case "OperationNotEnabledException":
		return refusal{code: UnauthorizedClient}
	case "InvalidParameterException":
		return refusal{code: InvalidRequest}
	case "TooManyRequestsException", "ThrottlingException", "InternalErrorException":
		// Cognito: throttling is HTTP 400 in this API, under its own name or that of all AWS APIs.
		return refusal{temporary: true}
	}
	return refusal{}
}

// clientTokenEndpoint is where the JSON API of an issuer is: at its origin. An issuer of type UPDATED has
// a host name of its own, and the API stays where it was.
func clientTokenEndpoint(issuer *url.URL) string {
	host := issuer.Host
	if api, found := strings.CutPrefix(host, "issuer-"); found && strings.HasPrefix(api, "cognito-idp.") {
		host = api
	}
	return issuer.Scheme + "://" + host + "/"
}
