package countersign

import (
	"net/http"
	"net/url"
	"strings"
)

// maxToken bounds the Authorization header, in bytes. Cognito's tokens have about one kilobyte and at most five thousand
// claims' characters; what is larger is refused before a byte of it is looked at.
const maxToken = 16 << 10

// maxBefore is what may stand before a token that is not copied: "Bearer ", and some more spaces.
const maxBefore = 32

// bearer takes the token out of a request. It is not copied, and whether it is made of the right characters is asked
// only of tokens that are seen for the first time (see isB64Token).
func bearer(r *http.Request) (string, *Error) {
	// RFC 6750, Section 2: "Clients MUST NOT use more than one method to transmit the token in each request."
	// Section 2.3's method, the query, is refused always: addresses are logged (RFC 9700, Section 4.3.2).
	if r.URL.RawQuery != "" && hasTokenParameter(r.URL.RawQuery) {
		return "", refuse(TokenInQuery)
	}
	header := r.Header["Authorization"]
	if len(header) == 0 {
		return "", refuse(MissingToken)
	}
	// Two headers: whoever stands in front of us may have looked at the other one.
	if len(header) > 1 || len(header[0]) > maxToken {
		return "", refuse(MalformedRequest)
	}
	value := header[0]
	end := strings.IndexByte(value, ' ')
	if end < 0 {
		end = len(value)
	}
	// RFC 9110, Section 11.1: the scheme's case does not matter.
	if scheme := value[:end]; scheme != "Bearer" && !strings.EqualFold(scheme, "Bearer") {
		if value == "" || strings.ContainsAny(scheme, "\t,") {
			return "", refuse(MalformedRequest)
		}
		// Another scheme, such as Basic: no access token came with the request.
		return "", refuse(MissingToken)
	}
	// RFC 6750, Section 2.1: credentials = "Bearer" 1*SP b64token
	token := strings.TrimLeft(value[end:], " ")
	if token == "" {
		return "", refuse(MalformedRequest)
	}
	if len(value)-len(token) > maxBefore {
		// The cache of verified tokens would keep the spaces with the token, and count the token only.
		token = strings.Clone(token)
	}
	return token, nil
}

// isB64Token reports whether s could stand in a Bearer header at all.
//
// RFC 6750, Section 2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
func isB64Token(s string) bool {
	s = strings.TrimRight(s, "=")
	for i := range len(s) {
		c := s[i]
		switch {
		case c-'a' < 26, c-'A' < 26, c-'0' < 10:
		case c == '-', c == '.', c == '_', c == '~', c == '+', c == '/':
		default:
			return false
		}
	}
	return s != ""
}

// hasTokenParameter reports whether the query has the parameter access_token, however it is escaped.
func hasTokenParameter(query string) bool {
	for query != "" {
		var pair string
		// Some servers read ; as & does; a token behind one is in the address all the same.
		if i := strings.IndexAny(query, "&;"); i >= 0 {
			pair, query = query[:i], query[i+1:]
		} else {
			pair, query = query, ""
		}
		name, _, _ := strings.Cut(pair, "=")
		if strings.IndexByte(name, '%') >= 0 {
			if plain, err := url.QueryUnescape(name); err == nil {
				name = plain
			}
		}
		if name == "access_token" {
			return true
		}
	}
	return false
}
