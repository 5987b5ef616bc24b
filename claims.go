package countersign

import (
	"strings"

	"github.com/countersign-dev/countersign/internal/jose"
	"github.com/countersign-dev/countersign/internal/oauth"
)

// claims is what the guard reads of a token's claims. The texts are parts of the document, which is gone when the token
// is verified.
type claims struct {
	issuer, subject, clientID, tokenUse, id []byte

	expiry, notBefore, issuedAt      int64 // seconds since 1970
	hasExpiry, hasNotBefore, hasTime bool

	audience jose.Value // a string or an array of strings; the zero Value when there is none
	scope    jose.Value // of "scope", or else of "scp"
}

// readClaims reads the claims by their exact names. A claim that is there with the wrong type is an error and never
// "absent": null is a wrong type too.
func readClaims(document []byte) (c claims, ok bool) {
	members := jose.ReadObject(document)
	for members.Next() {
		value, ok := members.Value(), true
		switch string(members.Name()) {
		case "iss":
			c.issuer, ok = value.Text()
		case "sub":
			c.subject, ok = value.Text()
		case "client_id":
			c.clientID, ok = value.Text()
		case "token_use":
			c.tokenUse, ok = value.Text()
		case "jti":
			c.id, ok = value.Text()
		case "exp":
			c.expiry, ok = value.Seconds()
			c.hasExpiry = true
		case "nbf":
			c.notBefore, ok = value.Seconds()
			c.hasNotBefore = true
		case "iat":
			c.issuedAt, ok = value.Seconds()
			c.hasTime = true
		case "aud":
			c.audience, ok = value, isStrings(value)
		case "scope":
			// RFC 9068, Section 2.2.3, and RFC 8693, Section 4.2: a string of names. Some issuers write an array.
			c.scope, ok = value, isStrings(value)
		case "scp":
			if len(c.scope.Raw()) == 0 {
				c.scope = value
			}
			ok = isStrings(value)
		}
		if !ok {
			return claims{}, false
		}
	}
	return c, members.Err() == nil
}

// isStrings reports whether v is a string or an array of strings.
func isStrings(v jose.Value) bool {
	list, ok := v.Array()
	if !ok {
		return v.IsText()
	}
	for list.Next() {
		if !list.Value().IsText() {
			return false
		}
	}
	return true
}

// contains reports whether v, a string or an array of strings, has the string s.
//
// RFC 7519, Section 4.1.3: aud is an array of case-sensitive strings, or one of them.
func contains(v jose.Value, s string) bool {
	if v.IsText() {
		return v.Is(s)
	}
	for list, ok := v.Array(); ok && list.Next(); {
		if list.Value().Is(s) {
			return true
		}
	}
	return false
}

// writeScopes writes the scope claim as RFC 6749's string, whichever form it has. It is false when an array's element is
// no scope token: one with a space would become two.
func writeScopes(b *strings.Builder, v jose.Value) bool {
	if text, ok := v.Text(); ok {
		b.Write(text)
		return true
	}
	list, ok := v.Array()
	for n := 0; ok && list.Next(); n++ {
		token, _ := list.Value().Text()
		if !oauth.ValidScopeToken(string(token)) {
			return false
		}
		if n > 0 {
			b.WriteByte(' ')
		}
		b.Write(token)
	}
	return true
}

// appendScopes appends the scopes in text that belong to the resource, without its prefix. It is false when text is not
// made of scope tokens, or of more than anyone has.
//
// Cognito: a scope's name has no slash, so that the rest of "https://api.example.com/v2/read" is not a scope of the
// resource https://api.example.com but belongs to https://api.example.com/v2.
func appendScopes(names []string, text, prefix string) ([]string, bool) {
	for n, more := 0, text != ""; more; n++ {
		var token string
		token, text, more = strings.Cut(text, " ")
		if n == oauth.MaxScopes || !oauth.ValidScopeToken(token) {
			return nil, false
		}
		name, ours := strings.CutPrefix(token, prefix)
		if prefix == "" || ours && name != "" && strings.IndexByte(name, '/') < 0 {
			names = append(names, name)
		}
	}
	return names, true
}
