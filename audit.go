package countersign

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"
)

// decision is what is recorded of one decision.
type decision struct {
	id       string
	route    *Route
	verified *verified // nil when the token did not verify
	cached   bool
	refused  *Error // nil when it was allowed
	start    time.Time
}

// newDecisionID is the name of a refusal, in the answer and in the log. It is random, so that it tells nothing.
func newDecisionID() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// records reports whether anybody wants to know of a request that was allowed.
func (g *Guard) records(ctx context.Context) bool {
	return g.observer != nil || g.logger.Enabled(ctx, slog.LevelDebug)
}

func (d *decision) outcome(ctx context.Context) (Decision, slog.Level) {
	switch {
	case d.refused == nil:
		return Allow, slog.LevelDebug
	case d.route.Rule.report && d.refused.Err != AmbiguousPath:
		return WouldDeny, slog.LevelWarn
	case d.refused.Status == http.StatusServiceUnavailable && ctx.Err() != nil:
		return Unable, slog.LevelInfo // the caller left while the keys were fetched: nothing is wrong here
	case d.refused.Status == http.StatusServiceUnavailable:
		return Unable, slog.LevelWarn
	}
	return Deny, slog.LevelInfo
}

// record tells the observer and writes the audit line. Of the token it has what was verified, without what could be used: no part of
// the token, and of jti a hash, by which two lines about one token can be found.
func (g *Guard) record(r *http.Request, d *decision) {
	outcome, level := d.outcome(r.Context())
	event := DecisionEvent{
		ID: d.id, Decision: outcome, Route: d.pattern(r), Method: knownMethod(r.Method),
		Cached: d.cached, Duration: g.now().Sub(d.start),
	}
	if d.refused != nil {
		event.Status = d.refused.Status
		errors.As(d.refused.Err, &event.Reason)
	}
	if d.verified != nil {
		event.Issuer, event.ClientID, event.Ahead = d.verified.trust.issuer, d.verified.caller.ClientID, d.verified.ahead
	}
	if g.observer != nil {
		g.observer.Decision(r.Context(), event)
	}
	if !g.logger.Enabled(r.Context(), level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("decision", string(event.Decision)),
		slog.String("route", event.Route),
		slog.String("method", event.Method),
		slog.String("rule", d.route.Rule.String()),
	}
	if d.refused != nil {
		attrs = append(attrs, slog.String("decision_id", d.id), slog.String("reason", string(event.Reason)), slog.Int("status", event.Status))
		if event.Reason == KeysUnavailable {
			attrs = append(attrs, slog.String("error", d.refused.Err.Error()))
		}
	}
	g.logger.LogAttrs(r.Context(), level, "countersign: decision", append(attrs, d.verified.attrs()...)...)
}

func (v *verified) attrs() []slog.Attr {
	if v == nil {
		return nil
	}
	attrs := []slog.Attr{
		slog.String("issuer", v.trust.issuer),
		slog.String("client_id", v.caller.ClientID),
		slog.Any("scopes", slices.Clone(v.caller.Scopes)),
		slog.Time("token_exp", v.caller.Expiry),
	}
	if v.id != "" {
		sum := sha256.Sum256([]byte(v.id))
		attrs = append(attrs, slog.String("token_id", hex.EncodeToString(sum[:8])))
	}
	return attrs
}

// pattern names the route: its own pattern, or for a rule of Require that of the router, if it is net/http's.
func (d *decision) pattern(r *http.Request) string {
	if d.route.Pattern != "" {
		return d.route.Pattern
	}
	return r.Pattern
}

// knownMethod keeps a sender from inventing names for logs and metrics.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions, http.MethodConnect, http.MethodTrace:
		return method
	}
	return "other"
}
