package peers

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign"
)

// difference is a kind of token about which the guard and another library disagree, and why the guard is right.
type difference struct {
	name   string
	why    string
	reason countersign.Reason // of the guard; empty when it accepts
	when   func(reading) bool
}

// refusals are what the guard refuses and another library accepts.
var refusals = []difference{
	{
		"encoding", "RFC 7515, Section 2, and RFC 4648, Section 3.5: no padding, no line ends, no spare bits; with them one token has many spellings",
		countersign.MalformedToken, func(r reading) bool { return !r.strictBase64() },
	},
	{
		"size", "a bound: 16 KiB are three times what Cognito can issue",
		countersign.MalformedToken, func(r reading) bool { return len(r.token) > 16<<10 },
	},
	{
		"crit, b64, zip", "RFC 7515, Section 4.1.11, RFC 7797, Section 6, and RFC 8725, Section 3.6: each changes what the rest means",
		countersign.BadHeader, func(r reading) bool { return r.header.has("crit") || r.header.has("b64") || r.header.has("zip") },
	},
	{
		"typ of another kind", "RFC 8725, Section 3.11, and RFC 9068, Section 4: a token of another kind is no access token",
		countersign.BadHeader, func(r reading) bool { return r.header.has("typ") && !accessTokenType(r.header.last("typ"), r.issuer()) },
	},
	{
		"header that is not exact", "RFC 7515, Section 4: names are unique. RFC 8725, Section 3.7, and RFC 7493, Section 2.1: UTF-8 without lone surrogates",
		countersign.BadHeader, func(r reading) bool { return r.header.duplicates || !r.header.unicode() },
	},
	{
		"header beyond bounds", "bounds: 16 levels, 256 members, 256 characters of a kid",
		countersign.BadHeader, beyond(func(r reading) document { return r.header }),
	},
	{
		"claims that are not exact", "RFC 7519, Section 4: names are unique. RFC 8725, Section 3.7, and RFC 7493, Section 2.1: UTF-8 without lone surrogates",
		countersign.BadClaims, func(r reading) bool { return r.claims.duplicates || !r.claims.unicode() },
	},
	{
		"claims beyond bounds", "bounds: 16 levels, 256 members",
		countersign.BadClaims, beyond(func(r reading) document { return r.claims }),
	},
	{
		"claim of the wrong type", "RFC 7519, Section 4.1, RFC 8693, Section 4.3: each of these is a string",
		countersign.BadClaims, func(r reading) bool {
			return slices.ContainsFunc([]string{"iss", "sub", "jti", "client_id", "token_use"}, func(name string) bool {
				_, isText := r.claims.last(name).(string)
				return r.claims.has(name) && !isText
			})
		},
	},
	{
		"date that is none", "RFC 7519, Section 2: a NumericDate is a number of seconds since 1970; the bounds are the year 9999 and 64 characters",
		countersign.BadClaims, func(r reading) bool {
			return slices.ContainsFunc([]string{"exp", "nbf", "iat"}, func(name string) bool {
				v := r.claims.last(name)
				f, n := seconds(v), fmt.Sprint(v)
				return r.claims.has(name) && !(f >= 0 && f <= 253402300799 && !math.Signbit(f) && len(n) <= 64)
			})
		},
	},
	{
		"aud or scope that is no list of strings", "RFC 7519, Section 4.1.3, and RFC 8693, Section 4.2",
		countersign.BadClaims, func(r reading) bool {
			return slices.ContainsFunc([]string{"aud", "scope", "scp"}, func(name string) bool {
				return r.claims.has(name) && !isStrings(r.claims.last(name))
			})
		},
	},
	{
		"scope outside the grammar", "RFC 6749, Section 3.3: one space between tokens of printable ASCII; the bound is 512 of them",
		countersign.BadClaims, func(r reading) bool { return !isScope(r.claims.last("scope")) || !isScope(r.claims.last("scp")) },
	},
	{
		"token_use of another kind", "RFC 8725, Section 3.12: a token that says it is no access token is none under any profile",
		countersign.BadTokenUse, func(r reading) bool { return r.claims.has("token_use") && r.claims.last("token_use") != "access" },
	},
	{
		"exp on the second", "RFC 7519, Section 4.1.4: the time MUST be before exp, leeway counted",
		countersign.Expired, func(r reading) bool {
			return math.Floor(seconds(r.claims.last("exp"))) == float64(now.Add(-leeway).Unix())
		},
	},
}

// admissions are what the guard accepts and another library refuses.
var admissions = []difference{
	{
		"number beyond float64", "RFC 8259, Section 6, allows it, and the member is none that anybody reads; the others refuse whatever Go cannot hold",
		"", func(r reading) bool { return r.header.hugeNumber || r.claims.hugeNumber },
	},
	{
		"header parameter that is not understood", "RFC 7515, Section 4: it is ignored; go-jose reads it and refuses it by its type",
		"", func(r reading) bool {
			return slices.ContainsFunc([]string{"jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "nonce", "cty", "iss", "enc"}, r.header.has)
		},
	},
	{
		"iat in the future", "RFC 7519, Section 4.1.6: iat is there to tell the age of a token, and no reason to refuse it; the guard reports the skew",
		"", func(r reading) bool { return seconds(r.claims.last("iat")) > float64(now.Add(leeway).Unix()) },
	},
}

func beyond(of func(reading) document) func(reading) bool {
	return func(r reading) bool {
		d := of(r)
		kid, _ := d.last("kid").(string)
		typ, _ := d.last("typ").(string)
		return d.depth >= 16 || d.count > 256 || len(kid) > 256 || len(typ) > 256
	}
}

func accessTokenType(typ any, issuer string) bool {
	text, _ := typ.(string)
	text = strings.TrimPrefix(strings.ToLower(text), "application/")
	return text == "at+jwt" || text == "jwt" && issuer == pool
}

func isStrings(v any) bool {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	return !slices.ContainsFunc(list, func(v any) bool { _, ok := v.(string); return !ok })
}

// isScope reports whether v is nothing at all, or a scope (RFC 6749, Section 3.3), or an array of scope tokens.
func isScope(v any) bool {
	if v == nil || v == "" {
		return true
	}
	list, ok := v.([]any)
	if text, isText := v.(string); isText {
		ok = true
		for token := range strings.SplitSeq(text, " ") {
			list = append(list, token)
		}
	}
	return ok && len(list) <= 512 && !slices.ContainsFunc(list, func(v any) bool {
		token, _ := v.(string)
		return token == "" || strings.ContainsFunc(token, func(c rune) bool { return c <= ' ' || c == '"' || c == '\\' || c > '~' })
	})
}
