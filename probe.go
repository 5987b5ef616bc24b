package countersign

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/internal/oauth"
)

// This file is the dry-run probe: who has the scope of Config.ProbeScope may ask what the guard would decide about a token with
// other scopes. docs/probe.md is its threat model. Nothing here calls a handler, and every answer is a refusal.

// probeHeader has the scopes that are asked about, and in the answer the verdict.
const probeHeader = "Countersign-Probe"

// Bounds of a probe.
const (
	maxProbeAge    = 15 * time.Minute // of the probe's token, by its iat, however long it is valid
	maxProbeHeader = 4 << 10
)

// Probed is the decision of an event that was a dry-run probe: neither let in nor turned away, only asked about.
const Probed Decision = "probe"

// probeVerdict is the closed set of what a probe is answered.
type probeVerdict string

const (
	probeAllow     probeVerdict = "allow"
	probeDeny      probeVerdict = "deny"
	probeTooOld    probeVerdict = "too-old"
	probeMixed     probeVerdict = "mixed"
	probeMalformed probeVerdict = "malformed"
)

// checkProbe says what is wrong with the scope of the probe.
func (c Config) checkProbe() error {
	if c.ProbeScope != "" && !oauth.ValidScopeToken(c.ProbeScope) {
		return fmt.Errorf("ProbeScope %q is not a scope name (RFC 6749, Section 3.3)", c.ProbeScope)
	}
	return nil
}

// checkProbe holds rules to not asking for the probe's scope: a captured probe would then be a call.
func (g *Guard) checkProbe(route Route) {
	for _, need := range route.Rule.needs {
		if g.probeScope != "" && slices.Contains(need.Scopes, g.probeScope) {
			panic(startUpAt(route.Source, fmt.Sprintf("%s: the scope %q is Config.ProbeScope and grants nothing; write another one",
				cmp.Or(route.Pattern, "Require"), g.probeScope)))
		}
	}
}

// isProbe reports whether the request only asks. It is called after the decision about the request and with the token that was
// verified for it, so that to a stranger the header makes no difference in what is done, and none in what is answered.
func (g *Guard) isProbe(r *http.Request, v *verified) bool {
	_, asked := r.Header[probeHeader]
	return asked && v != nil && v.trust == g.primary && v.caller.HasScope(g.probeScope)
}

// answerProbe refuses the request as the probe's own token is refused on this route, and adds the verdict. A success would be an
// admission to whoever asks the guard by its status, as proxies do.
func (h *guarded) answerProbe(w http.ResponseWriter, r *http.Request, v *verified, cached bool, now time.Time) {
	g := h.guard
	asked, verdict := g.probe(r.Header[probeHeader], v, &h.route.Rule, now)
	refused := g.judge(v, &h.route.Rule)
	if refused == nil {
		refused = refuse(InsufficientScope)
	}
	d := decision{id: newDecisionID(), route: &h.route, verified: v, cached: cached, refused: refused, start: now}
	g.recordProbe(r, &d, asked, verdict)
	w.Header().Set(probeHeader, string(verdict))
	g.writeRefusal(w, r, refused, d.id)
}

// probe decides about a token like v that has the scopes of the header instead of its own.
func (g *Guard) probe(header []string, v *verified, rule *Rule, now time.Time) (asked []string, verdict probeVerdict) {
	var issued float64
	if v.caller.Claim("iat", &issued) != nil || float64(now.Unix())-issued > maxProbeAge.Seconds()+float64(v.trust.leeway) {
		return nil, probeTooOld
	}
	// A token that is good for something else too would be worth capturing.
	if v.caller.StringClaim("scope") != v.trust.fullScope(g.probeScope) {
		return nil, probeMixed
	}
	if len(header) != 1 || len(header[0]) > maxProbeHeader {
		return nil, probeMalformed
	}
	asked, err := v.trust.scopesOf(header[0])
	if err != nil {
		return nil, probeMalformed
	}
	like := &verified{trust: v.trust, caller: Caller{ClientID: v.caller.ClientID, Scopes: asked}}
	like.meant = len(asked) > 0 || v.trust.audience != "" || hasAudience(v.caller, v.trust.resource)
	if rule.IsPublic() || rule.report || like.decide(rule) == "" {
		return asked, probeAllow
	}
	return asked, probeDeny
}

// scopesOf are the scopes of this resource in a scope claim, as a token that has it would have them.
func (t *trust) scopesOf(claim string) (names []string, err error) {
	if claim == "" {
		return nil, nil
	}
	all, err := oauth.ParseScope(claim)
	for _, full := range all {
		// Cognito: a scope's name has no slash; see appendScopes.
		if name := full[strings.LastIndexByte(full, '/')+1:]; t.profile == RFC9068 {
			names = append(names, full)
		} else if name != "" && t.fullScope(name) == full {
			names = append(names, name)
		}
	}
	return names, err
}

// hasAudience reports whether aud, a string or an array of them, names the resource.
func hasAudience(c Caller, resource string) bool {
	var list []string
	if c.Claim("aud", &list) != nil {
		list = []string{c.StringClaim("aud")}
	}
	return slices.Contains(list, resource)
}

// recordProbe is record for a probe: an audit line of its own, at a level that is on, and an event that counts as no decision about
// a call.
func (g *Guard) recordProbe(r *http.Request, d *decision, asked []string, verdict probeVerdict) {
	event := DecisionEvent{
		ID: d.id, Decision: Probed, Status: d.refused.Status, Route: d.pattern(r), Method: knownMethod(r.Method),
		Issuer: d.verified.trust.issuer, ClientID: d.verified.caller.ClientID, Cached: d.cached, Duration: g.now().Sub(d.start), Ahead: d.verified.ahead,
	}
	if g.observer != nil {
		g.observer.Decision(r.Context(), event)
	}
	g.logger.LogAttrs(r.Context(), slog.LevelInfo, "countersign: probe", append([]slog.Attr{
		slog.String("decision", string(Probed)),
		slog.String("verdict", string(verdict)),
		slog.Any("asked", asked),
		slog.String("route", event.Route),
		slog.String("method", event.Method),
		slog.String("rule", d.route.Rule.String()),
		slog.String("decision_id", d.id),
	}, d.verified.attrs()...)...)
}
