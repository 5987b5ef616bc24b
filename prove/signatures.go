package prove

import (
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/countersign-dev/countersign/internal/jose"
)

var (
	errNoSigner  = errors.New("only who holds the issuer's private key can make it")
	errNoPublic  = errors.New("the issuer's public key is not known")
	errNoModulus = errors.New("the issuer's key is no RSA key: it has no modulus")
)

// sign makes the signature that Recipe.Sign names, over the header and claims as they will be sent.
func (f forger) sign(how string, p parts, header, claims string) (string, error) {
	switch how {
	case "":
		return p.signature, nil
	case "none":
		return "", nil
	case "issuer":
		if f.signer == nil {
			return "", errNoSigner
		}
		return jwsSignature(f.signer, algorithmOf(p.header), header, claims)
	case "foreign":
		return jwsSignature(foreignKey(), jose.RS256, header, claims)
	case "zeros":
		return strings.Repeat("A", len(p.signature)), nil
	case "zeros 64":
		return base64.RawURLEncoding.EncodeToString(make([]byte, 64)), nil
	}
	if key, ok := strings.CutPrefix(how, "hmac "); ok {
		return f.hmac(key, p, header, claims)
	}
	return spoil(how, p.signature)
}

// spoil changes the signature of the good token.
func spoil(how, signature string) (string, error) {
	b, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || len(b) == 0 {
		return "", errOpaque
	}
	switch how {
	case "spoilt":
		b[len(b)/2] ^= 1
		return base64.RawURLEncoding.EncodeToString(b), nil
	case "cut":
		return base64.RawURLEncoding.EncodeToString(b[:len(b)-1]), nil
	case "spare bits":
		// RFC 4648, Section 3.5: the last character has bits that stand for nothing, unless the octets come out even.
		const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		if len(b)%3 == 0 {
			return "", errors.New("a signature of this length has no spare bits")
		}
		last := strings.IndexByte(alphabet, signature[len(signature)-1])
		return signature[:len(signature)-1] + string(alphabet[last^1]), nil
	}
	return "", fmt.Errorf("no way to sign is called %q", how)
}

// hmac signs with what everybody has: RFC 8725, Section 2.1, calls it the key confusion.
func (f forger) hmac(key string, p parts, header, claims string) (string, error) {
	secret, err := f.hmacKey(key, p)
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), nil
}

// hmacKey is the key that a confused verifier takes for a secret.
func (f forger) hmacKey(key string, p parts) ([]byte, error) {
	switch key {
	case "empty":
		return nil, nil
	case "key":
		return []byte("key"), nil
	}
	public := f.keys.signer(p.header)
	if public == nil && f.signer != nil {
		public = f.signer.Public()
	}
	if public == nil {
		return nil, errNoPublic
	}
	switch key {
	case "public DER":
		return x509.MarshalPKIXPublicKey(public)
	case "public PEM":
		der, err := x509.MarshalPKIXPublicKey(public)
		return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), err
	case "modulus":
		if public, ok := public.(*rsa.PublicKey); ok {
			return public.N.Bytes(), nil
		}
		return nil, errNoModulus
	case "JWK":
		return jose.AppendJWK(nil, public, "", algorithmOf(p.header))
	}
	return nil, fmt.Errorf("no HMAC key is called %q", key)
}

// jwsSignature is the third segment of the compact JWS.
func jwsSignature(key crypto.Signer, alg jose.Algorithm, header, claims string) (string, error) {
	token, err := jose.Sign(key, alg, []byte(header), []byte(claims))
	if err != nil {
		return "", err
	}
	return token[strings.LastIndexByte(token, '.')+1:], nil
}

// algorithmOf is the algorithm with which the issuer signed the good token: the key is for that one, whatever the
// changed header says.
func algorithmOf(header string) jose.Algorithm {
	var named struct {
		Alg string `json:"alg"`
	}
	if json.Unmarshal([]byte(header), &named) != nil {
		return ""
	}
	return jose.Algorithm(named.Alg)
}
