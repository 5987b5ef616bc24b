package cognito

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"slices"
)

// resetSettings names the settings that an update changed without being told to: those that before had a value, that
// the input leaves out, and that have another value now. It is what surprises people about Cognito's updates, and it is
// logged.
func resetSettings(before, input, after any) []string {
	old, told, now := settings(before), settings(input), settings(after)
	delete(old, "Name") // what the input calls PoolName; an update that leaves it out keeps it
	var names []string
	for name, value := range old {
		_, mentioned := told[name]
		if !mentioned && name != "LastModifiedDate" && !bytes.Equal(value, now[name]) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
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
		s.config.Logger.Info("the update reset settings that it did not mention",
			slog.String("pool", d.changes[0].PoolID), slog.String("kind", string(d.changes[0].Kind)),
			slog.String("id", d.changes[0].ID), slog.Any("settings", d.reset))
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
