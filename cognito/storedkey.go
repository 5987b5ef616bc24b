package cognito

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"io"
	"math/big"
	"sync"
)

// A storedKey is an RSA key whose private half is read when it signs for the first time: that takes a millisecond, in
// which crypto/rsa checks the key and works out what makes signatures fast. A service with a thousand pools would start
// two seconds later, for keys most of which will never sign.
type storedKey struct {
	public  *rsa.PublicKey
	private func() (crypto.Signer, error)
}

// Public implements [crypto.Signer].
func (k *storedKey) Public() crypto.PublicKey { return k.public }

// Sign implements [crypto.Signer].
func (k *storedKey) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	key, err := k.private()
	if err != nil {
		return nil, err
	}
	return key.Sign(random, digest, opts)
}

// errStoredKey quotes no cause, which may quote the key.
var errStoredKey = errors.New("a stored key cannot be read")

// readKey returns the key of a PKCS #8 encoding.
func readKey(pkcs8 []byte) (crypto.Signer, error) {
	if public := publicRSA(pkcs8); public != nil {
		return &storedKey{public, sync.OnceValues(func() (crypto.Signer, error) { return parseKey(pkcs8) })}, nil
	}
	return parseKey(pkcs8)
}

func parseKey(pkcs8 []byte) (crypto.Signer, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(pkcs8)
	if err != nil {
		return nil, errStoredKey
	}
	signer, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, errors.New("a stored key cannot sign")
	}
	return signer, nil
}

var oidRSA = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1} // RFC 8017, Appendix A.1: rsaEncryption

// publicRSA returns the public half of an RSA key in PKCS #8, or nil for anything else. It reads no further than the two
// numbers of it (RFC 5208, Section 5; RFC 8017, Appendix A.1.2).
func publicRSA(pkcs8 []byte) *rsa.PublicKey {
	var info struct {
		Version   int
		Algorithm struct {
			OID        asn1.ObjectIdentifier
			Parameters asn1.RawValue `asn1:"optional"`
		}
		PrivateKey []byte
	}
	if rest, err := asn1.Unmarshal(pkcs8, &info); err != nil || len(rest) > 0 || !info.Algorithm.OID.Equal(oidRSA) {
		return nil
	}
	var sequence asn1.RawValue
	if rest, err := asn1.Unmarshal(info.PrivateKey, &sequence); err != nil || len(rest) > 0 || sequence.Tag != asn1.TagSequence {
		return nil
	}
	var version, exponent int
	modulus := new(big.Int)
	rest := sequence.Bytes
	for _, number := range []any{&version, &modulus, &exponent} {
		var err error
		if rest, err = asn1.Unmarshal(rest, number); err != nil {
			return nil
		}
	}
	if version != 0 || modulus.Sign() <= 0 || exponent < 3 {
		return nil
	}
	return &rsa.PublicKey{N: modulus, E: exponent}
}
