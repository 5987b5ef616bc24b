package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"math/big"
)

// ErrSignature says that a signature is not one of the key over the input. It never says why: there is
// nothing that an honest caller could do with the difference.
var ErrSignature = errors.New("jose: signature is not valid")

// Key is one public key of a [KeySet], bound to the algorithms it may be used with. When an issuer gives
// one kid to several keys of one kind, Key is all of them, and a signature of any is good.
type Key struct {
	id     string
	algs   []Algorithm
	public crypto.PublicKey
	next   *Key // the next key of the same id and algorithm; nil for nearly every key
}

// ID is the key's kid, or "" when it has none.
func (k *Key) ID() string { return k.id }

// Public is the key itself: *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey.
func (k *Key) Public() crypto.PublicKey { return k.public }

// Can reports whether the key may be used with alg.
//
// RFC 8725, Section 3.1: a key is used with exactly the algorithm it is meant for.
func (k *Key) Can(alg Algorithm) bool {
	for _, a := range k.algs {
		if a == alg {
			return true
		}
	}
	return false
}

// Equal reports whether other has the same id, algorithms and key material.
func (k *Key) Equal(other *Key) bool {
	if k == nil || other == nil || k.id != other.id || len(k.algs) != len(other.algs) {
		return k == other
	}
	for _, a := range k.algs {
		if !other.Can(a) {
			return false
		}
	}
	type equaler interface{ Equal(crypto.PublicKey) bool }
	if p, ok := k.public.(equaler); !ok || !p.Equal(other.public) {
		return false
	}
	if k.next == nil || other.next == nil {
		return k.next == other.next
	}
	return k.next.Equal(other.next)
}

// Verify checks a signature over input. alg must be one of the key's own: the algorithm that a token
// names is a claim of its sender, not a choice.
func (k *Key) Verify(alg Algorithm, input, signature []byte) error {
	for ; k != nil; k = k.next {
		if k.Can(alg) && k.verify(alg, input, signature) {
			return nil
		}
	}
	return ErrSignature
}

func (k *Key) verify(alg Algorithm, input, signature []byte) bool {
	switch public := k.public.(type) {
	case *rsa.PublicKey:
		switch alg {
		case RS256:
			digest := sha256.Sum256(input)
			return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) == nil
		case PS256:
			return verifyPSS(public, input, signature)
		}
	case *ecdsa.PublicKey:
		return alg == ES256 && verifyECDSA(public, input, signature)
	case ed25519.PublicKey:
		// RFC 8037, Section 3.1
		return alg == EdDSA && ed25519.Verify(public, input, signature)
	}
	return false
}

// verifyPSS holds to RFC 7518, Section 3.5: the salt is as long as the hash, neither shorter nor found out.
func verifyPSS(public *rsa.PublicKey, input, signature []byte) bool {
	digest := sha256.Sum256(input)
	options := rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
	return rsa.VerifyPSS(public, crypto.SHA256, digest[:], signature, &options) == nil
}

// verifyECDSA holds to RFC 7518, Section 3.4: 64 octets and no other encoding. crypto/ecdsa refuses r or s of zero and above the
// order (CVE-2022-21449).
func verifyECDSA(public *ecdsa.PublicKey, input, signature []byte) bool {
	if len(signature) != 64 {
		return false
	}
	digest := sha256.Sum256(input)
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	return ecdsa.Verify(public, digest[:], r, s)
}
