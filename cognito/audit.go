package cognito

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"
)

// An EventKind says what an [Event] is about.
type EventKind string

// The kinds of events.
const (
	EventChange  EventKind = "change"  // something was created, changed or deleted
	EventRefusal EventKind = "refusal" // a call of the JSON API or a token request was refused
)

// An Event is one entry of the audit trail. It holds no secret, no key and no token, and of a refused request only what
// names something that exists.
type Event struct {
	Time      time.Time `json:"time"`
	Kind      EventKind `json:"kind"`
	Operation string    `json:"operation"`            // of the API, or Token
	RequestID string    `json:"request_id,omitempty"` // as the answer and the log have it
	Actor     Actor     `json:"actor,omitzero"`
	PoolID    string    `json:"pool,omitempty"`
	ClientID  string    `json:"client,omitempty"`

	Changes []Change `json:"changes,omitempty"`
	// Reset names the settings that an update set to their defaults because it did not mention them.
	Reset []string `json:"reset,omitempty"`

	Code   string `json:"error,omitempty"`  // of a refusal: what the wire had
	Reason string `json:"reason,omitempty"` // of a refusal: what the wire did not have
}

// An Actor is who made a call. It is empty for a change that the program made by itself, and for a call whose signature
// was not checked or did not hold.
type Actor struct {
	AccessKeyID string `json:"access_key_id,omitempty"`
	User        string `json:"user,omitempty"` // the name of who holds the key, where it has one
	Role        string `json:"role,omitempty"`
	Address     string `json:"address,omitempty"` // host and port of the peer
}

// A Change is what happened to one stored thing. A created one has After only, a deleted one Before only; of a changed
// one both have the members that differ. Secrets show as their ids, and keys as their ids and uses.
type Change struct {
	Kind   Kind                       `json:"kind"`
	ID     string                     `json:"id"`
	Before map[string]json.RawMessage `json:"before,omitempty"`
	After  map[string]json.RawMessage `json:"after,omitempty"`
}

type callKey struct{}

// call is what the audit trail says about a change and the rules need not know.
type call struct {
	requestID string
	actor     Actor
}

// WithActor returns a context whose changes are recorded as the actor's. [Handler] does it for the calls that it serves;
// it is for programs that call a [Service] directly.
func WithActor(ctx context.Context, requestID string, actor Actor) context.Context {
	return context.WithValue(ctx, callKey{}, call{requestID, actor})
}

// event describes the draft, which has been committed.
func (d *draft) event(ctx context.Context) Event {
	by, _ := ctx.Value(callKey{}).(call)
	e := Event{Time: d.now.Time, Kind: EventChange, Operation: d.operation, RequestID: by.requestID, Actor: by.actor, Reset: d.reset}
	for _, r := range d.changes {
		e.PoolID = r.PoolID
		if r.Kind == KindClient && len(d.changes) == 1 {
			e.ClientID = r.ID
		}
		change := Change{Kind: r.Kind, ID: r.ID, Before: d.view.auditable(r), After: auditableBody(r)}
		if change.Before != nil && change.After != nil {
			keepDifferent(change.Before, change.After)
		}
		e.Changes = append(e.Changes, change)
	}
	return e
}

// keepDifferent removes what two descriptions of a thing have in common, and the date, which always differs.
func keepDifferent(before, after map[string]json.RawMessage) {
	for name, value := range after {
		if old, ok := before[name]; ok && bytes.Equal(old, value) || name == "LastModifiedDate" {
			delete(before, name)
			delete(after, name)
		}
	}
	delete(before, "LastModifiedDate")
}

// auditable describes what the record's identity had before; nil when there was nothing.
func (s *snapshot) auditable(r Record) map[string]json.RawMessage {
	p := s.pools[r.PoolID]
	if p == nil {
		return nil
	}
	switch r.Kind {
	case KindPool:
		return settings(p.poolBody)
	case KindDomain:
		if d := p.domains[r.ID]; d != nil {
			return settings(d)
		}
	case KindResourceServer:
		if rs := p.servers[r.ID]; rs != nil {
			return settings(rs)
		}
	case KindClient:
		if c := s.clients.get(r.ID); c != nil {
			return c.auditable()
		}
	case KindKey:
		if i := slices.IndexFunc(p.keys, func(k *signingKey) bool { return k.id == r.ID }); i >= 0 {
			return settings(auditableKey{p.keys[i].id, p.keys[i].use})
		}
	}
	return nil
}

// auditableBody describes what the record says now. It reads into types that have no room for a secret: what a later
// version adds to a stored body does not get out by itself.
func auditableBody(r Record) map[string]json.RawMessage {
	if r.Deleted() {
		return nil
	}
	switch r.Kind {
	case KindPool:
		return redecoded[poolBody](r)
	case KindDomain:
		return redecoded[DomainDescription](r)
	case KindResourceServer:
		return redecoded[ResourceServer](r)
	case KindClient:
		if b, err := decode[clientBody](r); err == nil {
			return b.auditable()
		}
	case KindKey:
		return redecoded[auditableKey](r)
	}
	return nil
}

func redecoded[T any](r Record) map[string]json.RawMessage {
	body, err := decode[T](r)
	if err != nil {
		return nil
	}
	return settings(body)
}

type auditableKey struct{ ID, Use string }

// auditable describes the client with the ids of its secrets.
func (b *clientBody) auditable() map[string]json.RawMessage {
	ids := make([]string, len(b.Secrets))
	for i, secret := range b.Secrets {
		ids[i] = secret.ID
	}
	return settings(struct {
		UserPoolClient
		ClientSecretIDs []string `json:"ClientSecretIds"`
	}{b.UserPoolClient, ids})
}
