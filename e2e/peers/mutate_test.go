package peers

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	random "math/rand/v2"
	"strings"
	"time"
)

// mutant is a token that is wrong in up to three ways, or right in a way that nobody tried. Most are signed after they were changed, so that a
// verifier cannot refuse them for their signature.
type mutant struct {
	token string
	how   []string
}

// mutator makes the same mutants from the same seed, but for keys and the randomness of ECDSA.
type mutator struct{ *random.Rand }

func newMutator(seed uint64) mutator { return mutator{random.New(random.NewPCG(seed, 0))} }

func pick[T any](m mutator, list []T) T { return list[m.IntN(len(list))] }

// draft is a token before it is put together.
type draft struct {
	header, claims members
	texts          [2]string // of header and claims, as they are signed
	parts          [3]string // encoded
	token          string
	how            []string
}

// stage is a step in the making of a token, and what may be changed after it.
type stage int

const (
	onMembers   stage = iota // of the JSON objects
	onTexts                  // of the JSON documents
	onParts                  // base64url, signed afterwards
	onSignature              // and the encoding of the whole
	stages
)

func (m mutator) next() mutant {
	issuer := pick(m, []string{pool, pool, tenant})
	key := m.key(issuer)
	d := draft{header: headerOf(issuer, key), claims: append(members(nil), good[issuer]...)}
	var plan [stages]int
	for range 1 + m.IntN(3) {
		// Half of the changes are to members: there two readers differ most.
		plan[pick(m, []stage{onMembers, onMembers, onMembers, onTexts, onParts, onSignature})]++
	}
	for range plan[onMembers] {
		m.changeMembers(&d)
	}
	d.texts = [2]string{d.header.String(), d.claims.String()}
	for range plan[onTexts] {
		m.changeText(&d)
	}
	for i, text := range d.texts {
		d.parts[i] = base64.RawURLEncoding.EncodeToString([]byte(text))
	}
	for range plan[onParts] {
		m.changeParts(&d)
	}
	d.parts[2] = signature(key, d.parts[0]+"."+d.parts[1])
	d.token = strings.Join(d.parts[:], ".")
	for range plan[onSignature] {
		m.changeToken(&d, key)
	}
	return mutant{d.token, d.how}
}

// key prefers the cheap ones: an RSA signature costs as much as forty of Ed25519.
func (m mutator) key(issuer string) signingKey {
	return keysOf[issuer][pick(m, []int{0, 0, 0, 0, 0, 0, 0, 1, 1, 2})]
}

// signature signs input whatever it is, as no issuer would.
func signature(k signingKey, input string) string {
	var b []byte
	digest := sha256.Sum256([]byte(input))
	switch key := k.key.(type) {
	case ed25519.PrivateKey:
		b = ed25519.Sign(key, []byte(input))
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
		if err != nil {
			panic(err)
		}
		b = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	case *rsa.PrivateKey:
		b = must(rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:]))
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func (d *draft) did(format string, args ...any) { d.how = append(d.how, fmt.Sprintf(format, args...)) }

// headerNames and claimNames are what a mutant adds, or gives another value.
var (
	headerNames = []string{"alg", "kid", "typ", "crit", "b64", "zip", "jwk", "jku", "x5u", "x5c", "x5t", "cty", "iss", "nonce", "enc", "unknown"}
	claimNames  = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "token_use", "scope", "scp", "cnf", "version", "auth_time", "unknown"}
)

// values are of every JSON type, and those that matter somewhere.
var values = []string{
	`null`, `true`, `false`, `0`, `-0`, `-1`, `1e400`, `-1e400`, `1e-400`, `1E9`, `1.0e+9`, `1e3`, `253402300799`, `253402300800`, `9223372036854775808`, `1.5`,
	`""`, `" "`, `"x"`, `"none"`, `"RS256"`, `"ES256"`, `"EdDSA"`, `"HS256"`, `"JWT"`, `"jwt"`, `"at+jwt"`, `"application/at+jwt"`, `"AT+JWT"`, `"logout+jwt"`, `"id"`, `"access"`, `"DEF"`,
	`[]`, `[[]]`, `{}`, `[null]`, `[""]`, `["x"]`, `["b64"]`, `["exp"]`, `{"a":1,"a":2}`, `[{"a":{"b":[1,2,{"c":null}]}}]`,
	`"` + pool + `"`, `"` + tenant + `"`, `"` + pool + `/"`, `["` + pool + `"]`, `"` + resource + `"`, `["` + resource + `"]`, `["x","` + resource + `"]`, `"` + resource + `/"`, `"` + client + `"`,
	`"https://api.example.com/demo.read"`, `"https://api.example.com/demo.read  x"`, `"https://api.example.com/demo.read\tx"`, `" https://api.example.com/demo.read"`, `"x https://api.example.com/demo.read "`,
	`["https://api.example.com/demo.read"]`, `["https://api.example.com/demo.read",1]`, `["https://api.example.com/demo.read","a b"]`, `"https:\/\/api.example.com\/demo.read"`, `"https://api.example.com/demo.re\u0061d"`,
	`"demo.read"`, `"demo.read "`, `["demo.read"]`, `"demo.read,x"`, `"DEMO.READ"`, `"demo.read \u00e9"`, `"demo.read é"`, `"\ud800"`, `"\ud83d\ude00"`, `"a\u0000b"`, `"pool-ed"`, `"pool-rsa"`, `"tenant-ed"`, `"../../etc/passwd"`,
}

// dates are around the limits, as numbers in several spellings and as what is no number.
func (m mutator) date() string {
	at := now.Add(pick(m, []time.Duration{0, 1, -1, 59, -59, 60, -60, 61, -61, 120, -120, 3600, -3600, 1e9}) * time.Second).Unix()
	return fmt.Sprintf(pick(m, []string{"%d", "%d", "%d", "%d.0", "%d.5", "%d.999999999", "%de0", "%d00e-2", `"%d"`, "%d.", "0%d", "+%d", "-%d", "[%d]"}), at)
}

func (m mutator) changeMembers(d *draft) {
	object, names, where := &d.claims, claimNames, "claims"
	if m.IntN(3) == 0 {
		object, names, where = &d.header, headerNames, "header"
	}
	name := `"` + pick(m, names) + `"`
	value := pick(m, values)
	switch name {
	case `"exp"`, `"nbf"`, `"iat"`, `"auth_time"`:
		if m.IntN(4) > 0 {
			value = m.date()
		}
	}
	list := append(members(nil), *object...)
	at := m.IntN(len(list) + 1)
	switch what := m.IntN(10); {
	case what < 4:
		d.did("%s: %s = %s", where, name, value)
		list = replaced(list, member{name, value})
	case what < 6:
		d.did("%s: %s is also %s", where, name, value)
		list = append(list[:at:at], append(members{{name, value}}, list[at:]...)...)
	case what < 7 && len(list) > 0:
		at = m.IntN(len(list))
		d.did("%s: without %s", where, list[at].name)
		list = append(list[:at:at], list[at+1:]...)
	case what < 8 && len(list) > 0:
		at = m.IntN(len(list))
		d.did("%s: %s twice", where, list[at].name)
		list = append(list, list[at])
	case len(list) > 0:
		at = m.IntN(len(list))
		other := m.respelt(list[at].name)
		d.did("%s: %s becomes %s", where, list[at].name, other)
		if m.IntN(3) == 0 {
			list = append(list, member{other, value})
		} else {
			list[at].name = other
		}
	}
	*object = list
}

func replaced(list members, new member) members {
	for i := range list {
		if list[i].name == new.name {
			list[i] = new
			return list
		}
	}
	return append(list, new)
}

// respelt is a name that some readers take for the same, and some for another.
func (m mutator) respelt(quoted string) string {
	name := strings.Trim(quoted, `"`)
	switch m.IntN(8) {
	case 0:
		return `"` + strings.ToUpper(name) + `"`
	case 1:
		return `"` + strings.ToUpper(name[:1]) + name[1:] + `"`
	case 2:
		return `"` + strings.ReplaceAll(strings.ReplaceAll(name, "s", "ſ"), "k", "\u212a") + `"` // both fold to the letter
	case 3:
		return fmt.Sprintf(`"\u%04x%s"`, name[0], name[1:])
	case 4:
		return fmt.Sprintf(`"\u%04X%s"`, name[0], name[1:])
	case 5:
		return `"` + name + ` "`
	case 6:
		return `"` + name + `\u0000"`
	}
	return `"` + name + "\u200b" + `"`
}
