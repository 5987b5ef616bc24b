package provision

import (
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// Have is what there is, as [Read] found it.
type Have struct {
	Pool      *types.UserPoolType // nil: none yet
	Owned     bool                // the pool has the service's tag
	Domain    Domain              // of the wanted name
	Servers   []types.ResourceServerType
	Clients   []HaveClient
	Addresses Addresses // zero without a pool
	Stored    map[string]Stored
	Taken     map[string]string // by client, the other pool whose credentials its place holds; only of pools that are there
	Notes     []string
}

// Domain is who has the wanted domain prefix. The zero value is nobody, of this account.
type Domain struct {
	PoolID string
	Status types.DomainStatusType
}

// HaveClient is an app client of the pool.
type HaveClient struct {
	ID, Name string
	// Full is Cognito's description, for a client that is wanted. It holds the secret.
	Full *types.UserPoolClientType
	// Live says that the stored credential is the client's and that its secret is known to be live.
	Live bool
}

// client finds a client by its name; Read has made sure that there is no second one.
func (h Have) client(name string) *HaveClient {
	for i := range h.Clients {
		if h.Clients[i].Name == name {
			return &h.Clients[i]
		}
	}
	return nil
}

// server finds the resource server.
func (h Have) server(identifier string) *types.ResourceServerType {
	for i := range h.Servers {
		if s := h.Servers[i].Identifier; s != nil && *s == identifier {
			return &h.Servers[i]
		}
	}
	return nil
}
