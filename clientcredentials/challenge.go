package clientcredentials

import (
	"net/http"
	"strings"

	"github.com/countersign-dev/countersign/internal/oauth"
)

// maxChallenge bounds the WWW-Authenticate header that is read, in bytes.
const maxChallenge = 8 << 10

// refusesToken reports whether res says that the token, and not the caller, is the trouble.
//
// RFC 6750, Section 3.1: for invalid_token "the client MAY request a new access token and retry the
// protected resource request". A 401 without it says that no token came, or that another scheme is meant.
func refusesToken(res *http.Response) bool {
	if res.StatusCode != http.StatusUnauthorized {
		return false
	}
	for _, value := range res.Header["Www-Authenticate"] {
		if len(value) <= maxChallenge && bearerError(value) == oauth.InvalidToken {
			return true
		}
	}
	return false
}

// bearerError returns the error parameter of the first Bearer challenge in a WWW-Authenticate header that
// has one. RFC 9110, Section 11.6.1: one header may have several challenges, and the same comma
// divides challenges and their parameters; a name is a parameter when "=" comes after it.
func bearerError(header string) string {
	s := scanner(header)
	bearer := false
	for {
		s.skip(" \t,")
		name := s.token()
		switch {
		case name == "" && s == "":
			return ""
		case name == "":
			s = s[1:] // not of the grammar
			continue
		}
		s.skip(" \t")
		if !strings.HasPrefix(string(s), "=") {
			bearer = strings.EqualFold(name, "Bearer")
			continue
		}
		s.skip("=") // all of them: "Negotiate YWJj==" ends with two
		s.skip(" \t")
		value := s.value()
		if bearer && strings.EqualFold(name, "error") {
			return value
		}
	}
}

// scanner is what is left of a header.
type scanner string

// skip drops leading characters of set.
func (s *scanner) skip(set string) { *s = scanner(strings.TrimLeft(string(*s), set)) }

// token takes a token, which may be empty. RFC 9110, Section 5.6.2.
func (s *scanner) token() string {
	n := 0
	for n < len(*s) && tokenChar((*s)[n]) {
		n++
	}
	token := (*s)[:n]
	*s = (*s)[n:]
	return string(token)
}

// value takes a token or a quoted-string. RFC 9110, Section 5.6.4: a backslash quotes the next character.
func (s *scanner) value() string {
	if !strings.HasPrefix(string(*s), `"`) {
		return s.token()
	}
	var b strings.Builder
	for i := 1; i < len(*s); i++ {
		switch c := (*s)[i]; {
		case c == '"':
			*s = (*s)[i+1:]
			return b.String()
		case c == '\\' && i+1 < len(*s):
			i++
			b.WriteByte((*s)[i])
		default:
			b.WriteByte(c)
		}
	}
	*s = ""
	return ""
}

func tokenChar(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}
