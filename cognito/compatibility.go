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
	"SetUserPoolMfaConfig":       "kept and given back; resets what it is not told, and logs what it reset",
	"UpdateUserPoolDomain":       "resets what it is not told, and logs what it reset",
	"UpdateResourceServer":       "removes the scopes that it is not told, and logs it",
	"DescribeUserPoolDomain":     "a missing domain is an empty description",
	"CreateUserPoolDomain":       "ACTIVE at once; no host answers under it",
	"DescribeUserPoolClient":     "of two secrets it shows the older (chosen)",
	"GetClientToken":             "unsigned, and a signature is not looked at; ClientMetadata goes to the V3_0 trigger",
	"UpdateUserPool":             "resets what it is not told, tags included, and logs what it reset",
	"UpdateUserPoolClient":       "resets what it is not told, and logs what it reset",
	"AddUserPoolClientSecret":    "refused for a client that was made without a secret (chosen)",
	"DeleteUserPoolClientSecret": "the only secret cannot be deleted: InvalidParameterException (chosen)",
	"CreateUserPoolClient":       "ClientType is REGULAR: there is no dynamic registration",
	"RevokeToken":                "an access token is UnsupportedTokenTypeException; there are no others to revoke",
	"ListUserPools":              "ordered by id; without Status, which is deprecated",
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

// behaviour is what is neither an operation nor a setting. The features of an area stand together.
var behaviour = slices.Concat(
	in("Token endpoint",
		feature{"client_credentials", Supported, "at `<issuer>/oauth2/token`; Cognito has it under the domain, and needs one"},
		feature{"authorization_code, refresh_token, implicit", Refused, "unsupported_grant_type"},
		feature{"client_secret_basic, client_secret_post", Supported, "in the header as Cognito's examples have it, or form-encoded first (RFC 6749)"},
		feature{"both of them at once, or two different ids", Chosen, "invalid_request"},
		feature{"no credentials", Chosen, "invalid_client"},
		feature{"an app client of another user pool", Chosen, "invalid_client"},
		feature{"aws_client_metadata", Supported, "must be a JSON object of strings; goes to the V3_0 trigger"},
		feature{"resource", Echoed, "ignored, as an unknown parameter is"},
		feature{"status of errors", Supported, "400 for every code, invalid_client included; the body has the code only"},
		feature{"invalid_grant for a client whose AllowedOAuthFlowsUserPoolClient is false", Supported, "as the field reports"},
		feature{"unauthorized_client", Chosen, "client_credentials is not one of the client's AllowedOAuthFlows"},
		feature{"a scope that the client does not have", Chosen, "invalid_scope; one page of Cognito's says that it is ignored, which IgnoreDisallowedScopes does"},
		feature{"all requested scopes inactive", Chosen, "a token without the scope claim"},
		feature{"a scope asked for twice", Chosen, "once in the token"},
		feature{"order of scopes", Chosen, "that of the request; without one, that of AllowedOAuthScopes"},
		feature{"order of checks", Chosen, "grant type, credentials, flow, scope"},
		feature{"a trigger that fails, answers wrongly or has no hook", Chosen, "400 invalid_request"},
		feature{"repeated parameter, parameter in the query, wrong content type, malformed form", Chosen, "400 invalid_request"},
		feature{"a user pool that does not exist", Chosen, "404 invalid_request; Cognito has no such address"},
		feature{"another method than POST", Chosen, "405 invalid_request"},
		feature{"a body above 64 KiB", Chosen, "413 invalid_request"},
		feature{"too many requests at once", Chosen, "503 temporarily_unavailable with Retry-After"},
		feature{"quota exceeded", Chosen, "429 with the message Rate exceeded, no error code and no Retry-After; counted where quotas are turned on"},
		feature{"many wrong secrets for one client", Chosen, "a production issuer answers them later and later, up to two seconds, at every door; a right secret is never held back"},
		feature{"user pools of the LITE tier", Chosen, "tokens as in any other; no V3_0 trigger"}),
	in("GetClientToken",
		feature{"wrong secret, unknown client", Supported, "NotAuthorizedException: Invalid client or secret"},
		feature{"a client without ALLOW_CLIENT_TOKEN_AUTH", Chosen, "NotAuthorizedException"},
		feature{"a scope that the client does not have", Chosen, "InvalidParameterException, or left out as at the token endpoint"},
		feature{"AllowedOAuthFlows and AllowedOAuthFlowsUserPoolClient", Chosen, "do not matter, as in Cognito's own example"},
		feature{"errors of a trigger", Chosen, "UserLambdaValidationException, UnexpectedLambdaException, InvalidLambdaResponseException, as of sign-in"}),
	in("Pre token generation",
		feature{"V3_0, TokenGeneration_ClientCredentials", Supported, "a Go function or an HTTP webhook; ESSENTIALS and PLUS only"},
		feature{"V1_0, V2_0", Supported, "not called: they are for users"},
		feature{"a claim that cannot be changed, in claimsToAddOrOverride or claimsToSuppress", Chosen, "no token; the log names the list"},
		feature{"a claim that is null; the claim scope", Chosen, "no token"},
		feature{"size", Chosen, "beside Cognito's 5,000 claims and scopes: 100 claims, 32 KiB, and 1 MiB for a webhook's answer"},
		feature{"retries", Chosen, "none; Cognito asks a function that does not answer in 5 seconds again"}),
	in("Revocation endpoint",
		feature{"access token, any other token, a client that is not the one", Supported, "at `<issuer>/oauth2/revoke`: 400 unsupported_token_type, 200, 401 invalid_client"}),
	in("Access token",
		feature{"header and claims", Supported, "kid and alg; no aud, no username; version 2; jti a UUID of version 4"},
		feature{"algorithm", Supported, "RS256 with RSA-2048; extension: a pool's keys may be ES256 or EdDSA, off by default (keys.algorithms), which Cognito has not and which Amazon API Gateway and Application Load Balancers refuse"},
		feature{"a validity unit without a value", Chosen, "one hour, whatever the unit"}),
	in("Issuer",
		feature{"rotation of signing keys", Chosen, "Cognito rotates as it pleases; extension: by schedule and by command, a key published two hours before it signs and kept for 26 hours after"},
		feature{"openid-configuration, jwks.json", Supported, "two keys a pool, more while one is rotated, ten at most; an unknown pool is 404"},
		feature{"endpoints in openid-configuration", Supported, "on the host of the prefix domain where the issuer is AWS's own; under a base URL, and without a domain (chosen), under the issuer. Those for users are listed as Cognito lists them, and are not here"},
		feature{"Cache-Control of both", Chosen, "one hour"}),
	in("JSON API",
		feature{"validation errors", Supported, "AWS's words; those of rules over several settings are partly this issuer's"},
		feature{"InternalErrorException", Supported, "status 500; of the operations about secrets it is InternalServerException"},
		feature{"a body that is not JSON, or has a value of another type", Chosen, "400 SerializationException that names the member"},
		feature{"members that are unknown, null or repeated", Chosen, "ignored; absent; the last one counts"},
		feature{"another content type than application/x-amz-json-1.1", Chosen, "415 UnsupportedMediaTypeException"},
		feature{"a body above 1 MiB", Chosen, "413 RequestEntityTooLargeException"},
		feature{"an unknown X-Amz-Target", Chosen, "400 UnknownOperationException that lists the operations; it must be signed too"},
		feature{"NextToken", Chosen, "good for its operation and its user pool only; what comes or goes between two pages moves nothing else"},
		feature{"ids of client secrets", Chosen, "`<client id>--<time>`, in milliseconds"},
		feature{"quotas", Supported, "1,000 pools, 25 resource servers and 1,000 clients a pool; AWS's rates where they are turned on: TooManyRequestsException"}),
)

type feature struct {
	name    string
	support Support
	note    string
}

func in(area string, features ...feature) (all []Feature) {
	for _, f := range features {
		all = append(all, Feature{area, f.name, f.support, f.note})
	}
	return all
}
