package oauth

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a string that must never reach a log, an error or a document. Every way of printing it gives
// "<redacted>"; [Secret.Reveal] is the only way to its bytes, so that a reviewer can search for the uses.
type Secret string

const redacted = "<redacted>"

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// String returns "<redacted>".
func (s Secret) String() string { return redacted }

// GoString returns "<redacted>", for %#v.
func (s Secret) GoString() string { return redacted }

// Format writes "<redacted>" for every verb. Without it fmt would print the bytes inside its complaint
// about a verb that does not fit, such as %d. (Only %p asks no method; go vet refuses it for a string.)
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// MarshalJSON returns "<redacted>" as a JSON string.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText returns "<redacted>", for the encodings that ask for text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns "<redacted>", for log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
