package program

// The user pool that tests import, so that they know its client and its secret.
const (
	Pool   = "us-east-1_AbCdEf123"
	Client = "0123456789abcdefghijklmnop"
	Secret = "only_for_this_test_0123456789_0123456789"
)

// PoolYAML is that pool, as the command pool import reads it.
const PoolYAML = `UserPool:
  Id: ` + Pool + `
  Name: orders
  CreationDate: 1767225600
  LastModifiedDate: 1767225600
ResourceServers:
  - UserPoolId: ` + Pool + `
    Identifier: https://api.example.com
    Name: api
    Scopes: [{ScopeName: demo.read, ScopeDescription: read}]
Clients:
  - UserPoolId: ` + Pool + `
    ClientId: ` + Client + `
    ClientName: reader
    CreationDate: 1767225600
    LastModifiedDate: 1767225600
    AllowedOAuthFlows: [client_credentials]
    AllowedOAuthFlowsUserPoolClient: true
    AllowedOAuthScopes: [https://api.example.com/demo.read]
    Secrets: [{ID: first, Value: ` + Secret + `, Created: 1767225600}]
`
