package cognito

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// apply returns the snapshot that follows from s when the records have changed. What the records do not touch is
// shared between the two.
func (s *snapshot) apply(records []Record, revision int64) (*snapshot, error) {
	return s.applyParsed(records, revision, false)
}

// take is apply for records whose bodies the caller does not need any more.
func (s *snapshot) take(records []Record, revision int64) (*snapshot, error) {
	return s.applyParsed(records, revision, true)
}

func (s *snapshot) applyParsed(records []Record, revision int64, letGo bool) (*snapshot, error) {
	parsed, err := parse(records, letGo)
	if err != nil {
		return nil, err
	}
	e := edit{
		next:    &snapshot{place: s.place, revision: revision, pools: maps.Clone(s.pools), domains: maps.Clone(s.domains), clients: s.clients},
		touched: make(map[string]*pool),
	}
	for i, r := range records {
		e.apply(r, parsed[i])
	}
	for id, p := range e.touched {
		if err := e.finish(id, p); err != nil {
			return nil, fmt.Errorf("cognito: the stored pool %q: %w", id, err)
		}
	}
	return e.next, nil
}

// An edit is a snapshot in the making. It copies a pool, or a shard of the clients, when it touches it for the first
// time.
type edit struct {
	next    *snapshot
	touched map[string]*pool
	shards  [shards]bool
}

// apply puts the body of a record into its place, or takes away what was there.
func (e *edit) apply(r Record, body any) {
	p := e.pool(r.PoolID)
	switch r.Kind {
	case KindPool:
		p.poolBody = poolBody{}
		if body != nil {
			p.poolBody = *body.(*poolBody)
		}
	case KindDomain:
		replace(p.domains, r.ID, body)
		replace(e.next.domains, r.ID, body)
	case KindResourceServer:
		replace(p.servers, r.ID, body)
	case KindClient:
		replace(e.shard(r.ID), r.ID, body)
		p.clients = replaceSorted(p.clients, r.ID, body, func(c *client) string { return c.ClientID })
	case KindKey:
		// One order for all replicas, whatever order the store has: the JWKS of a pool is the same everywhere.
		p.keys = replaceSorted(p.keys, r.ID, body, func(k *signingKey) string { return k.id })
	}
}

func replace[V any](m map[string]*V, id string, body any) {
	delete(m, id)
	if body != nil {
		m[id] = body.(*V)
	}
}

func replaceSorted[V any](list []*V, id string, body any, idOf func(*V) string) []*V {
	i, found := slices.BinarySearchFunc(list, id, func(v *V, id string) int { return cmp.Compare(idOf(v), id) })
	switch {
	case found && body != nil:
		list[i] = body.(*V)
	case found:
		return slices.Delete(list, i, i+1)
	case body != nil:
		return slices.Insert(list, i, body.(*V))
	}
	return list
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

// shard returns the part of the clients' index that has the id, in the form that may be changed.
func (e *edit) shard(id string) map[string]*client {
	n := shardOf(id)
	if !e.shards[n] {
		copied := make(map[string]*client, len(e.next.clients.shard[n])+1)
		maps.Copy(copied, e.next.clients.shard[n])
		e.next.clients.shard[n] = copied
		e.shards[n] = true
	}
	return e.next.clients.shard[n]
}

// finish works out what a changed pool's readers need, and takes a deleted pool away.
func (e *edit) finish(id string, p *pool) error {
	if p.ID == "" {
		if len(p.clients)+len(p.servers)+len(p.domains)+len(p.keys) > 0 {
			return errors.New("it is missing, but not what belongs to it")
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
	var err error
	if p.access, err = newKeyring(p.keys, p.CreationDate.Time); err != nil {
		return err
	}
	e.next.pools[id] = p
	return p.publish(e.next.place)
}
