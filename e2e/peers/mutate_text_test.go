package peers

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// changeText changes the document of the header or of the claims.
func (m mutator) changeText(d *draft) {
	i := m.IntN(2)
	text := d.texts[i]
	at := m.IntN(len(text) + 1)
	name := []string{"header", "claims"}[i]
	switch m.IntN(12) {
	case 0:
		space := pick(m, []string{" ", "\t", "\n", "\r\n", "\v", "\u00a0", "\ufeff", "\x00", "/**/"})
		d.did("%s: %q in front", name, space)
		text = space + text
	case 1:
		end := pick(m, []string{" ", "\n", "}", "{}", ",", "x", "\x00", `{"scope":"x"}`, "//"})
		d.did("%s: %q behind", name, end)
		text += end
	case 2:
		space := pick(m, []string{" ", "\t\n", "\r", "\f", "\u2028"})
		d.did("%s: %q around each colon", name, space)
		text = strings.ReplaceAll(text, `":`, `"`+space+":"+space)
	case 3:
		d.did("%s: byte %d is gone", name, at)
		text = text[:max(at-1, 0)] + text[at:]
	case 4:
		c := string(rune(m.IntN(0x100)))
		d.did("%s: %q at %d", name, c, at)
		text = text[:at] + c + text[at:]
	case 5:
		c := []byte{byte(0x80 + m.IntN(0x80))}
		d.did("%s: %q at %d", name, c, at)
		text = text[:at] + string(c) + text[at:]
	case 6:
		c := byte(1 << m.IntN(8))
		d.did("%s: bit %#x of byte %d", name, c, at)
		b := []byte(text)
		b[min(at, len(b)-1)] ^= c
		text = string(b)
	case 7:
		text = pick(m, []string{"[" + text + "]", `"` + text + `"`, text + text, "null", "{}", "[]", `""`, "0", "true", "{", text[:len(text)-1] + ",}", "{," + text[1:], strings.ReplaceAll(text, `"`, `'`)})
		d.did("%s: is %.40q", name, text)
	case 8:
		depth := pick(m, []int{2, 14, 15, 16, 17, 40, 1000, 12000})
		open, shut := "[", "]"
		if m.IntN(2) == 0 {
			open, shut = `{"a":`, "}"
		}
		d.did("%s: %d deep", name, depth)
		inner := strings.Repeat(open, depth) + "1" + strings.Repeat(shut, depth)
		if len(inner) < 15000 && strings.HasSuffix(text, "}") {
			text = text[:len(text)-1] + `,"deep":` + inner + "}"
		}
	case 9:
		n := pick(m, []int{10, 200, 240, 246, 247, 260, 600})
		d.did("%s: %d more members", name, n)
		var more strings.Builder
		for i := range n {
			fmt.Fprintf(&more, `,"m%d":%d`, i, i)
		}
		if strings.HasSuffix(text, "}") {
			text = text[:len(text)-1] + more.String() + "}"
		}
	case 10:
		n := pick(m, []int{100, 255, 256, 257, 4000, 13000})
		d.did("%s: a string of %d", name, n)
		if strings.HasSuffix(text, "}") {
			text = text[:len(text)-1] + `,"long":"` + strings.Repeat("x", n) + `"}`
		}
	case 11:
		from, to := pick(m, []string{"demo", "access", "at+jwt", "example", ":", ",", "1"}), pick(m, []string{"", `\u0064emo`, "ACCESS", " ", ";", "é", "1e0"})
		d.did("%s: %q becomes %q", name, from, to)
		text = strings.Replace(text, from, to, 1)
	}
	d.texts[i] = text
}

// changeParts changes how the first two parts are encoded, before they are signed.
func (m mutator) changeParts(d *draft) {
	i := m.IntN(2)
	part := d.parts[i]
	name := []string{"header", "claims"}[i]
	switch m.IntN(4) {
	case 0:
		d.did("%s: padded", name)
		part = base64.URLEncoding.EncodeToString([]byte(d.texts[i]))
	case 1:
		d.did("%s: alphabet with + and /", name)
		part = base64.RawStdEncoding.EncodeToString([]byte(d.texts[i]))
	case 2:
		part = m.insert(d, name, part)
	case 3:
		d.did("%s: spare bits", name)
		part = spareBits(part)
	}
	d.parts[i] = part
}

// insert puts a character into an encoded part that is none of its alphabet, or that some decoders skip.
func (m mutator) insert(d *draft, name, part string) string {
	c := pick(m, []string{"\n", "\r\n", " ", "\t", "=", ".", "?", "A", "\x00", "é", "%0A", "~"})
	at := pick(m, []int{0, len(part), m.IntN(len(part) + 1)})
	d.did("%s: %q at %d of the base64", name, c, at)
	return part[:at] + c + part[at:]
}

// spareBits sets the bits of the last character that encode nothing, if there are any.
func spareBits(part string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	if len(part) == 0 || len(part)%4 == 0 {
		return part
	}
	last := strings.IndexByte(alphabet, part[len(part)-1])
	return part[:len(part)-1] + string(alphabet[(last^1)&63])
}

// changeToken changes the signature, or how the three parts are put together.
func (m mutator) changeToken(d *draft, key signingKey) {
	h, c, s, _ := cut(d.token)
	switch m.IntN(8) {
	case 0:
		b, _ := base64.RawURLEncoding.DecodeString(s)
		if len(b) > 0 {
			b[m.IntN(len(b))] ^= 1 << m.IntN(8)
		}
		d.did("signature: a bit is flipped")
		s = base64.RawURLEncoding.EncodeToString(b)
	case 1:
		d.did("signature: spare bits")
		s = spareBits(s)
	case 2:
		s = m.insert(d, "signature", s)
	case 3:
		n := pick(m, []int{0, 1, len(s) / 2, len(s) - 1, len(s) - 2})
		d.did("signature: %d characters of it", n)
		s = s[:max(0, min(n, len(s)))]
	case 4:
		other := m.key(pick(m, []string{pool, tenant}))
		d.did("signature: with the key %s", other.kid)
		s = signature(other, h+"."+c)
	case 5:
		b, _ := base64.RawURLEncoding.DecodeString(s)
		n := pick(m, []int{0, len(b), 64, 63, 65, 256})
		d.did("signature: %d octets of zero", n)
		s = base64.RawURLEncoding.EncodeToString(make([]byte, n))
	case 6:
		b, _ := base64.RawURLEncoding.DecodeString(s)
		d.did("signature: padded with zeros, in front or behind")
		s = base64.RawURLEncoding.EncodeToString(pick(m, [][]byte{append([]byte{0}, b...), append(b, 0)}))
	case 7:
		template := pick(m, []string{"%s.%s.%s.", ".%s.%s.%s", "%s.%s.%s.x", " %s.%s.%s", "%s.%s.%s ", "%s.%s.%s\n", "%s..%s.%s", "%[1]s.%[2]s", "%[1]s", "%[2]s.%[1]s.%[3]s", "%s.%s.=%s", "Bearer %s.%s.%s",
			`{"protected":"%s","payload":"%s","signature":"%s"}`, "%s %s %s", "%s.%s.%s=", "%s.%s.%s==", "%s\n.%s.%s"})
		d.did("token: %s", template)
		d.token = fmt.Sprintf(template, h, c, s)
		return
	}
	d.token = h + "." + c + "." + s
}

func cut(token string) (header, claims, signature string, ok bool) {
	header, rest, _ := strings.Cut(token, ".")
	claims, signature, ok = strings.Cut(rest, ".")
	return header, claims, signature, ok
}
