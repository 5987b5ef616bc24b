package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
)

// Algorithm is a signature algorithm by its registered name (RFC 7518, Section 3.1; RFC 8037, Section 3.1).
type Algorithm string

// The algorithms that this package knows. All are asymmetric: a resource server that could check an HMAC
// could also forge it.
const (
	RS256 Algorithm = "RS256" // RSASSA-PKCS1-v1_5 with SHA-256
	PS256 Algorithm = "PS256" // RSASSA-PSS with SHA-256, MGF1 with SHA-256, 32 octets of salt
	ES256 Algorithm = "ES256" // ECDSA on P-256 with SHA-256, signature r||s in 64 octets
	EdDSA Algorithm = "EdDSA" // Ed25519
)

// Known reports whether this package signs and verifies with a.
func (a Algorithm) Known() bool {
	switch a {
	case RS256, PS256, ES256, EdDSA:
		return true
	}
	return false
}

// Fits reports whether a key of pub's type can be used with a.
func (a Algorithm) Fits(pub crypto.PublicKey) bool {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		return a == RS256 || a == PS256
	case *ecdsa.PublicKey:
		return a == ES256 && k.Curve == elliptic.P256()
	case ed25519.PublicKey:
		return a == EdDSA && len(k) == ed25519.PublicKeySize
	}
	return false
}
