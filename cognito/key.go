package cognito

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/countersign-dev/countersign/internal/jose"
)

// keyBody is a signing key as it is stored.
type keyBody struct {
	ID      string // the kid
	Use     string // accessKey or idKey
	PKCS8   []byte
	Created Time `json:",omitzero"` // when it was first published; zero: with its pool
	Active  Time `json:",omitzero"` // from when it signs; zero: since it was created
}

// Cognito: each pool has two key pairs; access tokens and id tokens are signed with different ones. The second is
// published like the first, and never signs here, since no id token is ever issued.
const (
	accessKey = "access"
	idKey     = "id"
)

// signingKey is a key in a snapshot, ready to sign.
type signingKey struct {
	id     string
	use    string
	alg    jose.Algorithm
	signer crypto.Signer
	stored []byte // as keyBody has it
	header []byte // of the tokens that it signs
	fast   *fastKey

	created, active time.Time
}

// fastKey is the key as [Config].Accelerate returned it, when it signed for the first time.
type fastKey struct {
	once   sync.Once
	signer crypto.Signer
	err    error
}

// by is the signer of the key: itself, or what takes its place.
func (k *signingKey) by(accelerate func(crypto.Signer) (crypto.Signer, error)) (crypto.Signer, error) {
	if accelerate == nil {
		return k.signer, nil
	}
	k.fast.once.Do(func() {
		var key crypto.Signer
		if key, k.fast.err = parseKey(k.stored); k.fast.err == nil {
			k.fast.signer, k.fast.err = accelerate(key)
		}
	})
	return k.fast.signer, k.fast.err
}

// body is the key as it is stored.
func (k *signingKey) body() keyBody {
	return keyBody{ID: k.id, Use: k.use, PKCS8: k.stored, Created: moment(k.created), Active: moment(k.active)}
}

// newKeyOf returns what makes the keys of a pool.
func (c Config) newKeyOf(name, id string) func() (crypto.Signer, error) {
	alg := ""
	if c.Algorithm != nil {
		alg = c.Algorithm(name, id)
	}
	switch jose.Algorithm(alg) {
	case "":
		return c.NewKey
	case jose.RS256:
		return generateRSA2048
	case jose.ES256:
		return func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }
	case jose.EdDSA:
		return func() (crypto.Signer, error) {
			_, key, err := ed25519.GenerateKey(rand.Reader)
			return key, err
		}
	}
	return func() (crypto.Signer, error) {
		return nil, errors.New("Config.Algorithm returned none of RS256, ES256 and EdDSA")
	}
}

// newAccessKey makes the next key of a pool that exists. The other use has one key for good: it never signs.
func (s *Service) newAccessKey(p *pool) (keyBody, error) {
	return generateKey(s.config.newKeyOf(p.Name, p.ID), accessKey)
}

// generateRSA2048 is what [Config].NewKey is when it is nil.
//
// RSA-2048 is what Cognito's keys are; it is also a fifth of the cost of RSA-4096.
func generateRSA2048() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) }

// generateKeys makes the keys of a new pool, both at once: a key takes a tenth of a second or more. From a [Config].NewKey
// that returns the same key twice, as a test's may, it is one key, for access tokens.
func generateKeys(newKey func() (crypto.Signer, error)) ([]keyBody, error) {
	uses := []string{accessKey, idKey}
	keys, errs := make([]keyBody, len(uses)), make([]error, len(uses))
	done := make(chan struct{})
	for i, use := range uses {
		go func() {
			defer func() { done <- struct{}{} }()
			keys[i], errs[i] = generateKey(newKey, use)
		}()
	}
	for range uses {
		<-done
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if keys[1].ID == keys[0].ID {
		keys = keys[:1]
	}
	return keys, nil
}

func generateKey(newKey func() (crypto.Signer, error), use string) (keyBody, error) {
	signer, err := newKey()
	if err != nil {
		return keyBody{}, fmt.Errorf("generate a signing key: %w", err)
	}
	if signer == nil {
		return keyBody{}, errors.New("generate a signing key: Config.NewKey returned none")
	}
	if _, err := algorithm(signer.Public()); err != nil {
		return keyBody{}, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		return keyBody{}, fmt.Errorf("encode a signing key: %w", err)
	}
	id, err := keyID(signer.Public())
	return keyBody{ID: id, Use: use, PKCS8: pkcs8}, err
}

// keyID returns the kid: 32 octets in standard base64, padding included, as in a real token's header. Here they are the
// hash of the key, so that equal keys have equal ids.
func keyID(pub crypto.PublicKey) (string, error) {
	spki, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return "", fmt.Errorf("encode a public key: %w", err)
	}
	hash := sha256.Sum256(spki)
	return base64.StdEncoding.EncodeToString(hash[:]), nil
}

// algorithm is the one that goes with the key. Cognito signs with RS256 only; the others are extensions that
// [Config].NewKey asks for by returning such a key.
func algorithm(pub crypto.PublicKey) (jose.Algorithm, error) {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		// RFC 7518, Section 3.3: a key of 2048 bits or larger MUST be used.
		if k.N.BitLen() >= 2048 {
			return jose.RS256, nil
		}
	case *ecdsa.PublicKey:
		if jose.ES256.Fits(pub) {
			return jose.ES256, nil
		}
	case ed25519.PublicKey:
		return jose.EdDSA, nil
	}
	return "", errors.New("a signing key is none of RSA of at least 2048 bits, P-256 and Ed25519")
}

// signingKey makes the stored key ready to sign.
func (b keyBody) signingKey() (*signingKey, error) {
	signer, err := readKey(b.PKCS8)
	if err != nil {
		return nil, err
	}
	alg, err := algorithm(signer.Public())
	if err != nil {
		return nil, err
	}
	return &signingKey{
		id: b.ID, use: b.Use, alg: alg, signer: signer, header: tokenHeader(b.ID, alg),
		stored: b.PKCS8, fast: new(fastKey), created: b.Created.Time, active: b.Active.Time,
	}, nil
}

// keySet renders the pool's public keys as its jwks.json.
func keySet(keys []*signingKey) ([]byte, error) {
	set := []byte(`{"keys":[`)
	for i, k := range keys {
		if i > 0 {
			set = append(set, ',')
		}
		var err error
		if set, err = jose.AppendJWK(set, k.signer.Public(), k.id, k.alg); err != nil {
			return nil, err
		}
	}
	return append(set, "]}"...), nil
}
