package cognito

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"slices"
)

// noteReset names the settings that an update changed without being told to: those that before had a value, that the input
// leaves out, and that have another value now. It is what surprises people about Cognito's updates, and it is logged.
func (d *draft) noteReset(before, input, after any) {
	old, now := settings(before), settings(after)
	delete(old, "Name") // what the input calls PoolName; an update that leaves it out keeps it
	for name, value := range old {
		if !d.mentions(input, name) && name != "LastModifiedDate" && !bytes.Equal(value, now[name]) {
			d.reset = append(d.reset, name)
		} else {
			delete(old, name)
		}
	}
	slices.Sort(d.reset)
	d.lost = old
}

// asLogged is settings as one line of JSON, as long as a person reads.
func asLogged(settings map[string]json.RawMessage) string {
	text, _ := json.Marshal(settings) // it came out of JSON
	return clip(string(text))
}

type toldKey struct{}

// withTold keeps what a call of the JSON API says, member by member: of a Go value that is false nobody can tell whether
// the caller has said so.
func withTold(ctx context.Context, members map[string]any) context.Context {
	return context.WithValue(ctx, toldKey{}, members)
}

// alwaysWritten are the settings that have no omitempty, since answers always show them. In Go, false leaves them out.
var alwaysWritten = []string{"AllowedOAuthFlowsUserPoolClient", "EnablePropagateAdditionalUserContextData"}

// mentions reports whether the caller gave the setting a value.
func (d *draft) mentions(input any, name string) bool {
	if d.told != nil {
		_, ok := d.told[name]
		return ok
	}
	value, ok := settings(input)[name]
	return ok && !(slices.Contains(alwaysWritten, name) && string(value) == "false")
}

// settings takes a structure apart into its members. Secrets are redacted on this way, and compare equal.
func settings(v any) map[string]json.RawMessage {
	members := make(map[string]json.RawMessage)
	if b, err := json.Marshal(v); err == nil {
		_ = json.Unmarshal(b, &members) // a structure that has been marshalled is an object
	}
	return members
}

// tell logs what the rule has to say about the write, once it is done, and puts the write on record.
func (s *Service) tell(ctx context.Context, d *draft) {
	if len(d.reset) > 0 {
		by, _ := ctx.Value(callKey{}).(call)
		s.config.Logger.Info("the update reset settings that it did not mention",
			slog.String("request_id", by.requestID), slog.String("operation", d.operation),
			slog.String("pool", d.changes[0].PoolID), slog.String("kind", string(d.changes[0].Kind)),
			slog.String("id", d.changes[0].ID), slog.Any("settings", d.reset), slog.String("were", asLogged(d.lost)))
	}
	for _, r := range d.changes {
		if p := s.current.Load().pools[r.PoolID]; r.Kind == KindPool && p != nil {
			s.warnUncalled(ctx, &p.UserPool)
		}
	}
	if s.config.Audit != nil {
		s.config.Audit(d.event(ctx))
	}
}

// detach returns a deep copy, which a caller may change: the snapshot is shared by all.
func detach[T any](v T) T {
	var out T
	if b, err := json.Marshal(v); err == nil {
		_ = json.Unmarshal(b, &out) // it was read from JSON before
	}
	return out
}
