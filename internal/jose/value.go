package jose

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Value is one JSON value whose syntax [Object] has checked.
type Value struct{ raw []byte }

// Raw is the value as it stands in the document; empty for the zero Value.
func (v Value) Raw() []byte { return v.raw }

// Text is the value of a JSON string. It is false for every other kind, null included: a claim that is
// there with the wrong type is an error and never "absent" (CVE-2020-26160).
func (v Value) Text() ([]byte, bool) {
	if !v.IsText() {
		return nil, false
	}
	inner := v.raw[1 : len(v.raw)-1]
	return unescape(inner, bytes.IndexByte(inner, '\\') >= 0), true
}

// IsText reports whether the value is a JSON string.
func (v Value) IsText() bool { return len(v.raw) >= 2 && v.raw[0] == '"' }

// Is reports whether the value is the JSON string s.
func (v Value) Is(s string) bool {
	// An escape is longer than what it stands for: what is shorter than s is not looked at.
	if !v.IsText() || len(v.raw)-2 < len(s) {
		return false
	}
	text, _ := v.Text()
	return string(text) == s
}

// lastSecond is the end of the year 9999, the last instant that RFC 3339 can write.
const lastSecond = 253402300799

// Seconds is the value of a NumericDate in whole seconds since 1970, a fraction dropped. It is false for
// anything that is no JSON number, and for a number before 1970 or after the year 9999.
//
// RFC 7519, Section 2: NumericDate is a JSON number, and may have a fraction.
func (v Value) Seconds() (int64, bool) {
	if n := len(v.raw); n == 0 || v.raw[0]-'0' > 9 || n > 64 {
		return 0, false
	}
	var whole int64
	for i := range len(v.raw) {
		d := v.raw[i] - '0'
		if d > 9 || i == 12 {
			return floatSeconds(string(v.raw))
		}
		whole = whole*10 + int64(d)
	}
	return whole, whole <= lastSecond
}

func floatSeconds(raw string) (int64, bool) {
	f, err := strconv.ParseFloat(raw, 64)
	// ParseFloat gives an error for what is not finite; the comparison is false for NaN.
	if err != nil || !(f >= 0 && f <= lastSecond) {
		return 0, false
	}
	return int64(math.Floor(f)), true
}

// Array starts to read the value as an array; false when it is something else.
func (v Value) Array() (Array, bool) {
	if len(v.raw) < 2 || v.raw[0] != '[' {
		return Array{}, false
	}
	return Array{scan: cursor{text: v.raw, pos: 1}}, true
}

// Array walks the elements of one JSON array.
type Array struct {
	scan  cursor
	value Value
}

// Next moves to the next element and returns false at the end.
func (a *Array) Next() bool {
	a.scan.separators()
	start := a.scan.pos
	a.scan.element()
	a.value = Value{a.scan.text[start:a.scan.pos]}
	return a.scan.pos > start
}

// Value is the current element.
func (a *Array) Value() Value { return a.value }

// cursor walks text that Object has found to be sound JSON, so that it needs to find only where a value
// ends.
type cursor struct {
	text []byte
	pos  int
}

// separators passes what stands between two values.
func (c *cursor) separators() {
	for c.pos < len(c.text) {
		switch c.text[c.pos] {
		case ',', ' ', '\t', '\n', '\r':
			c.pos++
		default:
			return
		}
	}
}

// element passes one value: up to a comma, a space or a closing bracket that is not nested in it.
func (c *cursor) element() {
	depth := 0
	for c.pos < len(c.text) {
		switch c.text[c.pos] {
		case '"':
			c.pos++
			for c.text[c.pos] != '"' {
				if c.text[c.pos] == '\\' {
					c.pos++
				}
				c.pos++
			}
		case '[', '{':
			depth++
		case ']', '}':
			if depth == 0 {
				return
			}
			depth--
		case ',', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return
			}
		}
		c.pos++
	}
}

// quoted passes one string and reports whether it has escapes.
//
// RFC 8259, Section 7: control characters are escaped. RFC 7493, Section 2.1: no lone surrogates, in which
// two readers could see different names.
func (o *Object) quoted() (escaped, ok bool) {
	if !o.take('"') {
		return false, false
	}
	for {
		o.pos += plain(o.text[o.pos:])
		switch {
		case o.take('"'):
			return escaped, true
		case o.pos < len(o.text) && o.text[o.pos] == '\\':
			escaped = true
			n := escapeLength(o.text[o.pos:])
			if n == 0 {
				return escaped, false
			}
			o.pos += n
		default: // a control character, or the end
			return escaped, false
		}
	}
}

// plain is the number of bytes at the start of s that stand for themselves in a JSON string, eight at a time: a token's
// claims are strings for the most part.
func plain(s []byte) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	n := 0
	for ; len(s)-n >= 8; n += 8 {
		x := binary.LittleEndian.Uint64(s[n:])
		quote, backslash := x^ones*'"', x^ones*'\\'
		// The top bit of the lowest byte that is below space, a quote or a backslash; what is above it may be wrong.
		if special := ((x-ones*' ')&^x | (quote-ones)&^quote | (backslash-ones)&^backslash) & tops; special != 0 {
			return n + bits.TrailingZeros64(special)/8
		}
	}
	for n < len(s) && s[n] >= ' ' && s[n] != '"' && s[n] != '\\' {
		n++
	}
	return n
}

// escapeLength is the length of the escape at the start of s, both halves of a surrogate pair together;
// 0 when it is none.
func escapeLength(s []byte) int {
	if len(s) < 2 {
		return 0
	}
	if s[1] != 'u' {
		if strings.IndexByte(`"\/bfnrt`, s[1]) < 0 {
			return 0
		}
		return 2
	}
	first, ok := hex4(s)
	if !ok {
		return 0
	}
	if !utf16.IsSurrogate(first) {
		return 6
	}
	if second, ok := hex4(s[6:]); !ok || utf16.DecodeRune(first, second) == utf8.RuneError {
		return 0
	}
	return 12
}

// hex4 is the code unit of the \uXXXX at the start of s.
func hex4(s []byte) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(s[2:6]), 16, 16)
	return rune(n), err == nil
}

// unescape gives the text of a string whose syntax is known to be right. It allocates when there are escapes. encoding/json would take
// ten times as long, and a token may be nothing but escapes, for which its sender needs no key.
func unescape(inner []byte, escaped bool) []byte {
	if !escaped {
		return inner
	}
	text := make([]byte, 0, len(inner))
	for {
		n := bytes.IndexByte(inner, '\\')
		if n < 0 {
			return append(text, inner...)
		}
		text, inner = append(text, inner[:n]...), inner[n:]
		if r, ok := hex4(inner); ok {
			inner = inner[6:]
			if utf16.IsSurrogate(r) {
				low, _ := hex4(inner)
				r, inner = utf16.DecodeRune(r, low), inner[6:]
			}
			text = utf8.AppendRune(text, r)
			continue
		}
		// RFC 8259, Section 7: the others are two characters.
		text, inner = append(text, unescaped(inner[1])), inner[2:]
	}
}

// unescaped is the character that c stands for behind a backslash.
func unescaped(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}
