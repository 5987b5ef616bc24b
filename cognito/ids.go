package cognito

import (
	"crypto/rand"
	"fmt"
	"math/big"
)

// newPoolID returns region_ and nine letters and digits of either case, as Cognito forms a pool id.
func newPoolID(region string) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	id := make([]byte, 0, 9)
	for len(id) < cap(id) {
		var b [16]byte
		_, _ = rand.Read(b[:]) // crypto/rand.Read never fails: it ends the program instead
		for _, c := range b {
			// 248 is the largest multiple of 62 in a byte: above it the first letters would come up more often.
			if c < 248 && len(id) < cap(id) {
				id = append(id, alphabet[c%62])
			}
		}
	}
	return region + "_" + string(id)
}

// Cognito: eight real client ids are 128 random bits in base 32 (digits 0-9a-v), and a real secret is 256 bits; neither
// is padded, so that high zero bits make it shorter.
func newClientID() string { return base32Number(128, 25) }

func newClientSecret() Secret { return Secret(base32Number(256, 50)) }

// base32Number returns a random number in base 32, drawn again while it has fewer digits than real ones were seen with.
func base32Number(bits uint, digits int) string {
	b := make([]byte, bits/8)
	for {
		_, _ = rand.Read(b)
		if s := new(big.Int).SetBytes(b).Text(32); len(s) >= digits {
			return s
		}
	}
}

// newUUID returns a UUID of version 4 (RFC 9562, Section 5.4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
