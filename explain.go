package countersign

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/countersign-dev/countersign/internal/jose"
	"github.com/countersign-dev/countersign/internal/oauth"
)

// Explanation is every check of one token, in the order of the verification. It shows what the token claims, which a
// [Guard]'s log and answers never do, and is therefore for whoever holds the token. It has no part of the signature.
type Explanation struct {
	Checks []Check
}

// Check is one check of an [Explanation].
type Check struct {
	Name   string // what is checked, such as "exp"
	Clause string // where it is asked for
	Want   string // what would pass
	Got    string // what the token has
	OK     bool
	Reason Reason // of the refusal, when it does not pass
}

// Refused is the reason for which the guard refuses the token: that of the first check that fails. It is empty when
// the guard lets it in.
func (e Explanation) Refused() Reason {
	for _, check := range e.Checks {
		if !check.OK {
			return check.Reason
		}
	}
	return ""
}

// String writes the check in one line.
func (c Check) String() string {
	verdict := "ok  "
	if !c.OK {
		verdict = "FAIL"
	}
	return fmt.Sprintf("%s  %-10s  want %s, got %s  (%s)", verdict, c.Name, c.Want, c.Got, c.Clause)
}

func (e *Explanation) check(reason Reason, name, clause, want, got string, ok bool) bool {
	e.Checks = append(e.Checks, Check{name, clause, want, got, ok, reason})
	if ok {
		e.Checks[len(e.Checks)-1].Reason = ""
	}
	return ok
}

// Explain runs the checks of a token's form, which need neither issuer nor key: size, shape, encoding, header and claims. A token
// that passes may still be refused; [Guard.Explain] runs all checks.
func Explain(token string) Explanation {
	e, parts, _, ok := explainForm(token)
	if ok {
		e.form(parts)
	}
	return e
}

// explainForm reads a token up to its claims, as far as it can be read.
func explainForm(token string) (e Explanation, parts jose.Token, c claims, ok bool) {
	e.Checks = make([]Check, 0, 20)
	if !e.check(MalformedToken, "size", "limit of this package",
		fmt.Sprintf("at most %d bytes", maxToken), fmt.Sprintf("%d bytes", len(token)), len(token) <= maxToken) {
		return e, parts, c, false
	}
	parts, ok = jose.Split(token)
	shape := fmt.Sprintf("%d parts", strings.Count(token, ".")+1)
	if !ok && strings.Count(token, ".") == 2 {
		shape += ", an empty one among them"
	}
	if !e.check(MalformedToken, "shape", "RFC 7515, Section 7.1", "three parts, none empty", shape, ok) {
		return e, parts, c, false
	}
	payload, ok := jose.AppendDecode(nil, []byte(parts.Payload))
	if !e.check(MalformedToken, "payload", "RFC 7515, Section 2", "base64url to the letter", exactness(ok), ok) {
		return e, parts, c, false
	}
	c, ok = readClaims(payload)
	ok = e.check(BadClaims, "claims", "RFC 7519, Sections 4 and 7.2",
		"a JSON object with exact, unique names and the right types", exactness(ok), ok)
	return e, parts, c, ok
}

// Explain runs every check of the verification and of the rule on the token, even after one has failed, as far as they can
// be run at all. It says whom the guard would let in, and decides nothing itself.
func (g *Guard) Explain(ctx context.Context, token string, rule Rule) Explanation {
	e, parts, c, ok := explainForm(token)
	if !ok {
		return e
	}
	t := g.issuers[string(c.issuer)]
	if !e.check(BadIssuer, "iss", "RFC 8725, Section 3.8", "one of "+quoteAll(g.issuerForms()), strconv.Quote(string(c.issuer)), t != nil) {
		return e
	}
	header, ok := e.header(t, parts)
	if !ok {
		return e
	}
	v := &verified{trust: t}
	okScope := e.claims(t, &c, v, g.now())
	e.key(ctx, t, header, token, parts)
	if okScope {
		e.rule(v, rule)
	}
	return e
}

// form reads the header.
func (e *Explanation) form(parts jose.Token) (jose.Header, bool) {
	text, ok := jose.AppendDecode(nil, []byte(parts.Header))
	if !e.check(MalformedToken, "header", "RFC 7515, Section 2", "base64url to the letter", exactness(ok), ok) {
		return jose.Header{}, false
	}
	h, err := jose.ParseHeader(string(text))
	ok = e.check(BadHeader, "header", "RFC 7515, Sections 4 and 4.1.11", "alg, and no crit, b64 or zip", exactness(err == nil), err == nil)
	return h, ok
}

func (e *Explanation) header(t *trust, parts jose.Token) (jose.Header, bool) {
	h, ok := e.form(parts)
	if !ok {
		return h, false
	}
	var allowed []string
	for _, alg := range t.algorithms {
		allowed = append(allowed, string(alg))
	}
	e.check(BadAlgorithm, "alg", "RFC 8725, Section 3.1",
		"one of "+quoteAll(allowed), strconv.Quote(string(h.Algorithm)), slices.Contains(t.algorithms, h.Algorithm))
	want := "at+jwt"
	if t.profile == Cognito {
		want = "none, JWT or at+jwt"
	}
	okTyp := t.checkHeader(jose.Header{Algorithm: t.algorithms[0], Type: h.Type}) == ""
	e.check(BadHeader, "typ", "RFC 9068, Section 4", want, strconv.Quote(h.Type), okTyp)
	return h, true
}

// claims explains checkClaims and describe, and reports whether the scopes could be read.
func (e *Explanation) claims(t *trust, c *claims, v *verified, now time.Time) bool {
	e.check(BadClaims, "client_id", "RFC 9068, Section 2.2", "the client's name", strconv.Quote(string(c.clientID)), len(c.clientID) > 0)
	e.check(BadClaims, "sub", "RFC 9068, Section 2.2", "the subject's name", strconv.Quote(string(c.subject)), len(c.subject) > 0)
	date := func(seconds int64, there bool) string {
		if !there {
			return "none"
		}
		return time.Unix(seconds, 0).UTC().Format(time.RFC3339)
	}
	if e.check(BadClaims, "exp", "RFC 9068, Section 2.2", "a date", date(c.expiry, c.hasExpiry), c.hasExpiry) {
		e.check(Expired, "exp", "RFC 7519, Section 4.1.4",
			"after "+date(now.Unix()-t.leeway, true), date(c.expiry, true), now.Unix() < c.expiry+t.leeway)
	}
	if c.hasNotBefore {
		e.check(NotYetValid, "nbf", "RFC 7519, Section 4.1.5",
			"not after "+date(now.Unix()+t.leeway, true), date(c.notBefore, true), now.Unix() >= c.notBefore-t.leeway)
	}
	if t.profile == RFC9068 {
		e.check(BadClaims, "iat", "RFC 9068, Section 2.2", "a date", date(c.issuedAt, c.hasTime), c.hasTime)
		e.check(BadClaims, "jti", "RFC 9068, Section 2.2", "an identifier", presence(len(c.id) > 0), len(c.id) > 0)
		e.check(BadTokenUse, "token_use", "RFC 8725, Section 3.12",
			`none or "access"`, strconv.Quote(string(c.tokenUse)), len(c.tokenUse) == 0 || string(c.tokenUse) == "access")
	} else {
		e.check(BadTokenUse, "token_use", "Cognito", `"access"`, strconv.Quote(string(c.tokenUse)), string(c.tokenUse) == "access")
	}
	audience := fmt.Sprintf("none, or one with %q", t.resource)
	if t.audience != "" {
		audience = strconv.Quote(t.audience)
	}
	e.check(BadAudience, "aud", "RFC 7519, Section 4.1.3", audience, orNone(c.audience.Raw()), t.audienceMatches(c))
	if t.clients != nil {
		e.check(BadClient, "client_id", "Config.ClientIDs",
			"one of "+quoteAll(t.clients), strconv.Quote(string(c.clientID)), slices.Contains(t.clients, string(c.clientID)))
	}
	ok := v.describe(c, now)
	return e.check(BadClaims, "scope", "RFC 6749, Section 3.3", "scope tokens and single spaces", orNone(c.scope.Raw()), ok)
}

func (e *Explanation) key(ctx context.Context, t *trust, h jose.Header, token string, parts jose.Token) {
	signature, ok := jose.AppendDecode(nil, []byte(parts.Signature))
	if !e.check(MalformedToken, "signature", "RFC 7515, Section 2", "base64url to the letter", exactness(ok), ok) {
		return
	}
	if !slices.Contains(t.algorithms, h.Algorithm) {
		return // no key is asked for an algorithm that is not allowed
	}
	key, err := t.keys.key(ctx, h.KeyID, h.Algorithm)
	if err != nil {
		refused := refuseKey(err)
		reason := UnknownKey
		if refused.Code == oauth.TemporarilyUnavailable {
			reason = KeysUnavailable
		}
		e.check(reason, "kid", "RFC 7515, Section 4.1.4", "a key of "+t.issuer+" for "+string(h.Algorithm), strconv.Quote(h.KeyID), false)
		return
	}
	e.check(UnknownKey, "kid", "RFC 7515, Section 4.1.4", "a key of "+t.issuer+" for "+string(h.Algorithm), strconv.Quote(h.KeyID), true)
	input := token[:len(parts.Header)+1+len(parts.Payload)]
	good := key.Verify(h.Algorithm, []byte(input), signature) == nil
	got := "not good"
	if good {
		got = "good"
	}
	e.check(BadSignature, "signature", "RFC 7515, Section 5.2", "good under the key", got, good)
}

func (e *Explanation) rule(v *verified, rule Rule) {
	if rule.IsPublic() {
		e.check("", "rule", "Rule", rule.String(), "anyone", true)
		return
	}
	reason := v.decide(&rule)
	if !v.meant {
		e.check(reason, "resource", "RFC 8725, Section 3.9", "a scope of "+v.trust.resource, "none", false)
	}
	var full []string
	for _, name := range v.caller.Scopes {
		full = append(full, v.trust.fullScope(name))
	}
	got := quoteAll(full)
	if got == "" {
		got = "no scope"
	}
	e.check(reason, "rule", "RFC 6750, Section 3.1", rule.String(), got+" of client "+strconv.Quote(v.caller.ClientID), reason == "")
}

func (g *Guard) issuerForms() []string {
	var forms []string
	for form := range g.issuers {
		forms = append(forms, form)
	}
	slices.Sort(forms)
	return forms
}

func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = strconv.Quote(name)
	}
	return strings.Join(quoted, " ")
}

func exactness(ok bool) string {
	if ok {
		return "exact"
	}
	return "not exact"
}

func presence(there bool) string {
	if there {
		return "one"
	}
	return "none"
}

// orNone is a claim as it stands in the token, but for characters that a terminal would obey: the token is a stranger's.
func orNone(raw []byte) string {
	if len(raw) == 0 {
		return "none"
	}
	return strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return unicode.ReplacementChar
		}
		return c
	}, string(raw))
}
