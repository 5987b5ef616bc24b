package cognito

import (
	"fmt"
	"io"
	"log/slog"
)

// A Secret is a client secret. It does not print: every way of formatting, logging or marshalling it gives
// "<redacted>". Reveal is the only way to its text; the JSON API and the store use it.
type Secret string

const redacted = "<redacted>"

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// String returns "<redacted>".
func (s Secret) String() string { return redacted }

// GoString returns "<redacted>".
func (s Secret) GoString() string { return redacted }

// Format writes "<redacted>" for every verb, %x and %d included.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalJSON returns "<redacted>" as a JSON string.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue returns "<redacted>".
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// revealer is an input or output that holds a secret: revealed returns it in a form that marshals the secret itself,
// for the wire and for validation, the two places that need it.
type revealer interface{ revealed() any }

func reveal(v any) any {
	if r, ok := v.(revealer); ok {
		return r.revealed()
	}
	return v
}
