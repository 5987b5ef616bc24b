package countersign

import (
	"context"
	"net/http"
	"time"
)

// guarded is a handler behind its rule. It is the one way from a request to a handler.
type guarded struct {
	guard *Guard
	mux   *Mux // nil behind Require
	route Route
	next  http.Handler
}

// ServeHTTP authenticates, decides, and serves or refuses.
func (h *guarded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.twoReadings(r) {
		// Report lets nobody in here: it is about its own rule, and the handler would read another one's path.
		d := decision{id: newDecisionID(), route: &h.route, refused: refuse(AmbiguousPath), start: h.guard.now()}
		h.guard.record(r, &d)
		h.guard.writeRefusal(w, r, d.refused, d.id)
		return
	}
	if h.route.Rule.IsPublic() {
		h.servePublic(w, r)
		return
	}
	g := h.guard
	now := g.now()
	v, cached, refused := g.admit(r, now, &h.route.Rule)
	if g.probeScope != "" && g.isProbe(r, v) {
		h.answerProbe(w, r, v, cached, now)
		return
	}
	if refused == nil {
		if g.records(r.Context()) {
			g.record(r, &decision{route: &h.route, verified: v, cached: cached, start: now})
		}
		h.serve(w, r, v, now)
		return
	}
	d := decision{id: newDecisionID(), route: &h.route, verified: v, cached: cached, refused: refused, start: now}
	g.record(r, &d)
	if h.route.Rule.report {
		h.serve(w, r, v, now)
		return
	}
	g.writeRefusal(w, r, refused, d.id)
}

// admit is the decision about a request. The verified token is returned with a refusal too, when there is one.
func (g *Guard) admit(r *http.Request, now time.Time, rule *Rule) (*verified, bool, *Error) {
	token, refused := bearer(r)
	if refused != nil {
		return nil, false, refused
	}
	v, cached, refused := g.authenticate(r.Context(), token, now)
	if refused != nil {
		// RFC 6750, Section 3.1: invalid_request when the request is malformed, and a header that is no b64token is.
		// It is asked only now, since a good token is one.
		if refused.Err == MalformedToken && !isB64Token(token) {
			refused = refuse(MalformedRequest)
		}
		return nil, false, refused
	}
	return v, cached, g.judge(v, rule)
}

// serve calls the handler with the caller in the request's context.
func (h *guarded) serve(w http.ResponseWriter, r *http.Request, v *verified, now time.Time) {
	if v == nil {
		// Report let the request in without a good token: it has no caller, and none of an outer guard's either.
		h.next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, (*Caller)(nil))))
		return
	}
	ctx := context.WithValue(r.Context(), callerKey{}, &v.caller)
	if h.route.Rule.untilExpiry {
		end := time.Unix(v.deadline, 0)
		limited, cancel := context.WithTimeoutCause(ctx, end.Sub(now), Expired)
		defer cancel()
		ctx = limited
	}
	h.next.ServeHTTP(w, r.WithContext(ctx))
}

// noWait is a context that is over, for callers who take a key that is at hand and wait for none.
var noWait = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// servePublic lets everyone in. A good token makes its sender the caller; anything else is as no token. It never waits for
// the issuer: a liveness probe must not fail because the issuer is down.
func (h *guarded) servePublic(w http.ResponseWriter, r *http.Request) {
	if token, refused := bearer(r); refused == nil {
		now := h.guard.now()
		if v, cached, refused := h.guard.authenticate(noWait, token, now); refused == nil {
			if h.guard.probeScope != "" && h.guard.isProbe(r, v) {
				h.answerProbe(w, r, v, cached, now)
				return
			}
			h.serve(w, r, v, now)
			return
		}
	}
	if r.Context().Value(callerKey{}) != nil {
		r = r.WithContext(context.WithValue(r.Context(), callerKey{}, (*Caller)(nil)))
	}
	h.next.ServeHTTP(w, r)
}
