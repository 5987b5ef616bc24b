package countersign

import "time"

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
