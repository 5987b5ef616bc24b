package cognito

// The patterns of the API model. Where a pattern stands for a name, it is the model's name of the type.
var (
	nameType       = matching(`[\w\s+=,.@-]+`)
	poolIDType     = matching(`[\w-]+_[0-9a-zA-Z]+`)
	clientIDType   = matching(`[\w+]+`)
	scopeType      = matching(`[\x21\x23-\x5B\x5D-\x7E]+`)
	scopeNameType  = matching(`[\x21\x23-\x2E\x30-\x5B\x5D-\x7E]+`)
	arnType        = matching(`arn:[\w+=/,.@-]+:[\w+=/,.@-]+:([\w+=/,.@-]*)?:[0-9]+:[\w+=/,.@-]+(:[\w+=/,.@-]+)?(:[\w+=/,.@-]+)?`)
	noSpaceType    = matching(`[\S]+`)
	redirectType   = matching(`[\p{L}\p{M}\p{S}\p{N}\p{P}]+`)
	providerType   = matching(`[\p{L}\p{M}\p{S}\p{N}\p{P}\p{Z}]+`)
	hexType        = matching(`[0-9a-fA-F]+`)
	anyText        = text(0, 131072, nil)
	arnShape       = text(20, 2048, arnType)
	poolIDShape    = text(1, 55, poolIDType)
	clientIDShape  = secretText(1, 128, clientIDType)
	secretShape    = secretText(24, 64, clientIDType)
	identifier     = text(1, 256, scopeType)
	nextTokenShape = text(1, 131072, noSpaceType)
	tagsShape      = mapOf(text(1, 128, nil), text(0, 256, nil))
	timeUnit       = oneOf("seconds", "minutes", "hours", "days")
	mfaShape       = oneOf("OFF", "ON", "OPTIONAL")
)

// The inputs of the operations about domains.
var (
	// The pattern of a domain depends on whether it is a custom one; that is a rule of CreateUserPoolDomain.
	domainShape = text(1, 63, nil)

	putDomainShape = object(
		required("Domain", domainShape),
		required("UserPoolId", poolIDShape),
		optional("ManagedLoginVersion", integer(1, 2)),
		optional("CustomDomainConfig", object(
			required("CertificateArn", arnShape),
			optional("SecurityPolicy", oneOf("TLS_V1", "TLS_V1_2_2021", "TLS_V1_3_2025")))),
		optional("Routing", object(
			optional("Failover", object(
				required("SecondaryRegion", text(5, 32, nil)),
				required("PrimaryRoute53HealthCheckId", text(0, 64, nil)))))),
	)
	describeDomainShape = object(required("Domain", domainShape))
	deleteDomainShape   = object(required("Domain", domainShape), required("UserPoolId", poolIDShape))
)

// The inputs of the operations about resource servers.
var (
	putResourceServerShape = object(
		required("UserPoolId", poolIDShape),
		required("Identifier", identifier),
		required("Name", text(1, 256, nameType)),
		optional("Scopes", list(noLimit, 100, object(
			required("ScopeName", text(1, 256, scopeNameType)),
			required("ScopeDescription", text(1, 256, nil))))),
	)
	resourceServerShape      = object(required("UserPoolId", poolIDShape), required("Identifier", identifier))
	listResourceServersShape = listShape(50, false)
)

func listShape(most int, maxRequired bool) *shape {
	return object(
		required("UserPoolId", poolIDShape),
		member{"MaxResults", integer(1, most), maxRequired},
		optional("NextToken", nextTokenShape),
	)
}

// The inputs of the operations about app clients.
var (
	clientSettingsShape = []member{
		optional("RefreshTokenValidity", integer(0, 315360000)),
		optional("AccessTokenValidity", integer(1, 86400)),
		optional("IdTokenValidity", integer(1, 86400)),
		optional("TokenValidityUnits", object(
			optional("AccessToken", timeUnit),
			optional("IdToken", timeUnit),
			optional("RefreshToken", timeUnit))),
		optional("ReadAttributes", list(noLimit, noLimit, text(1, 2048, nil))),
		optional("WriteAttributes", list(noLimit, noLimit, text(1, 2048, nil))),
		optional("ExplicitAuthFlows", list(noLimit, noLimit, oneOf("ADMIN_NO_SRP_AUTH", "CUSTOM_AUTH_FLOW_ONLY", "USER_PASSWORD_AUTH",
			"ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_CUSTOM_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH",
			"ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_AUTH", "ALLOW_TOKEN_EXCHANGE_IMPERSONATION", "ALLOW_TOKEN_EXCHANGE_DELEGATION", clientTokenAuth))),
		optional("SupportedIdentityProviders", list(noLimit, noLimit, text(1, 32, providerType))),
		optional("CallbackURLs", list(0, 100, text(1, 1024, redirectType))),
		optional("LogoutURLs", list(0, 100, text(1, 1024, redirectType))),
		optional("DefaultRedirectURI", text(1, 1024, redirectType)),
		optional("AllowedOAuthFlows", list(0, 3, oneOf("code", "implicit", "client_credentials"))),
		optional("AllowedOAuthScopes", list(noLimit, 50, identifier)),
		optional("AllowedOAuthFlowsUserPoolClient", boolean()),
		optional("AnalyticsConfiguration", object(
			optional("ApplicationId", text(noLimit, noLimit, hexType)),
			optional("ApplicationArn", arnShape),
			optional("RoleArn", arnShape),
			optional("ExternalId", anyText),
			optional("UserDataShared", boolean()))),
		optional("PreventUserExistenceErrors", oneOf("LEGACY", "ENABLED")),
		optional("EnableTokenRevocation", boolean()),
		optional("EnablePropagateAdditionalUserContextData", boolean()),
		optional("AuthSessionValidity", integer(3, 15)),
		optional("RefreshTokenRotation", object(
			required("Feature", oneOf("ENABLED", "DISABLED")),
			optional("RetryGracePeriodSeconds", integer(0, 60)))),
	}
	createClientShape = object(append([]member{
		required("UserPoolId", poolIDShape),
		required("ClientName", text(1, 128, nameType)),
		optional("GenerateSecret", boolean()),
		optional("ClientSecret", secretShape),
	}, clientSettingsShape...)...)
	updateClientShape = object(append([]member{
		required("UserPoolId", poolIDShape),
		required("ClientId", clientIDShape),
		optional("ClientName", text(1, 128, nameType)),
	}, clientSettingsShape...)...)
	clientShape      = object(required("UserPoolId", poolIDShape), required("ClientId", clientIDShape))
	listClientsShape = object(append(listShape(60, false).members, optional("ClientType", oneOf("REGULAR", "DCR")))...)

	addSecretShape = object(
		required("UserPoolId", poolIDShape),
		required("ClientId", clientIDShape),
		optional("ClientSecret", secretShape))
	listSecretsShape = object(
		required("UserPoolId", poolIDShape),
		required("ClientId", clientIDShape),
		optional("NextToken", nextTokenShape))
	deleteSecretShape = object(
		required("UserPoolId", poolIDShape),
		required("ClientId", clientIDShape),
		required("ClientSecretId", text(1, 128, nil)))
	revokeTokenShape = object(
		required("Token", secretText(noLimit, noLimit, matching(`[A-Za-z0-9-_=.]+`))),
		required("ClientId", clientIDShape),
		optional("ClientSecret", secretShape),
		optional("RevokeAssociatedSessions", oneOf("NONE", "LINKED")))
	getClientTokenShape = object(
		required("ClientId", clientIDShape),
		required("Secret", secretShape),
		optional("Scopes", list(noLimit, 50, identifier)),
		optional("ClientMetadata", mapOf(text(0, 131072, nil), anyText)))
)

// The inputs of the operations about tags.
var (
	tagShape      = object(required("ResourceArn", arnShape), required("Tags", tagsShape))
	untagShape    = object(required("ResourceArn", arnShape), required("TagKeys", list(noLimit, noLimit, text(1, 128, nil))))
	listTagsShape = object(required("ResourceArn", arnShape))
)
