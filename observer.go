package countersign

import (
	"context"
	"time"
)

// Observer is told what the guard does, for metrics and traces. Its methods run on the request's goroutine, or on the one
// that fetched the keys, and must return at once. Nothing in an event is a sender's claim: every name comes from the
// configuration, from the code or from a verified token, so that nobody outside can multiply a metric's
// labels.
type Observer interface {
	// Decision is called once for each request to a route that is not public, and for one whose path is ambiguous to any.
	Decision(ctx context.Context, event DecisionEvent)
	// Keys is called when something happens to an issuer's keys.
	Keys(event KeyEvent)
}

// DecisionEvent is one decision.
type DecisionEvent struct {
	ID       string        // in the log and in the body of a refusal; empty when the request was allowed
	Decision Decision      // what was decided
	Reason   Reason        // why it was refused; empty when the request was allowed
	Status   int           // of the refusal; 0 when the request was allowed
	Route    string        // the pattern of the route
	Method   string        // of the request: one of HTTP's own, or "other"
	Issuer   string        // as configured; empty when the token was not verified
	ClientID string        // of a verified token; empty otherwise
	Cached   bool          // the token had been verified before
	Duration time.Duration // of the decision
	// Ahead is how far the token's iat lies in the future by our clock: the least by which the two clocks differ.
	Ahead time.Duration
}

// Decision is the closed set of what a guard decides.
type Decision string

// The decisions.
const (
	Allow     Decision = "allow"
	Deny      Decision = "deny"
	Unable    Decision = "error"      // no keys: the fault is not the caller's
	WouldDeny Decision = "would_deny" // refused by a rule that is only reported, and let through
)

// KeyEvent is something that happened to the keys of one issuer.
type KeyEvent struct {
	Issuer   string        // as configured, never as a token says it
	Kind     KeyEventKind  // what happened
	Keys     int           // usable keys that are held now
	Age      time.Duration // since the held set was last confirmed by the issuer; 0 when none is held
	Duration time.Duration // of the fetch, where there was one
	Err      error         // of a KeysFailed; it never has the issuer's answer in it
}

// KeyEventKind is the closed set of what a [KeyEvent] reports.
type KeyEventKind string

// The kinds of a [KeyEvent].
const (
	KeysFetched    KeyEventKind = "fetched"     // a set was fetched and is good
	KeysFailed     KeyEventKind = "failed"      // a fetch failed; the last good set goes on serving
	KeysUnknownKid KeyEventKind = "unknown_kid" // a token named a key that the issuer does not have
	KeysSuppressed KeyEventKind = "suppressed"  // a fetch for an unknown kid was not made, to spare the issuer
	KeysWithdrawn  KeyEventKind = "withdrawn"   // a key was dropped because the issuer no longer has it
	KeysStale      KeyEventKind = "stale"       // the last good set became too old to serve
)
