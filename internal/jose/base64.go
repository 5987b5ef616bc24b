package jose

import (
	"encoding/binary"
	"slices"
)

// The digits of base64url, each at its place in a group of four: the values of four digits are joined by OR. A byte that
// is no digit has notDigit at every place.
var digit0, digit1, digit2, digit3 = digits()

const notDigit = 1 << 31

func digits() (t0, t1, t2, t3 [256]uint32) {
	for c := range 256 {
		t0[c], t1[c], t2[c], t3[c] = notDigit, notDigit, notDigit, notDigit
	}
	// RFC 4648, Section 5
	for value, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
		v := uint32(value)
		t0[c], t1[c], t2[c], t3[c] = v<<18, v<<12, v<<6, v
	}
	return t0, t1, t2, t3
}

// AppendDecode appends what src encodes to dst; false when src is not base64url to the letter. dst must not overlap src
// where it is appended to.
//
// RFC 7515, Section 2: no padding, no white space, no line breaks, which Go's decoder skips. Spare bits must be zero
// (RFC 4648, Section 3.5), so that one token has one spelling: with more, a revoked token has another name. Go's decoder
// takes half as long again, and every first sight of a token pays it.
func AppendDecode(dst, src []byte) ([]byte, bool) {
	if len(src)%4 == 1 {
		return dst, false
	}
	start, n := len(dst), len(src)*6/8
	dst = slices.Grow(dst, n)[:start+n]
	out, seen := dst[start:], uint32(0)
	for len(src) >= 8 && len(out) >= 8 {
		a := digit0[src[0]] | digit1[src[1]] | digit2[src[2]] | digit3[src[3]]
		b := digit0[src[4]] | digit1[src[5]] | digit2[src[6]] | digit3[src[7]]
		seen |= a | b
		binary.BigEndian.PutUint64(out, uint64(a)<<40|uint64(b)<<16) // two bytes too many, which the next group overwrites
		src, out = src[8:], out[6:]
	}
	for len(src) >= 4 {
		a := digit0[src[0]] | digit1[src[1]] | digit2[src[2]] | digit3[src[3]]
		seen |= a
		out[0], out[1], out[2] = byte(a>>16), byte(a>>8), byte(a)
		src, out = src[4:], out[3:]
	}
	switch len(src) {
	case 2:
		a := digit0[src[0]] | digit1[src[1]]
		seen |= a | (a&0xffff)<<16
		out[0] = byte(a >> 16)
	case 3:
		a := digit0[src[0]] | digit1[src[1]] | digit2[src[2]]
		seen |= a | (a&0xff)<<24
		out[0], out[1] = byte(a>>16), byte(a>>8)
	}
	return dst, seen < 1<<24
}
