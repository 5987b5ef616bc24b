package cognito

import (
	"encoding/json"
	"hash/maphash"
	"strings"
)

// A snapshot is everything that the store holds, worked out for reading. It is never changed: a write makes the next
// one, which shares with it all that stayed the same. A token request reads one snapshot from start to end.
type snapshot struct {
	place    place
	revision int64
	pools    map[string]*pool
	domains  map[string]*DomainDescription
	clients  index[*client] // of all pools: the id alone finds a client, as GetClientToken needs
}

// poolBody is a pool as it is stored.
type poolBody struct {
	UserPool
	MFA MfaSettings
}

// pool is a user pool with all that belongs to it.
type pool struct {
	poolBody
	domains map[string]*DomainDescription
	servers map[string]*ResourceServer
	clients []*client // ordered by id
	keys    []*signingKey

	// What follows is worked out from the above.
	scopes     map[string]struct{} // every scope of every resource server, written identifier/name
	issuer     string
	issuerJSON []byte  // the issuer as a JSON string
	access     keyring // those that sign access tokens, each in its time
	jwks       []byte
	discovery  []byte
}

// place is what ids and URLs are made from; it comes from the configuration.
type place struct {
	region    string
	accountID string
	baseURL   string
}

// poolARN returns the ARN of a pool. Its region is that of the pool's id, which outlives the configuration.
func (p place) poolARN(poolID string) string {
	region, _, _ := strings.Cut(poolID, "_")
	return "arn:aws:cognito-idp:" + region + ":" + p.accountID + ":userpool/" + poolID
}

// issuer returns the iss of a pool's tokens.
func (p place) issuer(poolID string, updated bool) string {
	if p.baseURL != "" {
		return p.baseURL + "/" + poolID
	}
	host := "cognito-idp"
	if updated {
		host = "issuer-cognito-idp"
	}
	region, _, _ := strings.Cut(poolID, "_")
	return "https://" + host + "." + region + ".amazonaws.com/" + poolID
}

// An index is a map in shards, so that a change copies a small part of it.
type index[V any] struct{ shard [shards]map[string]V }

const shards = 64

var seed = maphash.MakeSeed()

func shardOf(key string) int { return int(maphash.String(seed, key) % shards) }

func (x *index[V]) get(key string) V { return x.shard[shardOf(key)][key] }

// publish renders the documents that the pool serves.
func (p *pool) publish(at place) (err error) {
	p.issuer = at.issuer(p.ID, p.IssuerConfiguration != nil && p.IssuerConfiguration.Type == "UPDATED")
	if p.issuerJSON, err = json.Marshal(p.issuer); err != nil {
		return err
	}
	if p.jwks, err = keySet(p.keys); err != nil {
		return err
	}
	p.discovery, err = discoveryDocument(p)
	return err
}
