package jose

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"math/big"
	"strings"
)

// jwk is the members of one JWK that this package reads (RFC 7517, Section 4; RFC 7518, Section 6).
type jwk struct {
	kty, use, alg, kid, crv, n, e, x, y string
	ops                                 Value
	private                             bool
}

var (
	errKeyMember  = errors.New("a member has the wrong type")
	errKeyPrivate = errors.New("it has its private part")
	errKeyUse     = errors.New("it is not meant for signatures")
	errKeyKind    = errors.New("its kty, crv or alg is not supported")
	errKeyAlg     = errors.New("its alg does not fit its kty and crv")
	errKeyRSA     = errors.New("its RSA modulus or exponent is missing, not exact or out of range")
	errKeyROCA    = errors.New("its RSA modulus is of the weak kind of CVE-2017-15361")
	errKeyPoint   = errors.New("its coordinates are missing, not exact or not on the curve")
)

func parseKey(text []byte) (*Key, error) {
	members, err := readKey(text)
	if err != nil {
		return nil, err
	}
	if members.private {
		// A signing key that the world can read signs for the world.
		return nil, errKeyPrivate
	}
	if err := members.checkUse(); err != nil {
		return nil, err
	}
	public, algs, err := members.publicKey()
	if err != nil {
		return nil, err
	}
	if members.alg != "" {
		// RFC 8725, Section 3.1: where the issuer binds the key to an algorithm, it is bound.
		alg := Algorithm(members.alg)
		if !alg.Fits(public) {
			return nil, errKeyAlg
		}
		algs = []Algorithm{alg}
	}
	return &Key{id: members.kid, algs: algs, public: public}, nil
}

func readKey(text []byte) (jwk, error) {
	var k jwk
	fields := map[string]*string{
		"kty": &k.kty, "use": &k.use, "alg": &k.alg, "kid": &k.kid, "crv": &k.crv, "n": &k.n, "e": &k.e, "x": &k.x, "y": &k.y,
	}
	object := ReadObject(text)
	for object.Next() {
		switch name := string(object.Name()); name {
		case "key_ops":
			k.ops = object.Value()
		case "d", "p", "q", "dp", "dq", "qi", "oth", "k":
			k.private = true
		default:
			field, known := fields[name]
			if !known {
				continue
			}
			text, ok := object.Value().Text()
			// What is there and empty is not what is not there. Only kid may be any string.
			if !ok || len(text) == 0 && name != "kid" {
				return k, errKeyMember
			}
			*field = string(text)
		}
	}
	return k, object.Err()
}

// checkUse honours "use" and "key_ops" where they are given (RFC 7517, Sections 4.2 and 4.3).
func (k *jwk) checkUse() error {
	if k.use != "" && k.use != "sig" {
		return errKeyUse
	}
	if len(k.ops.Raw()) == 0 {
		return nil
	}
	ops, ok := k.ops.Array()
	if !ok {
		return errKeyMember
	}
	seen := map[string]bool{}
	for ops.Next() {
		op, ok := ops.Value().Text()
		// "Duplicate key operation values MUST NOT be present in the array."
		if !ok || seen[string(op)] {
			return errKeyMember
		}
		seen[string(op)] = true
	}
	if !seen["verify"] {
		return errKeyUse
	}
	return nil
}

func (k *jwk) publicKey() (crypto.PublicKey, []Algorithm, error) {
	switch {
	case k.kty == "RSA":
		public, err := k.rsaKey()
		return public, []Algorithm{RS256, PS256}, err
	case k.kty == "EC" && k.crv == "P-256":
		public, err := k.ecKey()
		return public, []Algorithm{ES256}, err
	case k.kty == "OKP" && k.crv == "Ed25519":
		x, ok := decodeExact(k.x)
		if !ok || len(x) != ed25519.PublicKeySize {
			return nil, nil, errKeyPoint
		}
		return ed25519.PublicKey(x), []Algorithm{EdDSA}, nil
	}
	return nil, nil, errKeyKind
}

// rsaKey reads an RSA key of 2048 to 8192 bits with an odd exponent above 2.
//
// RFC 7518, Section 3.3: 2048 bits or larger. The upper bound is for us: the time of a verification grows
// with the square of the size, and the issuer's next rotation would decide it.
func (k *jwk) rsaKey() (crypto.PublicKey, error) {
	n, okN := decodeExact(k.n)
	e, okE := decodeExact(k.e)
	// RFC 7518, Sections 2 and 6.3.1: Base64urlUInt has no leading zero octets.
	if !okN || !okE || len(n) > 8192/8 || len(e) > 4 || len(n) == 0 || len(e) == 0 || n[0] == 0 || e[0] == 0 {
		return nil, errKeyRSA
	}
	modulus, exponent := new(big.Int).SetBytes(n), new(big.Int).SetBytes(e).Int64()
	if modulus.BitLen() < 2048 || modulus.Bit(0) == 0 || exponent <= 2 || exponent&1 == 0 || exponent > 1<<31-1 {
		return nil, errKeyRSA
	}
	if roca(modulus) {
		return nil, errKeyROCA
	}
	return &rsa.PublicKey{N: modulus, E: int(exponent)}, nil
}

func (k *jwk) ecKey() (crypto.PublicKey, error) {
	x, okX := decodeExact(k.x)
	y, okY := decodeExact(k.y)
	// RFC 7518, Section 6.2.1: the octets of a coordinate are exactly as many as the field's.
	if !okX || !okY || len(x) != 32 || len(y) != 32 {
		return nil, errKeyPoint
	}
	// RFC 8725, Section 3.4: the point is on the curve.
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), bytes.Join([][]byte{{4}, x, y}, nil))
	if err != nil {
		return nil, errKeyPoint
	}
	return public, nil
}

// decodeExact decodes base64url without padding, spare bits or the line ends that Go's decoder skips.
func decodeExact(s string) ([]byte, bool) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, false
	}
	b, err := encoding.DecodeString(s)
	return b, err == nil
}

// rocaPrimes are the small primes of the public test for CVE-2017-15361: primes of the broken Infineon
// library have the form k*M + (65537^a mod M), so that their product is a power of 65537 modulo every
// small prime. A modulus that is not of it passes for all of these with a chance below 2^-27.
var rocaPrimes = []int64{11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157}

func roca(modulus *big.Int) bool {
	for _, p := range rocaPrimes {
		rest := new(big.Int).Mod(modulus, big.NewInt(p)).Int64()
		power, found := int64(1), false
		for range p {
			found = found || power == rest
			power = power * (65537 % p) % p
		}
		if !found {
			return false
		}
	}
	return true
}
