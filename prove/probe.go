package prove

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
)

// probeHeader has the scopes that a dry-run probe asks about, and the verdict in its answer: see docs/probe.md.
const probeHeader = "Countersign-Probe"

// wantsProbe says whether the guard is to be asked about a case: instead of a call that changes things, or instead of a near miss that
// only the issuer could sign.
func (r *runner) wantsProbe(c Case) bool {
	switch {
	case r.cfg.Probe == "":
		return false
	case c.near:
		_, asked := nearMiss(c)
		return asked && r.cfg.Signer == nil
	}
	return len(c.Answers) == 0 && changesThings(c.Route.Method)
}

// nearMiss is the scopes of a bad token that has nothing else wrong.
func nearMiss(c Case) (scopes []string, ok bool) {
	value, ok := c.Make.Claims["scope"]
	if !ok || len(c.Make.Claims) > 1 || c.Make.Header != nil || c.Make.AddClaims != "" {
		return nil, false
	}
	switch string(value) {
	case "null", `""`:
		return nil, true
	}
	scopes = changedScopes(c.Make, c.Scopes, c.gate.resource)
	return scopes, scopes != nil
}

// prepareProbe has the token of the probe for a case, or why there can be none. A guard that does not know the probe sees a request with this token and
// nothing else; so it must be one that the route refuses.
func (r *runner) prepareProbe(ctx context.Context, c *Case) (token, unprovable string, err error) {
	scope := r.cfg.Policy.FullScope(r.cfg.Probe)
	switch {
	case isOpen(c.Route.Rule):
		return "", "the rule lets everyone in: a " + cmp.Or(c.Route.Method, "write") + " that a guard does not take for a probe would be one that changes things", nil
	case c.Make.changes() && !c.near:
		return "", "a probe is decided for its own client", nil
	case c.gate.admits([]string{scope}):
		return "", "the rule lets in the probe's own token: where the probe is not known, the request would be let in", nil
	}
	if reason := r.wallet.unmintable([]string{scope}); reason != "" {
		return "", reason, nil
	}
	if token, err = r.mint(ctx, []string{scope}); err != nil {
		return "", "", err
	}
	p, opaque := takeApart(token)
	switch {
	case opaque != nil:
		return "", "the probe's token is no JWT: what else it is good for cannot be seen", nil
	case c.gate.named(p.client):
		return "", "the probe's client is one that the rule names", nil
	}
	if c.probe, c.asked = true, c.Scopes; c.near {
		c.asked, _ = nearMiss(*c)
	}
	return token, "", nil
}

// judgeProbe is judge for the answer to a probe, which is a refusal with a verdict.
func (c Case) judgeProbe(res *http.Response) (state State, got, note string) {
	verdict, want := strings.Join(res.Header.Values(probeHeader), ", "), "allow"
	if c.near {
		want = "deny"
	}
	got = gotten(res.StatusCode, bearerChallenge(res.Header.Values("WWW-Authenticate")))
	switch {
	case res.StatusCode < 400:
		return Different, got, "let in a token that is good for nothing but probes"
	case verdict == want:
		return Proved, "probe: " + verdict, ""
	case verdict == "allow":
		return Different, "probe: allow", "the guard would admit it, though it must be refused"
	case verdict == "deny":
		return Different, "probe: deny", "the guard would refuse it, though the policy admits it"
	case verdict != "":
		return NotRun, got, "the guard was asked and did not decide: " + verdict
	case res.StatusCode == http.StatusUnauthorized:
		return NotRun, got, "the probe's token is not believed"
	case res.StatusCode == http.StatusForbidden:
		return NotRun, got, "nobody decided: the guard has no ProbeScope, or something in front of it answered"
	}
	if note = notAdmitted(res.StatusCode); note == "" {
		return NotRun, got, "nobody decided"
	}
	return Different, got, note
}

// checkProbe says what speaks against the scope of the probe.
func (c *Config) checkProbe(problem func(format string, args ...any)) {
	if c.Probe == "" {
		return
	}
	if slices.Contains(universe(c.Policy), c.Policy.FullScope(c.Probe)) {
		problem("Probe is %q, for which a rule of the policy asks", c.Probe)
	}
}
