package clientcredentials

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"time"
)

const redacted = "<redacted>"

// Token is an access token. It is shared by all callers of a [Source] and must not be changed.
// However it is printed, logged or marshalled, the access token itself reads "<redacted>";
// the AccessToken field is the only way to it.
type Token struct {
	AccessToken string    // what goes after "Bearer " in the Authorization header
	Type        string    // always "Bearer"
	Expiry      time.Time // the earliest end that the answer and the token itself name
	Scopes      []string  // as granted: the answer's scope, or the token's, or the ones that were asked for
}

// String returns the token's type, the number of its scopes and its expiry. The scopes' names are an issuer's
// own words, and so not for a log.
func (t Token) String() string {
	return fmt.Sprintf("%s %s scopes=%d expiry=%s", t.Type, redacted, len(t.Scopes), t.Expiry.Format(time.RFC3339))
}

// Format prints [Token.String] for every verb, so that no verb reaches the fields.
func (t Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.String()) }

// LogValue is a group of what [Token.String] has.
func (t Token) LogValue() slog.Value {
	return slog.GroupValue(slog.String("type", t.Type), slog.Int("scopes", len(t.Scopes)), slog.Time("expiry", t.Expiry))
}

// MarshalJSON returns [Token.String] as a JSON string: a token that is written down is a token that leaks.
func (t Token) MarshalJSON() ([]byte, error) { return json.Marshal(t.String()) }
