package cognito

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// A Feature is a part of Cognito, and what this issuer does with it.
type Feature struct {
	Area    string // "Operations", "Settings of a user pool", …
	Name    string
	Support Support
	Note    string // how it differs, or what was chosen where Cognito's behaviour is not documented
}

// Support says what this issuer does with a [Feature].
type Support string

// The kinds of support.
const (
	Supported Support = "supported"           // it acts as Cognito's does
	Echoed    Support = "accepted and echoed" // it is checked, kept and given back, and nothing acts on it
	Refused   Support = "refused"             // it is an error
	Chosen    Support = "chosen"              // Cognito's behaviour is not documented, or documented in two ways
)

// Compatibility lists what of Cognito is here and what is not. docs/cognito-compatibility.md is this list.
func Compatibility() []Feature {
	var all []Feature
	for i := range operations {
		all = append(all, Feature{"Operations", operations[i].name, Supported, operationNotes[operations[i].name]})
	}
	all = append(all, refusedOperations...)
	all = append(all, settingsOf("Settings of a user pool", createPoolShape, reflect.TypeFor[CreateUserPoolInput]())...)
	all = append(all, settingsOf("Settings of an app client", createClientShape, reflect.TypeFor[CreateUserPoolClientInput]())...)
	return append(all, behaviour...)
}

// settingsOf lists the members of an input. Those that the Go type keeps as raw JSON, and those named in echoed, are
// not acted on.
func settingsOf(area string, s *shape, input reflect.Type) []Feature {
	var all []Feature
	for _, m := range s.members {
		f := Feature{area, m.name, Supported, settingNotes[m.name]}
		field, _ := input.FieldByNameFunc(func(name string) bool { return strings.EqualFold(name, m.name) })
		if field.Type == reflect.TypeFor[json.RawMessage]() && m.name != "LambdaConfig" || slices.Contains(echoed, m.name) {
			f.Support = Echoed
		}
		all = append(all, f)
	}
	return all
}

// echoed are the settings that have a Go type of their own and concern users all the same.
var echoed = []string{
	"MfaConfiguration", "UserPoolTier", "RefreshTokenValidity", "IdTokenValidity", "ReadAttributes", "WriteAttributes",
	"CallbackURLs", "LogoutURLs", "DefaultRedirectURI", "PreventUserExistenceErrors", "EnableTokenRevocation",
	"EnablePropagateAdditionalUserContextData", "AuthSessionValidity",
}

var operationNotes = map[string]string{
	"GetUserPoolMfaConfig":       "kept for Terraform, which reads it of every pool",
	"SetUserPoolMfaConfig":       "kept and given back",
	"DescribeUserPoolDomain":     "a missing domain is an empty description",
	"CreateUserPoolDomain":       "ACTIVE at once; no host answers under it",
	"DescribeUserPoolClient":     "of two secrets it shows the older",
	"GetClientToken":             "unsigned, and a signature is not looked at; ClientMetadata goes to the V3_0 trigger",
	"UpdateUserPool":             "resets what it is not told, tags included, and logs what it reset",
	"UpdateUserPoolClient":       "resets what it is not told, and logs what it reset",
	"AddUserPoolClientSecret":    "refused for a client that was made without a secret",
	"DeleteUserPoolClientSecret": "the only secret cannot be deleted: InvalidParameterException",
	"CreateUserPoolClient":       "ClientType is REGULAR: there is no dynamic registration",
	"RevokeToken":                "an access token is UnsupportedTokenTypeException; there are no others to revoke",
	"ListUserPools":              "ordered by id",
	"ListUserPoolClients":        "ordered by id; 60 to a page unless MaxResults says less",
	"ListResourceServers":        "ordered by identifier; 50 to a page unless MaxResults says less",
}

var settingNotes = map[string]string{
	"IssuerConfiguration":        "UPDATED shows only without a base URL: under one, both types have the same issuer",
	"LambdaConfig":               "PreTokenGenerationConfig of version V3_0 is called, at the hook that the configuration has for its ARN; no other trigger is",
	"UserPoolTags":               "one map with TagResource; at most 50",
	"Schema":                     "answers list it in SchemaAttributes, with the standard attributes",
	"SupportedIdentityProviders": "COGNITO only; no other provider exists here",
	"ExplicitAuthFlows":          "ALLOW_CLIENT_TOKEN_AUTH is acted on, the others are echoed",
	"AllowedOAuthFlows":          "client_credentials is acted on, the others are echoed",
	"AccessTokenValidity":        "5 minutes to 1 day; left out of answers when it was not set",
}

var refusedOperations = []Feature{
	{"Operations", "Users, groups, devices, sign-up and sign-in", Refused, "UnknownOperationException: there are no users"},
	{"Operations", "Identity providers, branding, terms, imports, log delivery", Refused, "UnknownOperationException"},
	{"Operations", "User pool replicas and provisioned limits", Refused, "UnknownOperationException"},
}

var behaviour = []Feature{
	{"Token endpoint", "client_credentials", Supported, "at <issuer>/oauth2/token; Cognito has it under the domain, and needs one"},
	{"Token endpoint", "authorization_code, refresh_token, implicit", Refused, "unsupported_grant_type"},
	{"Token endpoint", "client_secret_basic, client_secret_post", Supported, "both at once, or two different ids, is invalid_request"},
	{"Token endpoint", "aws_client_metadata", Supported, "must be a JSON object of strings; goes to the V3_0 trigger"},
	{"Token endpoint", "a trigger that fails, answers wrongly or has no hook", Chosen, "400 invalid_request"},
	{"Pre token generation", "V3_0, TokenGeneration_ClientCredentials", Supported, "a Go function or an HTTP webhook; ESSENTIALS and PLUS only"},
	{"Pre token generation", "V1_0, V2_0", Supported, "not called: they are for users"},
	{"Pre token generation", "a claim that cannot be changed, in claimsToAddOrOverride or claimsToSuppress", Chosen, "no token; the log names the list"},
	{"Pre token generation", "a claim that is null; the claim scope", Chosen, "no token"},
	{"Pre token generation", "size", Chosen, "beside Cognito's 5,000 claims and scopes: 100 claims, 32 KiB, and 1 MiB for a webhook's answer"},
	{"Pre token generation", "retries", Chosen, "none; Cognito asks a function that does not answer in 5 seconds again"},
	{"Pre token generation", "errors of GetClientToken", Chosen, "UserLambdaValidationException, UnexpectedLambdaException, InvalidLambdaResponseException, as of sign-in"},
	{"Token endpoint", "resource", Echoed, "ignored, as an unknown parameter is"},
	{"Token endpoint", "status of errors", Supported, "400 for every code, invalid_client included; the body has the code only"},
	{"Token endpoint", "invalid_grant for a client whose AllowedOAuthFlowsUserPoolClient is false", Supported, "as the field reports"},
	{"Token endpoint", "a scope that the client does not have", Chosen, "invalid_scope; one page of Cognito's says that it is ignored, which IgnoreDisallowedScopes does"},
	{"Token endpoint", "all requested scopes inactive", Chosen, "a token without the scope claim"},
	{"Token endpoint", "a scope asked for twice", Chosen, "once in the token"},
	{"Token endpoint", "order of scopes", Chosen, "that of the request; without one, that of AllowedOAuthScopes"},
	{"Token endpoint", "order of checks", Chosen, "grant type, credentials, flow, scope"},
	{"Token endpoint", "no credentials", Chosen, "invalid_client"},
	{"Token endpoint", "repeated parameter, parameter in the query, wrong content type, malformed form", Chosen, "400 invalid_request"},
	{"Token endpoint", "another method than POST", Chosen, "405 invalid_request"},
	{"Token endpoint", "a body above 64 KiB", Chosen, "413 invalid_request"},
	{"Token endpoint", "too many requests at once", Chosen, "503 temporarily_unavailable with Retry-After"},
	{"Token endpoint", "quota exceeded", Chosen, "429 with the message Rate exceeded, no error code and no Retry-After; counted where quotas are turned on"},
	{"Revocation endpoint", "access token, any other token, a client that is not the one", Supported, "at <issuer>/oauth2/revoke: 400 unsupported_token_type, 200, 401 invalid_client"},
	{"Token endpoint", "many wrong secrets for one client", Chosen, "a production issuer answers them later and later, up to two seconds; a right secret is never held back"},
	{"Access token", "header and claims", Supported, "kid and alg; no aud, no username; version 2; jti a UUID of version 4"},
	{"Access token", "algorithm", Supported, "RS256 with RSA-2048; extension: a pool's keys may be ES256 or EdDSA, off by default (keys.algorithms), which Cognito has not and which Amazon API Gateway and Application Load Balancers refuse"},
	{"Issuer", "rotation of signing keys", Chosen, "Cognito rotates as it pleases; extension: by schedule and by command, a key published two hours before it signs and kept for 26 hours after"},
	{"Issuer", "openid-configuration, jwks.json", Supported, "two keys a pool, more while one is rotated, ten at most; an unknown pool is 404"},
	{"Issuer", "token_endpoint in openid-configuration", Supported, "on the host of the prefix domain where the issuer is AWS's own; under a base URL, and without a domain (chosen), under the issuer"},
	{"Issuer", "Cache-Control of both", Chosen, "one hour"},
	{"JSON API", "validation errors", Supported, "AWS's words; those of rules over several settings are partly this issuer's"},
	{"JSON API", "InternalErrorException", Supported, "status 500"},
	{"JSON API", "quotas", Supported, "1,000 pools, 25 resource servers and 1,000 clients a pool; AWS's rates where they are turned on: TooManyRequestsException"},
}
