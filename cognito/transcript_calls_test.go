package cognito_test

// The calls of the transcripts: each operation as it succeeds, and as each of its rules refuses it.

func playPools(r *recorder) {
	r.play("CreateUserPool", `{"PoolName":"demo","UserPoolTags":{"team":"a"},"DeletionProtection":"ACTIVE","Schema":[{"Name":"tenant","AttributeDataType":"String"}]}`, "<pool>", "UserPool.Id")
	r.play("ListUserPools", `{"MaxResults":60}`)
	r.play("CreateUserPool", `{"PoolName":"updated","IssuerConfiguration":{"Type":"UPDATED"},"UserPoolTier":"PLUS"}`, "<pool2>", "UserPool.Id")
	r.play("CreateUserPool", `{}`)
	r.play("CreateUserPool", `{"PoolName":"no/slash","DeletionProtection":"MAYBE","UserPoolTags":{"":"x"}}`)
	r.play("CreateUserPool", `{"PoolName":"lite","UserPoolTier":"LITE","LambdaConfig":{"PreTokenGenerationConfig":{"LambdaVersion":"V3_0","LambdaArn":"arn:aws:lambda:ap-southeast-1:000000000000:function:claims"}}}`)
	r.play("CreateUserPool", `{"PoolName":7}`)
	r.play("CreateUserPool", `[]`)
	r.play("CreateUserPool", `{`)
	r.play("DescribeUserPool", `{"UserPoolId":"<pool>"}`)
	r.play("DescribeUserPool", `{"UserPoolId":"ap-southeast-1_nothing00"}`)
	r.play("DescribeUserPool", `{"UserPoolId":"bad id"}`)
	r.play("DescribeUserPool", `{}`)
	r.play("ListUserPools", `{}`)
	r.play("ListUserPools", `{"MaxResults":61}`)
	r.play("ListUserPools", `{"MaxResults":1,"NextToken":"bad"}`)
	r.play("UpdateUserPool", `{"UserPoolId":"<pool2>","PoolName":"renamed"}`)
	r.play("UpdateUserPool", `{"UserPoolId":"ap-southeast-1_nothing00"}`)
	r.play("UpdateUserPool", `{"UserPoolId":"<pool2>","UserPoolTier":"GOLD"}`)
	r.play("GetUserPoolMfaConfig", `{"UserPoolId":"<pool>"}`)
	r.play("GetUserPoolMfaConfig", `{"UserPoolId":"ap-southeast-1_nothing00"}`)
	r.play("SetUserPoolMfaConfig", `{"UserPoolId":"<pool>","MfaConfiguration":"OPTIONAL","SoftwareTokenMfaConfiguration":{"Enabled":true}}`)
	r.play("SetUserPoolMfaConfig", `{"UserPoolId":"<pool>","MfaConfiguration":"MAYBE"}`)
	arn := "arn:aws:cognito-idp:ap-southeast-1:000000000000:userpool/<pool>"
	r.play("TagResource", `{"ResourceArn":"`+arn+`","Tags":{"stage":"dev"}}`)
	r.play("TagResource", `{"ResourceArn":"arn:aws:cognito-idp:ap-southeast-1:000000000000:userpool/ap-southeast-1_nothing00","Tags":{"stage":"dev"}}`)
	r.play("TagResource", `{"ResourceArn":"short"}`)
	r.play("ListTagsForResource", `{"ResourceArn":"`+arn+`"}`)
	r.play("ListTagsForResource", `{}`)
	r.play("UntagResource", `{"ResourceArn":"`+arn+`","TagKeys":["stage"]}`)
	r.play("UntagResource", `{"ResourceArn":"`+arn+`"}`)
}

func playDomains(r *recorder) {
	r.play("CreateUserPoolDomain", `{"Domain":"demo-prefix","UserPoolId":"<pool>"}`)
	r.play("CreateUserPoolDomain", `{"Domain":"demo-prefix","UserPoolId":"<pool2>"}`)
	r.play("CreateUserPoolDomain", `{"Domain":"another-prefix","UserPoolId":"<pool>"}`)
	r.play("CreateUserPoolDomain", `{"Domain":"my-cognito","UserPoolId":"<pool2>"}`)
	r.play("CreateUserPoolDomain", `{"Domain":"Upper","UserPoolId":"<pool2>"}`)
	r.play("CreateUserPoolDomain", `{"Domain":"auth.example.com","UserPoolId":"<pool2>","ManagedLoginVersion":2,"CustomDomainConfig":{"CertificateArn":"arn:aws:acm:us-east-1:000000000000:certificate/a"}}`,
		"<distribution2>", "CloudFrontDomain")
	r.play("CreateUserPoolDomain", `{}`)
	r.play("DescribeUserPoolDomain", `{"Domain":"nobody-has-it"}`)
	r.play("DescribeUserPoolDomain", `{}`)
	r.play("UpdateUserPoolDomain", `{"Domain":"demo-prefix","UserPoolId":"<pool>","ManagedLoginVersion":2}`)
	r.play("UpdateUserPoolDomain", `{"Domain":"auth.example.com","UserPoolId":"<pool2>"}`)
	r.play("UpdateUserPoolDomain", `{"Domain":"nobody-has-it","UserPoolId":"<pool>"}`)
	r.play("DescribeUserPoolDomain", `{"Domain":"demo-prefix"}`, "<distribution>", "DomainDescription.CloudFrontDistribution")
	r.play("DeleteUserPoolDomain", `{"Domain":"demo-prefix","UserPoolId":"<pool2>"}`)
	r.play("DeleteUserPoolDomain", `{"UserPoolId":"<pool2>"}`)
}

func playResourceServers(r *recorder) {
	r.play("CreateResourceServer", `{"UserPoolId":"<pool>","Identifier":"https://api.example.com","Name":"Gateway","Scopes":[{"ScopeName":"demo.read","ScopeDescription":"read"},{"ScopeName":"demo.write","ScopeDescription":"write"}]}`)
	r.play("CreateResourceServer", `{"UserPoolId":"<pool>","Identifier":"https://api.example.com","Name":"Gateway"}`)
	r.play("CreateResourceServer", `{"UserPoolId":"<pool>","Identifier":"orders"}`)
	r.play("CreateResourceServer", `{"UserPoolId":"<pool>","Identifier":"with space","Name":"a/b","Scopes":[{"ScopeName":"a/b"}]}`)
	r.play("CreateResourceServer", `{"UserPoolId":"<pool>","Identifier":"orders","Name":"n","Scopes":[{"ScopeName":"a","ScopeDescription":"1"},{"ScopeName":"a","ScopeDescription":"2"}]}`)
	r.play("CreateResourceServer", `{"UserPoolId":"<pool>","Identifier":"orders","Name":"Orders","Scopes":[{"ScopeName":"a","ScopeDescription":"1"}]}`)
	r.play("DescribeResourceServer", `{"UserPoolId":"<pool>","Identifier":"https://api.example.com"}`)
	r.play("DescribeResourceServer", `{"UserPoolId":"<pool>","Identifier":"nothing"}`)
	r.play("ListResourceServers", `{"UserPoolId":"<pool>","MaxResults":1}`, "<next>", "NextToken")
	r.play("ListResourceServers", `{"UserPoolId":"<pool>","MaxResults":1,"NextToken":"<next>"}`)
	r.play("ListResourceServers", `{"UserPoolId":"<pool>","MaxResults":51}`)
	r.play("UpdateResourceServer", `{"UserPoolId":"<pool>","Identifier":"orders","Name":"Orders"}`)
	r.play("UpdateResourceServer", `{"UserPoolId":"<pool>","Identifier":"orders"}`)
	r.play("UpdateResourceServer", `{"UserPoolId":"<pool>","Identifier":"nothing","Name":"n"}`)
	r.play("DeleteResourceServer", `{"UserPoolId":"<pool>","Identifier":"orders"}`)
	r.play("DeleteResourceServer", `{"UserPoolId":"<pool>","Identifier":"orders"}`)
}

func playClients(r *recorder) {
	create := func(rest string) string { return `{"UserPoolId":"<pool>","ClientName":"c",` + rest + `}` }
	const machine = `"AllowedOAuthFlows":["client_credentials"],"AllowedOAuthFlowsUserPoolClient":true,`
	r.play("CreateUserPoolClient", `{"UserPoolId":"<pool>","ClientName":"reader","GenerateSecret":true,`+machine+`"AllowedOAuthScopes":["https://api.example.com/demo.read"],"AccessTokenValidity":5,"TokenValidityUnits":{"AccessToken":"minutes"}}`,
		"<client>", "UserPoolClient.ClientId", "<secret>", "UserPoolClient.ClientSecret")
	r.play("CreateUserPoolClient", create(`"ClientSecret":"chosen_secret_of_thirty_chars_","ExplicitAuthFlows":["ALLOW_CLIENT_TOKEN_AUTH"],"AllowedOAuthScopes":["https://api.example.com/demo.read"]`),
		"<api-client>", "UserPoolClient.ClientId")
	for _, rest := range []string{
		`"GenerateSecret":true,"ClientSecret":"chosen_secret_of_thirty_chars_"`,
		`"ClientSecret":"short"`,
		`"GenerateSecret":true,` + machine + `"AllowedOAuthScopes":["https://api.example.com/nothing"]`,
		`"GenerateSecret":true,` + machine + `"AllowedOAuthScopes":["openid"]`,
		machine + `"AllowedOAuthScopes":["https://api.example.com/demo.read"]`,
		`"GenerateSecret":true,"AllowedOAuthFlows":["client_credentials","code"],"AllowedOAuthFlowsUserPoolClient":true,"AllowedOAuthScopes":["https://api.example.com/demo.read"]`,
		`"AllowedOAuthFlowsUserPoolClient":true`,
		`"AccessTokenValidity":4,"TokenValidityUnits":{"AccessToken":"minutes"}`,
		`"AccessTokenValidity":25`,
		`"AccessTokenValidity":86401`,
		`"ExplicitAuthFlows":["ALLOW_CLIENT_TOKEN_AUTH","ALLOW_REFRESH_TOKEN_AUTH"]`,
		`"ExplicitAuthFlows":["USER_PASSWORD_AUTH","ALLOW_REFRESH_TOKEN_AUTH"]`,
		`"SupportedIdentityProviders":["Google"]`,
		`"AllowedOAuthFlows":["password"],"PreventUserExistenceErrors":"MAYBE","AuthSessionValidity":2`,
	} {
		r.play("CreateUserPoolClient", create(rest))
	}
	r.play("CreateUserPoolClient", `{"UserPoolId":"<pool>"}`)
	r.play("DescribeUserPoolClient", `{"UserPoolId":"<pool>","ClientId":"<client>"}`)
	r.play("DescribeUserPoolClient", `{"UserPoolId":"<pool2>","ClientId":"<client>"}`)
	r.play("DescribeUserPoolClient", `{"UserPoolId":"<pool>"}`)
	r.play("ListUserPoolClients", `{"UserPoolId":"<pool2>"}`)
	r.play("ListUserPoolClients", `{"UserPoolId":"<pool>","MaxResults":61}`)
	r.play("UpdateUserPoolClient", `{"UserPoolId":"<pool>","ClientId":"<client>",`+machine+`"AllowedOAuthScopes":["https://api.example.com/demo.write"]}`)
	r.play("UpdateUserPoolClient", `{"UserPoolId":"<pool>","ClientId":"<client>",`+machine+`"AllowedOAuthScopes":["https://api.example.com/nothing"]}`)
	r.play("UpdateUserPoolClient", `{"UserPoolId":"<pool>","ClientId":"nobody"}`)
}

func playSecrets(r *recorder) {
	r.play("ListUserPoolClientSecrets", `{"UserPoolId":"<pool>","ClientId":"<client>"}`)
	r.play("ListUserPoolClientSecrets", `{"UserPoolId":"<pool>","ClientId":"nobody"}`)
	r.play("DeleteUserPoolClientSecret", `{"UserPoolId":"<pool>","ClientId":"<client>","ClientSecretId":"<client>--1772625600000"}`)
	r.play("AddUserPoolClientSecret", `{"UserPoolId":"<pool>","ClientId":"<client>"}`, "<secret2>", "ClientSecretDescriptor.ClientSecretValue")
	r.play("AddUserPoolClientSecret", `{"UserPoolId":"<pool>","ClientId":"<client>"}`)
	r.play("AddUserPoolClientSecret", `{"UserPoolId":"<pool>","ClientId":"<client>","ClientSecret":"short"}`)
	r.play("AddUserPoolClientSecret", `{"UserPoolId":"<pool>","ClientId":"<api-client>","ClientSecret":"second_secret_of_thirty_chars_"}`)
	r.play("DeleteUserPoolClientSecret", `{"UserPoolId":"<pool>","ClientId":"<client>","ClientSecretId":"<client>--1"}`)
	r.play("DeleteUserPoolClientSecret", `{"UserPoolId":"<pool>","ClientId":"<client>","ClientSecretId":"<client>--1772625600000"}`)
	r.play("ListUserPoolClientSecrets", `{"UserPoolId":"<pool>","ClientId":"<client>"}`)
}

func playTokens(r *recorder) {
	r.play("GetClientToken", `{"ClientId":"<api-client>","Secret":"chosen_secret_of_thirty_chars_"}`)
	r.play("GetClientToken", `{"ClientId":"<api-client>","Secret":"second_secret_of_thirty_chars_","Scopes":["https://api.example.com/demo.read"],"ClientMetadata":{"tenant":"a"}}`)
	r.play("GetClientToken", `{"ClientId":"<api-client>","Secret":"wrong_secret_of_thirty_chars__"}`)
	r.play("GetClientToken", `{"ClientId":"nobody","Secret":"wrong_secret_of_thirty_chars__"}`)
	r.play("GetClientToken", `{"ClientId":"<api-client>","Secret":"chosen_secret_of_thirty_chars_","Scopes":["https://api.example.com/demo.write"]}`)
	r.play("GetClientToken", `{"ClientId":"<client>","Secret":"<secret2>"}`)
	r.play("GetClientToken", `{"ClientId":"<api-client>","Secret":"short"}`)
	r.play("GetClientToken", `{}`)
	r.play("RevokeToken", `{"Token":"a.b.c","ClientId":"<client>","ClientSecret":"<secret2>"}`)
	r.play("RevokeToken", `{"Token":"whatever","ClientId":"<client>","ClientSecret":"<secret2>"}`)
	r.play("RevokeToken", `{"Token":"whatever","ClientId":"<client>"}`)
	r.play("RevokeToken", `{"ClientId":"<client>"}`)
}

func playDeletions(r *recorder) {
	r.play("DeleteUserPoolClient", `{"UserPoolId":"<pool>","ClientId":"<client>"}`)
	r.play("DeleteUserPoolClient", `{"UserPoolId":"<pool>","ClientId":"<client>"}`)
	r.play("ListUserPoolClients", `{"UserPoolId":"<pool>"}`)
	r.play("DeleteUserPool", `{"UserPoolId":"<pool>"}`)
	r.play("UpdateUserPool", `{"UserPoolId":"<pool>"}`)
	r.play("DeleteUserPool", `{"UserPoolId":"<pool>"}`)
	r.play("DeleteUserPoolDomain", `{"Domain":"demo-prefix","UserPoolId":"<pool>"}`)
	r.play("DeleteUserPool", `{"UserPoolId":"<pool>"}`)
	r.play("DeleteUserPool", `{"UserPoolId":"<pool>"}`)
}
