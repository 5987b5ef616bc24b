package cognito

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// apply returns the snapshot that follows from s when the records have changed. What the records do not touch is
// shared between the two.
func (s *snapshot) apply(records []Record, revision int64) (*snapshot, error) {
	e := edit{next: &snapshot{place: s.place, revision: revision, pools: maps.Clone(s.pools), domains: s.domains, clients: s.clients}}
	e.touched = make(map[string]*pool)
	for _, r := range records {
		if err := e.apply(r); err != nil {
			// Not the cause's text alone: it may quote the body, which may hold a secret.
			return nil, fmt.Errorf("cognito: the stored %s %q of pool %q: %w", r.Kind, r.ID, r.PoolID, err)
		}
	}
	for id, p := range e.touched {
		if err := e.finish(id, p); err != nil {
			return nil, fmt.Errorf("cognito: the stored pool %q: %w", id, err)
		}
	}
	return e.next, nil
}

// An edit is a snapshot in the making. It copies a pool or a shard when it touches it for the first time.
type edit struct {
	next    *snapshot
	touched map[string]*pool
	shards  [shards]bool
	domains bool
}

func (e *edit) apply(r Record) error {
	p := e.pool(r.PoolID)
	switch r.Kind {
	case KindPool:
		p.poolBody = poolBody{}
		return decode(r, &p.poolBody)
	case KindDomain:
		return e.domain(p, r)
	case KindResourceServer:
		return e.resourceServer(p, r)
	case KindClient:
		return e.client(p, r)
	case KindKey:
		return e.key(p, r)
	}
	return fmt.Errorf("its kind is unknown: the store was written by a newer version")
}

// decode reads the body of a record that is not deleted.
func decode(r Record, into any) error {
	if r.Deleted() {
		return nil
	}
	if json.Unmarshal(r.Body, into) != nil {
		return fmt.Errorf("its body cannot be read") // the cause quotes the body
	}
	return nil
}

// pool returns the pool in the form that may be changed.
func (e *edit) pool(id string) *pool {
	if p := e.touched[id]; p != nil {
		return p
	}
	p := &pool{domains: map[string]*DomainDescription{}, servers: map[string]*ResourceServer{}}
	if old := e.next.pools[id]; old != nil {
		*p = *old
		p.domains, p.servers = maps.Clone(old.domains), maps.Clone(old.servers)
		p.clients, p.keys = slices.Clone(old.clients), slices.Clone(old.keys)
	}
	e.touched[id] = p
	return p
}

func (e *edit) domain(p *pool, r Record) error {
	if !e.domains {
		if e.next.domains = maps.Clone(e.next.domains); e.next.domains == nil {
			e.next.domains = make(map[string]*DomainDescription)
		}
		e.domains = true
	}
	delete(p.domains, r.ID)
	delete(e.next.domains, r.ID)
	if r.Deleted() {
		return nil
	}
	d := new(DomainDescription)
	p.domains[r.ID], e.next.domains[r.ID] = d, d
	return decode(r, d)
}

func (e *edit) resourceServer(p *pool, r Record) error {
	delete(p.servers, r.ID)
	if r.Deleted() {
		return nil
	}
	rs := new(ResourceServer)
	p.servers[r.ID] = rs
	return decode(r, rs)
}

func (e *edit) client(p *pool, r Record) error {
	n := shardOf(r.ID)
	if !e.shards[n] {
		if e.next.clients.shard[n] = maps.Clone(e.next.clients.shard[n]); e.next.clients.shard[n] == nil {
			e.next.clients.shard[n] = make(map[string]*client)
		}
		e.shards[n] = true
	}
	delete(e.next.clients.shard[n], r.ID)
	i, found := slices.BinarySearchFunc(p.clients, r.ID, func(c *client, id string) int { return strings.Compare(c.ClientID, id) })
	if found {
		p.clients = slices.Delete(p.clients, i, i+1)
	}
	if r.Deleted() {
		return nil
	}
	var b clientBody
	if err := decode(r, &b); err != nil {
		return err
	}
	c := newClient(b)
	e.next.clients.shard[n][r.ID] = c
	p.clients = slices.Insert(p.clients, i, c)
	return nil
}

func (e *edit) key(p *pool, r Record) error {
	p.keys = slices.DeleteFunc(p.keys, func(k *signingKey) bool { return k.id == r.ID })
	if r.Deleted() {
		return nil
	}
	var b keyBody
	if err := decode(r, &b); err != nil {
		return err
	}
	k, err := b.signingKey()
	if err != nil {
		return err
	}
	p.keys = append(p.keys, k)
	// One order for all replicas, whatever order the store has: the JWKS of a pool is the same everywhere.
	slices.SortFunc(p.keys, func(a, b *signingKey) int { return cmp.Compare(a.id, b.id) })
	return nil
}

// finish works out what a changed pool's readers need, and takes a deleted pool away.
func (e *edit) finish(id string, p *pool) error {
	if p.ID == "" {
		if len(p.clients)+len(p.servers)+len(p.domains)+len(p.keys) > 0 {
			return fmt.Errorf("it is missing, but not what belongs to it")
		}
		delete(e.next.pools, id)
		return nil
	}
	p.scopes = make(map[string]struct{})
	for _, rs := range p.servers {
		for _, scope := range rs.Scopes {
			p.scopes[rs.Identifier+"/"+scope.ScopeName] = struct{}{}
		}
	}
	p.access = nil
	for _, k := range p.keys {
		if k.use == accessKey {
			p.access = k
		}
	}
	if p.access == nil {
		return fmt.Errorf("it has no key for access tokens")
	}
	e.next.pools[id] = p
	return p.publish(e.next.place)
}

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
