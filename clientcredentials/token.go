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

// String returns the token's type, scopes and expiry.
func (t *Token) String() string {
	if t == nil {
		return "<nil>"
	}
	return fmt.Sprintf("%s %s scopes=%q expiry=%s", t.Type, redacted, t.Scopes, t.Expiry.Format(time.RFC3339))
}

// Format prints [Token.String] for every verb, so that no verb reaches the fields.
func (t *Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.String()) }

// LogValue is a group of type, scopes and expiry.
func (t *Token) LogValue() slog.Value {
	if t == nil {
		return slog.StringValue("<nil>")
	}
	return slog.GroupValue(slog.String("type", t.Type), slog.Any("scopes", t.Scopes), slog.Time("expiry", t.Expiry))
}

// MarshalJSON returns [Token.String] as a JSON string: a token that is written down is a token that leaks.
func (t *Token) MarshalJSON() ([]byte, error) { return json.Marshal(t.String()) }
