package countersign

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/internal/jose"
)

// This file is the way of a token, from its bytes to the decision: shape, claims, issuer, header, limits, key,
// signature, rule. Everything that refuses cheaply stands before the signature, so that a bad token costs its
// sender more than us; nothing that a token says is believed before the signature, and the one document whose signature
// was verified is the one whose claims are used: it is read once.
//
// Where the lists of the RFCs are kept:
//
//	RFC 7515, Section 5.2, steps 1 to 8   in verify, a step at each line; step 9 is of serializations that are refused
//	RFC 7519, Section 7.2, steps 1 to 10  are these, and readClaims; step 8, a nested JWT, has no claims and is refused
//	RFC 9068, Section 4                   typ in checkHeader, iss and signature in verify, aud and exp in checkClaims
//	RFC 8725, Section 3                   3.1 and 3.11 in checkHeader, 3.8 in verify, 3.9 in decide, 3.12 in checkClaims;
//	                                      3.2 to 3.7 and 3.10 in internal/jose
//	RFC 6750, Section 2                   in bearer.go; Section 3 in errors.go and challenge.go
//
// docs/guard.md has every check with its file. RFC 7515, Section 5.2: "The order of the steps is not significant in cases where there
// are no dependencies between the inputs and outputs of the steps."

// trust is one issuer that the guard believes, with everything that is bound to it: a token of this issuer is held to these
// limits and verified with these keys, and with no others (RFC 8725, Sections 3.8 and 3.9).
type trust struct {
	issuer     string   // as configured: the name in logs and events
	forms      []string // of iss: a Cognito pool has two
	profile    Profile
	audience   string
	resource   string
	algorithms []jose.Algorithm
	clients    []string
	leeway     int64 // seconds
	keys       keySource
	headers    headerCache
}

// verified is a token that passed, and what the guard keeps of it. What every hit reads stands first, in one cache line.
type verified struct {
	token      string
	trust      *trust
	generation uint64 // of the keys that verified it
	deadline   int64  // seconds since 1970; from then on it is expired
	meant      bool   // for this resource, by its audience or by a scope
	caller     Caller
	names      [4]string // the first scopes, so that most tokens need no array of their own
	kept       string    // the memory of the caller's strings and of id
	id         string    // jti
	ahead      time.Duration
}

// usable reports whether the verdict still holds: the token has not ended and its key was not withdrawn.
func (v *verified) usable(now int64) bool {
	return now < v.deadline && v.generation == v.trust.keys.generation()
}

func (v *verified) size() int64 { return int64(len(v.token) + len(v.kept) + entryBytes) }

// authenticate is who sent the token, from the cache or by verifying it.
func (g *Guard) authenticate(ctx context.Context, token string, now time.Time) (*verified, bool, *Error) {
	if v := g.cache.get(token, now.Unix()); v != nil {
		return v, true, nil
	}
	v, err := g.verify(ctx, token, now)
	if err != nil {
		return nil, false, err
	}
	g.cache.put(v, now.Unix())
	return v, false, nil
}

// verify is the whole verification of one access token (RFC 7515, Section 5.2; RFC 7519, Section 7.2; RFC 9068, Section 4).
func (g *Guard) verify(ctx context.Context, token string, now time.Time) (*verified, *Error) {
	// Shape. The size comes first: nothing below runs in proportion to more than this.
	if len(token) > maxToken {
		return nil, refuse(MalformedToken)
	}
	parts, ok := jose.Split(token) // RFC 7515, Section 5.2, step 1
	if !ok {
		return nil, refuse(MalformedToken)
	}
	work := borrow(token)
	defer work.giveBack()
	payload, ok := work.decode(len(parts.Header)+1, len(parts.Payload)) // step 6
	if !ok {
		return nil, refuse(MalformedToken)
	}

	// Claims, read but not believed. They choose the issuer whose keys are asked, and may be refused already.
	c, ok := readClaims(payload) // RFC 7519, Section 7.2, step 10
	if !ok {
		return nil, refuse(BadClaims)
	}
	// Issuer. RFC 8725, Section 3.8, and RFC 9068, Section 4: it must match exactly. One that is not on the list causes
	// no network traffic: a token cannot make us fetch from an address of its own.
	t := g.issuers[string(c.issuer)]
	if t == nil {
		return nil, refuse(BadIssuer)
	}
	header, reason := t.readHeader(parts.Header, work) // RFC 7515, Section 5.2, steps 2 to 5
	if reason == "" {
		reason = t.checkHeader(header)
	}
	if reason != "" {
		return nil, refuse(reason)
	}
	if reason := t.checkClaims(&c, now.Unix()); reason != "" {
		return nil, refuse(reason)
	}
	signature, ok := work.decode(len(parts.Header)+1+len(parts.Payload)+1, len(parts.Signature)) // step 7
	if !ok {
		return nil, refuse(MalformedToken)
	}
	v := &verified{token: token, trust: t, deadline: c.expiry + t.leeway}
	if !v.describe(&c, now) {
		return nil, refuse(BadClaims)
	}

	// Key. The generation is read first: a key that is withdrawn between the two makes the verdict old, not the reverse.
	v.generation = t.keys.generation()
	key, err := t.keys.key(ctx, header.KeyID, header.Algorithm)
	if err != nil {
		return nil, refuseKey(err)
	}
	// Signature. RFC 7515, Section 5.2, step 8: over the encoded header and payload as they came. RFC 9068, Section 4: with a
	// key of the issuer, and never "none".
	input := work.buf[:len(parts.Header)+1+len(parts.Payload)]
	if key.Verify(header.Algorithm, input, signature) != nil {
		return nil, refuse(BadSignature)
	}
	t.headers.put(parts.Header, header)
	return v, nil
}

// readHeader reads the protected header, unless a token with the same one was verified before.
func (t *trust) readHeader(encoded string, work *workspace) (jose.Header, Reason) {
	if header, ok := t.headers.get(encoded); ok {
		return header, ""
	}
	text, ok := work.decode(0, len(encoded))
	if !ok {
		return jose.Header{}, MalformedToken
	}
	header, err := jose.ParseHeader(string(text))
	if err != nil {
		return jose.Header{}, BadHeader
	}
	return header, ""
}

// checkHeader refuses what the issuer's tokens never say of themselves.
func (t *trust) checkHeader(h jose.Header) Reason {
	// RFC 8725, Section 3.1: the algorithm is ours to choose, from a list. "none" and HMAC cannot be on it.
	if !slices.Contains(t.algorithms, h.Algorithm) {
		return BadAlgorithm
	}
	// RFC 7515, Section 4.1.9: a media type, whose case does not matter and whose "application/" may be left out.
	typ := strings.ToLower(h.Type)
	typ = strings.TrimPrefix(typ, "application/")
	switch {
	case typ == "at+jwt":
		return ""
	case t.profile == Cognito && (typ == "" || typ == "jwt"):
		return "" // Cognito: there is no typ; token_use says what the token is for
	}
	// RFC 9068, Section 4: reject any other typ. RFC 8725, Section 3.11: a token of another kind, such as a logout
	// token, stays one.
	return BadHeader
}

// checkClaims refuses what is not an access token of this issuer for this resource at this time.
func (t *trust) checkClaims(c *claims, now int64) Reason {
	// RFC 9068, Section 2.2: sub, client_id and exp are required. Cognito has them always. A token without an end would never be
	// refused, and without a client no rule and no log could name its holder.
	if len(c.clientID) == 0 || len(c.subject) == 0 || !c.hasExpiry {
		return BadClaims
	}
	// RFC 7519, Section 4.1.4: "the current date/time MUST be before the expiration date/time".
	if now >= c.expiry+t.leeway {
		return Expired
	}
	// RFC 7519, Section 4.1.5. A future iat refuses nothing: it is a clock's fault, and measured (see describe).
	if c.hasNotBefore && now < c.notBefore-t.leeway {
		return NotYetValid
	}
	switch t.profile {
	case Cognito:
		// Cognito: an ID token has the same issuer and keys, and token_use "id". RFC 8725, Section 3.12: without a rule that
		// only one of the two kinds satisfies, it passes for an access token.
		if string(c.tokenUse) != "access" {
			return BadTokenUse
		}
	case RFC9068:
		// RFC 9068, Section 2.2: iat and jti are required. RFC 8725, Section 3.12: token_use, where there is one, must not
		// say that it is another kind of token.
		if len(c.id) == 0 || !c.hasTime {
			return BadClaims
		}
		if len(c.tokenUse) > 0 && string(c.tokenUse) != "access" {
			return BadTokenUse
		}
	}
	if !t.audienceMatches(c) {
		return BadAudience
	}
	if t.clients != nil && !slices.ContainsFunc(t.clients, func(id string) bool { return id == string(c.clientID) }) {
		return BadClient
	}
	return ""
}

// audienceMatches reports whether aud, where it is required or there, has this resource.
//
// RFC 7519, Section 4.1.3: a token with an aud that does not have us MUST be rejected.
func (t *trust) audienceMatches(c *claims) bool {
	if t.audience != "" {
		return contains(c.audience, t.audience)
	}
	// Cognito: M2M tokens have no aud, and a pre token generation trigger may add one only as the client id. Then the
	// scopes' prefix is the audience: see verified.meant.
	return len(c.audience.Raw()) == 0 || contains(c.audience, t.resource) || contains(c.audience, string(c.clientID))
}

// describe fills in the caller, copying what is kept of the claims into one piece. It is false when the scopes are none.
func (v *verified) describe(c *claims, now time.Time) bool {
	t := v.trust
	var b strings.Builder
	b.Grow(len(c.subject) + len(c.clientID) + len(c.id) + len(c.scope.Raw()))
	b.Write(c.subject)
	b.Write(c.clientID)
	b.Write(c.id)
	if !writeScopes(&b, c.scope) {
		return false
	}
	v.kept = b.String()
	rest := v.kept
	take := func(n int) (part string) {
		part, rest = rest[:n], rest[n:]
		return part
	}
	v.caller = Caller{Issuer: t.form(c.issuer), Expiry: time.Unix(c.expiry, 0), from: v}
	v.caller.Subject, v.caller.ClientID, v.id = take(len(c.subject)), take(len(c.clientID)), take(len(c.id))
	prefix := ""
	if t.profile == Cognito {
		prefix = t.resource + "/"
	}
	var ok bool
	if v.caller.Scopes, ok = appendScopes(v.names[:0], rest, prefix); !ok {
		return false
	}
	v.meant = len(v.caller.Scopes) > 0 || t.audience != "" || contains(c.audience, t.resource)
	if ahead := time.Unix(c.issuedAt, 0).Sub(now); c.hasTime && ahead > 0 {
		v.ahead = ahead
	}
	return true
}

// form is iss as one of the forms in the configuration, one of which it is.
func (t *trust) form(iss []byte) string {
	for _, form := range t.forms {
		if form == string(iss) {
			return form
		}
	}
	return t.issuer
}

// refuseKey tells the two failures of a key source apart: the first is the token's fault, the second is not.
func refuseKey(err error) *Error {
	if errors.Is(err, errUnknownKey) {
		return refuse(UnknownKey)
	}
	e := refuse(KeysUnavailable)
	e.Err = fmt.Errorf("%w: %w", KeysUnavailable, err)
	var keys *keysError
	if errors.As(err, &keys) {
		e.retryAfter = keys.retryAfter
	}
	return e
}

// decide is the last step: may this caller do what the rule is about? The token is good by now; what is refused here is, in the words of
// RFC 6750, Section 3.1, a request that "requires higher privileges than provided by the access token".
func (v *verified) decide(rule *Rule) Reason {
	reason := ClientNotAllowed
	for i := range rule.needs {
		need := &rule.needs[i]
		if need.Client != "" && need.Client != v.caller.ClientID {
			continue
		}
		// RFC 8725, Section 3.9: a token for another resource must not be good here, even where the rule asks for
		// no scope: its holder may be that resource and not the client.
		if v.meant && v.caller.hasAll(need.Scopes) {
			return ""
		}
		reason = InsufficientScope
	}
	return reason
}

func (c *Caller) hasAll(names []string) bool {
	for _, name := range names {
		if !slices.Contains(c.Scopes, name) {
			return false
		}
	}
	return true
}
