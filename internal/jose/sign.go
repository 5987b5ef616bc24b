package jose

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
)

// encoding is base64url without padding, refusing spare bits (RFC 7515, Section 2; RFC 4648, Section 3.5).
var encoding = base64.RawURLEncoding.Strict()

// Sign returns the compact JWS of payload under key. header is the exact JSON of the protected header and
// is not looked at: a test that needs a wrong header writes one. The key may live elsewhere, as in an HSM:
// only its [crypto.Signer] is used.
func Sign(key crypto.Signer, alg Algorithm, header, payload []byte) (string, error) {
	if !alg.Fits(key.Public()) {
		return "", fmt.Errorf("jose: a key of type %T cannot sign with %q", key.Public(), string(alg))
	}
	// RFC 7515, Section 3.1: BASE64URL(header) || '.' || BASE64URL(payload) || '.' || BASE64URL(signature)
	token := make([]byte, 0, encoding.EncodedLen(len(header))+encoding.EncodedLen(len(payload))+2+encoding.EncodedLen(512))
	token = encoding.AppendEncode(token, header)
	token = append(token, '.')
	token = encoding.AppendEncode(token, payload)
	signature, err := sign(key, alg, token)
	if err != nil {
		return "", fmt.Errorf("jose: sign: %w", err)
	}
	token = append(token, '.')
	token = encoding.AppendEncode(token, signature)
	return string(token), nil
}

func sign(key crypto.Signer, alg Algorithm, input []byte) ([]byte, error) {
	if alg == EdDSA {
		// RFC 8032: PureEdDSA signs the message itself, which crypto.Signer calls Hash(0).
		return key.Sign(rand.Reader, input, crypto.Hash(0))
	}
	digest := sha256.Sum256(input)
	switch alg {
	case PS256:
		// RFC 7518, Section 3.5: the salt is as long as the hash.
		return key.Sign(rand.Reader, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
	case ES256:
		der, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
		if err != nil {
			return nil, err
		}
		return fixedECDSA(der)
	default:
		return key.Sign(rand.Reader, digest[:], crypto.SHA256)
	}
}

// fixedECDSA turns the ASN.1 form that crypto.Signer gives into r||s.
//
// RFC 7518, Section 3.4: R and S are 32 octets each, big endian, leading zeros kept.
func fixedECDSA(der []byte) ([]byte, error) {
	var pair struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &pair); err != nil || len(rest) != 0 {
		return nil, errors.New("signer gave no ECDSA signature")
	}
	if pair.R.Sign() < 0 || pair.S.Sign() < 0 || pair.R.BitLen() > 256 || pair.S.BitLen() > 256 {
		return nil, errors.New("signer gave an ECDSA signature that is not of P-256")
	}
	signature := make([]byte, 64)
	pair.R.FillBytes(signature[:32])
	pair.S.FillBytes(signature[32:])
	return signature, nil
}
