package prove

import "strings"

// maxChallenge bounds the WWW-Authenticate header that is read, in bytes.
const maxChallenge = 8 << 10

// challenge is what a Bearer challenge says.
type challenge struct {
	present bool
	params  map[string]string // names in lower case
}

// bearerChallenge finds the Bearer challenge in the WWW-Authenticate header fields. With several it is the first:
// a client looks no further.
//
// RFC 9110, Section 11.6.1: a field may have several challenges, separated by the comma that also separates their parameters.
// A name is a parameter when "=" comes after it, and a scheme when it does not.
func bearerChallenge(fields []string) challenge {
	for _, field := range fields {
		if len(field) > maxChallenge {
			continue
		}
		if c := parseChallenge(field); c.present {
			return c
		}
	}
	return challenge{}
}

func parseChallenge(field string) challenge {
	c := challenge{params: map[string]string{}}
	rest, here := field, false
	for {
		rest = strings.TrimLeft(rest, " \t,")
		var name string
		if name, rest = cutToken(rest); name == "" {
			return c
		}
		after := strings.TrimLeft(rest, " \t")
		if !strings.HasPrefix(after, "=") {
			if c.present {
				return c // the next challenge begins
			}
			// RFC 9110, Section 11.1: the scheme's case does not matter.
			here = strings.EqualFold(name, "Bearer")
			c.present = here
			continue
		}
		var value string
		value, rest = cutValue(strings.TrimLeft(strings.TrimLeft(after, "="), " \t"))
		if here {
			c.params[strings.ToLower(name)] = value
		}
	}
}

// cutToken cuts off a token (RFC 9110, Section 5.6.2).
func cutToken(s string) (token, rest string) {
	end := strings.IndexFunc(s, func(c rune) bool {
		return c <= ' ' || c > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	})
	if end < 0 {
		end = len(s)
	}
	return s[:end], s[end:]
}

// cutValue cuts off a token or a quoted string (RFC 9110, Section 5.6.4).
func cutValue(s string) (value, rest string) {
	if !strings.HasPrefix(s, `"`) {
		return cutToken(s)
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), s[i+1:]
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), "" // never closed: the end of the field is its end
}
