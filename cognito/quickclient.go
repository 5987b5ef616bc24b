package cognito

import (
	"bytes"
	"math"
	"time"
)

// A start reads every client that there is, and encoding/json takes 10 µs for each: 100,000 of them take as long as all
// the rest. quickClient reads a body in the form in which this program writes it, and nothing else: no space, no escape,
// no member that it does not know. Whatever is otherwise, encoding/json reads; FuzzQuickClient holds the two together.
//
// common are strings that many clients have, so that they are in memory once; it may be nil.
func quickClient(c *clientBody, body []byte, common commonStrings) bool {
	q := quick{rest: body, common: common}
	q.object(func(name string) { q.client(c, name) })
	return !q.strange && len(q.rest) == 0
}

// commonStrings keeps one copy of each string, as long as they are few.
type commonStrings map[string]string

func (c commonStrings) of(text []byte) string {
	if s, ok := c[string(text)]; ok {
		return s
	}
	s := string(text)
	if c != nil && len(c) < 1<<12 {
		c[s] = s
	}
	return s
}

func (q *quick) client(c *clientBody, name string) {
	switch name {
	case "UserPoolId":
		c.UserPoolID = q.commonText()
	case "ClientName":
		c.ClientName = q.text()
	case "ClientId":
		c.ClientID = q.text()
	case "CreationDate":
		c.CreationDate = q.time()
	case "LastModifiedDate":
		c.LastModifiedDate = q.time()
	case "Secrets":
		q.strange = q.strange || c.Secrets != nil // a second time, which encoding/json merges with the first
		q.list(func() {
			var s secretBody
			q.object(func(name string) { q.secret(&s, name) })
			c.Secrets = append(c.Secrets, s)
		})
		q.strange = q.strange || c.Secrets == nil // an empty list, which is not what no list is
	default:
		q.settings(&c.ClientSettings, name)
	}
}

func (q *quick) secret(s *secretBody, name string) {
	switch name {
	case "ID":
		s.ID = q.text()
	case "Value":
		s.Value = q.text()
	case "Created":
		s.Created = q.time()
	default:
		q.strange = true
	}
}

func (q *quick) settings(s *ClientSettings, name string) {
	switch name {
	case "RefreshTokenValidity":
		s.RefreshTokenValidity = q.number()
	case "AccessTokenValidity":
		s.AccessTokenValidity = q.number()
	case "IdTokenValidity":
		s.IDTokenValidity = q.number()
	case "TokenValidityUnits":
		q.strange = q.strange || s.TokenValidityUnits != nil
		s.TokenValidityUnits = &TokenValidityUnits{}
		q.object(func(name string) { q.units(s.TokenValidityUnits, name) })
	case "ExplicitAuthFlows":
		s.ExplicitAuthFlows = q.texts()
	case "AllowedOAuthFlows":
		s.AllowedOAuthFlows = q.texts()
	case "AllowedOAuthScopes":
		s.AllowedOAuthScopes = q.texts()
	case "AllowedOAuthFlowsUserPoolClient":
		s.AllowedOAuthFlowsUserPoolClient = q.boolean()
	case "EnableTokenRevocation":
		enabled := q.boolean()
		s.EnableTokenRevocation = &enabled
	case "EnablePropagateAdditionalUserContextData":
		s.EnablePropagateAdditionalUserContextData = q.boolean()
	case "AuthSessionValidity":
		s.AuthSessionValidity = q.number()
	default:
		q.strange = true
	}
}

func (q *quick) units(u *TokenValidityUnits, name string) {
	switch name {
	case "AccessToken":
		u.AccessToken = q.text()
	case "IdToken":
		u.IDToken = q.text()
	case "RefreshToken":
		u.RefreshToken = q.text()
	default:
		q.strange = true
	}
}

// A quick is a place in a JSON text. Once it has met something strange, all that it returns means nothing.
type quick struct {
	rest    []byte
	strange bool
	common  commonStrings
}

// take moves behind a text, or finds it strange that it is not there.
func (q *quick) take(text string) {
	if !q.skip(text) {
		q.strange = true
	}
}

func (q *quick) skip(text string) bool {
	if q.strange || len(q.rest) < len(text) || string(q.rest[:len(text)]) != text {
		return false
	}
	q.rest = q.rest[len(text):]
	return true
}

// object calls member at the value of each member; member reads it.
func (q *quick) object(member func(name string)) {
	q.take("{")
	for more := !q.skip("}"); more && !q.strange; more = q.next("}") {
		name := q.commonText()
		q.take(":")
		if !q.strange {
			member(name)
		}
	}
}

// list calls element at each element.
func (q *quick) list(element func()) {
	q.take("[")
	for more := !q.skip("]"); more && !q.strange; more = q.next("]") {
		element()
	}
}

// next reports whether another element follows, or whether the end does.
func (q *quick) next(end string) bool {
	if q.skip(",") {
		return true
	}
	q.take(end)
	return false
}

// raw is a string of visible ASCII characters and spaces without an escape.
func (q *quick) raw() []byte {
	q.take(`"`)
	end := bytes.IndexByte(q.rest, '"')
	if q.strange || end < 0 {
		q.strange = true
		return nil
	}
	text := q.rest[:end]
	for _, c := range text {
		if c < ' ' || c > '~' || c == '\\' {
			q.strange = true
			return nil
		}
	}
	q.rest = q.rest[end+1:]
	return text
}

func (q *quick) text() string { return string(q.raw()) }

func (q *quick) commonText() string { return q.common.of(q.raw()) }

// texts finds an empty list strange: nothing here writes one.
func (q *quick) texts() (list []string) {
	q.list(func() { list = append(list, q.commonText()) })
	if list == nil {
		q.strange = true
	}
	return list
}

func (q *quick) boolean() bool {
	if q.skip("true") {
		return true
	}
	q.take("false")
	return false
}

// number is a count without sign, fraction or exponent, as long as it cannot overflow.
func (q *quick) number() int {
	n, digits := 0, 0
	for digits < len(q.rest) && q.rest[digits] >= '0' && q.rest[digits] <= '9' {
		if n > (math.MaxInt32-9)/10 {
			q.strange = true
			return 0
		}
		n = 10*n + int(q.rest[digits]-'0')
		digits++
	}
	if digits == 0 || digits > 1 && q.rest[0] == '0' { // RFC 8259, Section 6: no leading zeros
		q.strange = true
		return 0
	}
	q.rest = q.rest[digits:]
	return n
}

// time is seconds with three places, as Time.MarshalJSON writes them.
func (q *quick) time() Time {
	end := bytes.IndexByte(q.rest, '.')
	if end <= 0 || end > 10 || len(q.rest) < end+4 || end > 1 && q.rest[0] == '0' {
		q.strange = true
		return Time{}
	}
	ms := int64(0)
	for i, c := range q.rest[:end+4] {
		if i == end {
			continue
		}
		if c < '0' || c > '9' {
			q.strange = true
			return Time{}
		}
		ms = 10*ms + int64(c-'0')
	}
	q.rest = q.rest[end+4:]
	return Time{time.UnixMilli(ms).UTC()}
}
