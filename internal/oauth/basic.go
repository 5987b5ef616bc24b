package oauth

import (
	"encoding/base64"
	"net/url"
	"strings"
)

// maxBasic bounds the Authorization header that [ParseBasic] decodes, in bytes. A Cognito client id has at
// most 128 characters and a secret at most 64; form encoding triples them at worst.
const maxBasic = 4096

// BasicHeader returns the value of the Authorization header with which a client authenticates at the
// token endpoint.
//
// RFC 6749, Section 2.3.1: both halves are form-encoded before the colon joins them.
func BasicHeader(id, secret string) string {
	pair := url.QueryEscape(id) + ":" + url.QueryEscape(secret)
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
}

// ParseBasic is the inverse of [BasicHeader]. It reports ok=false for another scheme, for an encoding that
// is not exact and for an empty id; an empty secret is the caller's question.
func ParseBasic(header string) (id, secret string, ok bool) {
	scheme, encoded, found := strings.Cut(header, " ")
	// RFC 9110, Sections 11.1 and 11.4: the scheme's case does not matter, and 1*SP may follow it.
	if !found || len(header) > maxBasic || !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	encoded = strings.TrimLeft(encoded, " ")
	// Go's decoder skips line ends, and a header that has them was smuggled past something.
	if strings.ContainsAny(encoded, "\r\n") {
		return "", "", false
	}
	pair, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return "", "", false
	}
	left, right, found := strings.Cut(string(pair), ":")
	if !found {
		return "", "", false
	}
	id, errID := url.QueryUnescape(left)
	secret, errSecret := url.QueryUnescape(right)
	if errID != nil || errSecret != nil || id == "" {
		return "", "", false
	}
	return id, secret, true
}
