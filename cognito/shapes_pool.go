package cognito

// The patterns of messages to users.
var (
	smsMessage   = text(6, 140, matching(`.*\{####\}.*`))
	emailMessage = text(6, 20000, matching(`[\p{L}\p{M}\p{S}\p{N}\p{P}\s*]*\{####\}[\p{L}\p{M}\p{S}\p{N}\p{P}\s*]*`))
	emailLink    = text(6, 20000, matching(`[\p{L}\p{M}\p{S}\p{N}\p{P}\s*]*\{##[\p{L}\p{M}\p{S}\p{N}\p{P}\s*]*##\}[\p{L}\p{M}\p{S}\p{N}\p{P}\s*]*`))
	emailSubject = text(1, 140, matching(`[\p{L}\p{M}\p{S}\p{N}\p{P}\s]+`))
	verified     = list(noLimit, noLimit, oneOf("phone_number", "email"))
	smsShape     = object(
		optional("SnsCallerArn", text(0, 2048, matching(`(`+arnType.text+`)?`))),
		optional("ExternalId", anyText),
		optional("SnsRegion", text(5, 32, nil)),
		optional("EumsSms", object(
			required("CallerArn", arnShape),
			optional("ExternalId", anyText),
			optional("OriginationIdentity", anyText),
			optional("ConfigurationSetName", anyText),
			optional("InEntityId", anyText),
			optional("InTemplateId", anyText),
			optional("Region", text(5, 32, nil)))))
)

// poolSettingsShape is what CreateUserPool and UpdateUserPool both take.
var poolSettingsShape = []member{
	optional("DeletionProtection", oneOf("ACTIVE", "INACTIVE")),
	optional("MfaConfiguration", mfaShape),
	optional("UserPoolTier", oneOf("LITE", "ESSENTIALS", "PLUS")),
	optional("IssuerConfiguration", object(optional("Type", oneOf("ORIGINAL", "UPDATED")))),
	optional("UserPoolTags", tagsShape),
	optional("Policies", object(
		optional("PasswordPolicy", object(
			optional("MinimumLength", integer(6, 99)),
			optional("RequireUppercase", boolean()),
			optional("RequireLowercase", boolean()),
			optional("RequireNumbers", boolean()),
			optional("RequireSymbols", boolean()),
			optional("PasswordHistorySize", integer(0, 24)),
			optional("TemporaryPasswordValidityDays", integer(0, 365)))),
		optional("SignInPolicy", object(
			optional("AllowedFirstAuthFactors", list(1, 5, oneOf("PASSWORD", "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN", "SOFTWARE_TOKEN"))))))),
	optional("LambdaConfig", lambdaShape()),
	optional("AutoVerifiedAttributes", verified),
	optional("SmsVerificationMessage", smsMessage),
	optional("EmailVerificationMessage", emailMessage),
	optional("EmailVerificationSubject", emailSubject),
	optional("VerificationMessageTemplate", object(
		optional("SmsMessage", smsMessage),
		optional("EmailMessage", emailMessage),
		optional("EmailSubject", emailSubject),
		optional("EmailMessageByLink", emailLink),
		optional("EmailSubjectByLink", emailSubject),
		optional("DefaultEmailOption", oneOf("CONFIRM_WITH_LINK", "CONFIRM_WITH_CODE")))),
	optional("SmsAuthenticationMessage", smsMessage),
	optional("UserAttributeUpdateSettings", object(optional("AttributesRequireVerificationBeforeUpdate", verified))),
	optional("DeviceConfiguration", object(
		optional("ChallengeRequiredOnNewDevice", boolean()),
		optional("DeviceOnlyRememberedOnUserPrompt", boolean()))),
	optional("EmailConfiguration", object(
		optional("SourceArn", arnShape),
		optional("ReplyToEmailAddress", text(noLimit, noLimit, matching(`[\p{L}\p{M}\p{S}\p{N}\p{P}]+@[\p{L}\p{M}\p{S}\p{N}\p{P}]+`))),
		optional("EmailSendingAccount", oneOf("COGNITO_DEFAULT", "DEVELOPER")),
		optional("From", anyText),
		optional("ConfigurationSet", text(1, 64, matching(`[a-zA-Z0-9_-]+`))))),
	optional("SmsConfiguration", smsShape),
	optional("AdminCreateUserConfig", object(
		optional("AllowAdminCreateUserOnly", boolean()),
		optional("UnusedAccountValidityDays", integer(0, 365)),
		optional("InviteMessageTemplate", object(
			optional("SMSMessage", text(6, 140, nil)),
			optional("EmailMessage", text(6, 20000, matching(`[\p{L}\p{M}\p{S}\p{N}\p{P}\s*]*`))),
			optional("EmailSubject", emailSubject))))),
	optional("UserPoolAddOns", object(
		required("AdvancedSecurityMode", oneOf("OFF", "AUDIT", "ENFORCED")),
		optional("AdvancedSecurityAdditionalFlows", object(
			optional("CustomAuthMode", oneOf("AUDIT", "ENFORCED")))))),
	optional("AccountRecoverySetting", object(
		optional("RecoveryMechanisms", list(1, 2, object(
			required("Priority", integer(1, 2)),
			required("Name", oneOf("verified_email", "verified_phone_number", "admin_only"))))))),
	optional("KeyConfiguration", object(
		optional("KeyType", oneOf("AWS_OWNED_KEY", "CUSTOMER_MANAGED_KEY")),
		optional("KmsKeyArn", arnShape))),
	optional("DcrConfiguration", object(
		optional("EnableStatus", oneOf("Enabled", "Disabled")),
		optional("OpenDcrEnabled", boolean()),
		optional("AuthenticatedGrantTypes", list(0, 3, oneOf("code", "implicit", "client_credentials"))),
		optional("OpenDcrGrantTypes", list(0, 3, oneOf("code", "implicit", "client_credentials"))),
		optional("AllowedScopes", list(noLimit, 50, identifier)))),
	optional("AcrConfiguration", mapOf(
		text(noLimit, noLimit, matching(`Level[1-4]`)),
		object(required("AcrValue", text(1, 64, scopeType))))),
}

// poolCreateShape is what only CreateUserPool takes.
var poolCreateShape = []member{
	optional("Schema", list(1, 50, object(
		optional("Name", text(1, 20, redirectType)),
		optional("AttributeDataType", oneOf("String", "Number", "DateTime", "Boolean")),
		optional("DeveloperOnlyAttribute", boolean()),
		optional("Mutable", boolean()),
		optional("Required", boolean()),
		optional("NumberAttributeConstraints", object(optional("MinValue", anyText), optional("MaxValue", anyText))),
		optional("StringAttributeConstraints", object(optional("MinLength", anyText), optional("MaxLength", anyText)))))),
	optional("AliasAttributes", list(noLimit, noLimit, oneOf("phone_number", "email", "preferred_username"))),
	optional("UsernameAttributes", list(noLimit, noLimit, oneOf("phone_number", "email"))),
	optional("UsernameConfiguration", object(required("CaseSensitive", boolean()))),
}

// The inputs of the operations about pools.
var (
	createPoolShape = object(append(append([]member{
		required("PoolName", text(1, 128, nameType))}, poolSettingsShape...), poolCreateShape...)...)
	updatePoolShape = object(append([]member{
		required("UserPoolId", poolIDShape),
		optional("PoolName", text(1, 128, nameType))}, poolSettingsShape...)...)
	poolShape      = object(required("UserPoolId", poolIDShape))
	listPoolsShape = object(required("MaxResults", integer(1, 60)), optional("NextToken", nextTokenShape))
	setMfaShape    = object(
		required("UserPoolId", poolIDShape),
		optional("MfaConfiguration", mfaShape),
		optional("SmsMfaConfiguration", object(
			optional("SmsAuthenticationMessage", smsMessage),
			optional("SmsConfiguration", smsShape))),
		optional("SoftwareTokenMfaConfiguration", object(optional("Enabled", boolean()))),
		optional("EmailMfaConfiguration", object(
			optional("Message", emailMessage),
			optional("Subject", text(noLimit, noLimit, emailSubject.pattern)))),
		optional("WebAuthnConfiguration", object(
			optional("RelyingPartyId", text(1, 127, nil)),
			optional("UserVerification", oneOf("required", "preferred")),
			optional("FactorConfiguration", oneOf("SINGLE_FACTOR", "MULTI_FACTOR_WITH_USER_VERIFICATION")))))
)

func lambdaShape() *shape {
	versioned := func(versions ...string) *shape {
		return object(required("LambdaVersion", oneOf(versions...)), required("LambdaArn", arnShape))
	}
	var members []member
	for _, trigger := range []string{"PreSignUp", "CustomMessage", "PostConfirmation", "PreAuthentication", "PostAuthentication",
		"DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse", "PreTokenGeneration", "UserMigration"} {
		members = append(members, optional(trigger, arnShape))
	}
	return object(append(members,
		optional("PreTokenGenerationConfig", versioned("V1_0", "V2_0", "V3_0")),
		optional("CustomSMSSender", versioned("V1_0")),
		optional("CustomEmailSender", versioned("V1_0")),
		optional("KMSKeyID", arnShape),
		optional("InboundFederation", versioned("V1_0")))...)
}
