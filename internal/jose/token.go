package jose

import (
	"errors"
	"strings"
)

// Errors of [ParseHeader], by what is wrong with the token. They never have a byte of it.
var (
	ErrHeader   = errors.New("jose: header is not exact")
	ErrCritical = errors.New("jose: header asks for an extension or a compression")
)

// Token is the three parts of a compact JWS, still encoded.
type Token struct{ Header, Payload, Signature string }

// Split takes a compact JWS apart.
//
// RFC 7515, Section 7.1: exactly three parts, none of them empty here: an empty signature is "none", and an
// empty payload has no claims. Two searches and no list: a header full of dots costs nothing (CVE-2025-30204).
func Split(compact string) (Token, bool) {
	header, rest, ok := strings.Cut(compact, ".")
	if !ok {
		return Token{}, false
	}
	payload, signature, ok := strings.Cut(rest, ".")
	if !ok || header == "" || payload == "" || signature == "" || strings.IndexByte(signature, '.') >= 0 {
		return Token{}, false
	}
	return Token{header, payload, signature}, true
}

// Header is what this package reads of a protected header (RFC 7515, Section 4.1).
type Header struct {
	Algorithm Algorithm
	KeyID     string // "" when there is no kid
	Type      string // "" when there is no typ
}

// maxName bounds kid, alg and typ. A kid is a name that an issuer chose, and goes to places where names go.
const maxName = 256

// ParseHeader reads the JSON of a protected header.
//
// RFC 8725, Section 3.10: jwk, jku, x5u and x5c are the sender's word about whom to trust, and are passed over
// like any member that is not understood: the key comes from the issuer.
func ParseHeader(text string) (Header, error) {
	var h Header
	var alg string
	members := ReadObject([]byte(text))
	for members.Next() {
		ok := true
		switch string(members.Name()) {
		case "alg":
			alg, ok = nameOf(members.Value())
		case "kid":
			h.KeyID, ok = nameOf(members.Value())
		case "typ":
			h.Type, ok = nameOf(members.Value())
		case "crit", "b64", "zip":
			// RFC 7515, Section 4.1.11: crit names what a reader MUST understand; this one understands nothing
			// more, and an empty crit is not allowed. RFC 7797: b64 changes what is signed, crit or not.
			// RFC 8725, Section 3.6: no compression.
			return h, ErrCritical
		}
		if !ok {
			return h, ErrHeader
		}
	}
	// RFC 7515, Section 4.1.1: alg must be there.
	if members.Err() != nil || alg == "" {
		return h, ErrHeader
	}
	h.Algorithm = Algorithm(alg)
	return h, nil
}

func nameOf(v Value) (string, bool) {
	s, ok := v.Text()
	return string(s), ok && len(s) > 0 && len(s) <= maxName
}
