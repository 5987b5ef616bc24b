package clientcredentials

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/internal/jose"
)

const (
	assertionLife = time.Minute // of a client assertion that is signed here, from its iat to its exp

	// assertionPast is how long ago its iat is. RFC 7523, Section 3 lets an issuer allow for clock skew and does not ask for it:
	// there are some that refuse what is of the next second.
	assertionPast = 5 * time.Second
)

// PrivateKey is a client's own key, with which it authenticates in place of a secret. However it is printed, logged or
// marshalled, the key reads "<redacted>".
type PrivateKey struct {
	ClientID  string        // the client's id at the issuer
	Signer    crypto.Signer // RSA of 2048 bits or more, ECDSA on P-256, or Ed25519; one of an HSM or a KMS bounds its own time
	KeyID     string        // kid of the public key as the issuer has it; may be empty
	Algorithm string        // RS256, PS256, ES256 or EdDSA; empty: by the key, RS256 for RSA
	Audience  string        // aud of the assertion; empty: [Config].Issuer, or the token endpoint without one
}

// String returns the client's id and the key's.
func (k PrivateKey) String() string { return k.ClientID + ":" + k.KeyID + ":" + redacted }

// Format prints [PrivateKey.String] for every verb: fmt would print the bytes of a Signer that is a slice.
func (k PrivateKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue is the text of [PrivateKey.String].
func (k PrivateKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalJSON returns [PrivateKey.String] as a JSON string.
func (k PrivateKey) MarshalJSON() ([]byte, error) { return json.Marshal(k.String()) }

// PrivateKeyJWT is a client that authenticates with private_key_jwt (RFC 7523, Section 2.2): each token request has
// an assertion of its own, good for a minute, that k signs. Cognito does not take it; Keycloak and Okta do, for two.
func PrivateKeyJWT(k PrivateKey) Credentials { return &privateKey{k} }

type privateKey struct{ PrivateKey }

func (k *privateKey) check() error {
	var problems []error
	if k.ClientID == "" {
		problems = append(problems, errors.New("the private key has no ClientID"))
	}
	if k.Signer == nil {
		return errors.Join(append(problems, errors.New("the private key has no Signer"))...)
	}
	if alg := k.algorithm(); !alg.Known() || !alg.Fits(k.Signer.Public()) {
		problems = append(problems, fmt.Errorf("a key of type %T does not sign with Algorithm %q; use RS256, PS256, ES256 or EdDSA", k.Signer.Public(), string(alg)))
	}
	// RFC 7518, Section 3.3: a key of size 2048 bits or larger MUST be used.
	if pub, ok := k.Signer.Public().(*rsa.PublicKey); ok && pub.N.BitLen() < 2048 {
		problems = append(problems, fmt.Errorf("the RSA key has %d bits, fewer than 2048", pub.N.BitLen()))
	}
	return errors.Join(problems...)
}

func (k *privateKey) algorithm() jose.Algorithm {
	if k.Algorithm != "" {
		return jose.Algorithm(k.Algorithm)
	}
	switch k.Signer.Public().(type) {
	case *ecdsa.PublicKey:
		return jose.ES256
	case ed25519.PublicKey:
		return jose.EdDSA
	}
	return jose.RS256
}

// Load implements [Credentials]. The assertion is signed when its audience is known.
func (k *privateKey) Load(context.Context) ([]Credential, error) {
	return []Credential{{ClientID: k.ClientID, signer: k}}, nil
}

// sign makes the assertion of one token request.
func (k *privateKey) sign(audience string, now time.Time) (string, error) {
	if k.Audience != "" {
		audience = k.Audience
	}
	header := map[string]string{"alg": string(k.algorithm()), "typ": "JWT"}
	if k.KeyID != "" {
		header["kid"] = k.KeyID
	}
	// RFC 7523, Section 3: iss and sub are the client_id, aud identifies the authorization server, exp limits the
	// time; jti lets the issuer refuse an assertion that it has seen.
	claims := map[string]any{
		"iss": k.ClientID, "sub": k.ClientID, "aud": audience, "jti": rand.Text(),
		"iat": now.Add(-assertionPast).Unix(), "exp": now.Add(assertionLife - assertionPast).Unix(),
	}
	h, err := json.Marshal(header)
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	return jose.Sign(k.Signer, k.algorithm(), h, payload)
}

// AssertionFile is a client that authenticates with an assertion that somebody else signs and keeps fresh in a file,
// such as the token of a Kubernetes ServiceAccount in a projected volume, whose audience is the issuer. The file is read anew
// for each token request. RFC 7521, Section 4.2: clientID is optional, for the assertion's sub names the client;
// an empty one is not sent.
func AssertionFile(clientID, path string) Credentials { return &assertionFile{clientID, path} }

type assertionFile struct{ clientID, path string }

func (f *assertionFile) check() error {
	if f.path == "" {
		return errors.New("the path given to AssertionFile is empty")
	}
	return nil
}

// Load implements [Credentials].
func (f *assertionFile) Load(context.Context) ([]Credential, error) {
	data, err := readFile(f.path)
	if err != nil {
		return nil, err
	}
	assertion := oneLine(data)
	if !compactJWS(assertion) {
		// What is sent goes to the issuer; a file that holds something else is not for it.
		return nil, fmt.Errorf("%s does not hold a signed JWT", f.path)
	}
	return []Credential{{ClientID: f.clientID, assertion: assertion}}, nil
}

// compactJWS reports whether s has the form of RFC 7515, Section 7.1: three parts of base64url.
func compactJWS(s string) bool {
	parts := strings.Split(s, ".")
	for _, part := range parts {
		if part == "" || strings.ContainsFunc(part, func(c rune) bool {
			return (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-' && c != '_'
		}) {
			return false
		}
	}
	return len(parts) == 3
}
