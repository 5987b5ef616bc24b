package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// AppendJWK appends pub to dst as a public JWK for signatures with alg. Members stand in alphabetical
// order, as Cognito writes them: alg, e, kid, kty, n, use for RSA.
func AppendJWK(dst []byte, pub crypto.PublicKey, kid string, alg Algorithm) ([]byte, error) {
	if !alg.Fits(pub) {
		return dst, fmt.Errorf("jose: a key of type %T is not one for %q", pub, string(alg))
	}
	if !utf8.ValidString(kid) {
		return dst, fmt.Errorf("jose: key id is not UTF-8")
	}
	quoted, err := json.Marshal(kid)
	if err != nil {
		return dst, fmt.Errorf("jose: encode key id: %w", err)
	}
	dst = append(dst, `{"alg":"`+string(alg)...)
	switch k := pub.(type) {
	case *rsa.PublicKey:
		// RFC 7518, Section 6.3.1: Base64urlUInt, big endian without leading zero octets.
		var e [8]byte
		binary.BigEndian.PutUint64(e[:], uint64(k.E))
		exponent := e[:]
		for len(exponent) > 1 && exponent[0] == 0 {
			exponent = exponent[1:]
		}
		dst = appendMember(dst, `","e":"`, exponent)
		dst = append(append(dst, `","kid":`...), quoted...)
		dst = appendMember(dst, `,"kty":"RSA","n":"`, k.N.Bytes())
		return append(dst, `","use":"sig"}`...), nil
	case *ecdsa.PublicKey:
		// SEC 1, Section 2.3.3: 0x04 || x || y, each 32 octets for P-256.
		point, err := k.Bytes()
		if err != nil {
			return dst, fmt.Errorf("jose: encode key: %w", err)
		}
		dst = append(append(dst, `","crv":"P-256","kid":`...), quoted...)
		dst = appendMember(dst, `,"kty":"EC","use":"sig","x":"`, point[1:33])
		dst = appendMember(dst, `","y":"`, point[33:])
		return append(dst, `"}`...), nil
	case ed25519.PublicKey:
		// RFC 8037, Section 2
		dst = append(append(dst, `","crv":"Ed25519","kid":`...), quoted...)
		dst = appendMember(dst, `,"kty":"OKP","use":"sig","x":"`, k)
		return append(dst, `"}`...), nil
	}
	return dst, fmt.Errorf("jose: no JWK for a key of type %T", pub)
}

func appendMember(dst []byte, name string, value []byte) []byte {
	return encoding.AppendEncode(append(dst, name...), value)
}
