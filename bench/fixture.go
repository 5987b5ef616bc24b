package bench

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"
)

// resource is the API that is called, and scope what its route asks for, as Cognito writes it.
const (
	resource = "https://api.example.com"
	scope    = resource + "/orders.read"
	clientID = "3v8p1example2a7k9q0d5s6f4g"
)

// Fixture is an issuer with two RSA keys, as a Cognito user pool has them, that listens on this machine.
type Fixture struct {
	Issuer  string
	KeysURL string
	Fetches atomic.Int64 // of the key set

	key, other *rsa.PrivateKey
	server     *httptest.Server
}

// NewFixture starts the issuer.
func NewFixture() (*Fixture, error) {
	f := new(Fixture)
	for _, key := range []**rsa.PrivateKey{&f.key, &f.other} {
		made, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, err
		}
		*key = made
	}
	f.server = httptest.NewServer(http.HandlerFunc(f.serve))
	f.Issuer = f.server.URL + "/eu-west-1_AbCdEf123"
	f.KeysURL = f.Issuer + "/.well-known/jwks.json"
	return f, nil
}

// Close ends the issuer.
func (f *Fixture) Close() { f.server.Close() }

func (f *Fixture) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	switch f.server.URL + r.URL.Path {
	case f.Issuer + "/.well-known/openid-configuration":
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, f.Issuer, f.KeysURL)
	case f.KeysURL:
		f.Fetches.Add(1)
		io.WriteString(w, f.KeySet())
	default:
		http.NotFound(w, r)
	}
}

// KeySet is what the issuer publishes.
func (f *Fixture) KeySet() string {
	jwk := func(kid string, key *rsa.PrivateKey) string {
		return fmt.Sprintf(`{"alg":"RS256","e":"AQAB","kid":%q,"kty":"RSA","n":%q,"use":"sig"}`, kid, base64.RawURLEncoding.EncodeToString(key.N.Bytes()))
	}
	return `{"keys":[` + jwk("first-key-of-the-pool", f.key) + "," + jwk("second-key-of-the-pool", f.other) + `]}`
}

// variant is how a token differs from a good one.
type variant struct {
	audience bool          // it has an aud, which Cognito's do not have: some peers demand one
	expired  time.Duration // ago
	kid      string        // one that the issuer does not have
	n        int           // makes it another token
}

// token is of the size and shape of Cognito's access tokens: about 1,100 octets, without aud and typ.
func (f *Fixture) token(v variant) string {
	kid := "first-key-of-the-pool"
	if v.kid != "" {
		kid = v.kid
	}
	now := time.Now()
	if v.expired != 0 {
		now = now.Add(-v.expired - time.Hour)
	}
	claims := map[string]any{
		"sub": clientID, "iss": f.Issuer, "client_id": clientID, "token_use": "access", "scope": scope + " " + resource + "/orders.write",
		"cognito:groups": []string{"readers-of-everything", "writers-of-some", "operators", "auditors-of-the-region"},
		"version":        2, "auth_time": now.Unix(), "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		"origin_jti": "1c0f3b1c-52a7-4c62-9f0c-1d7d0a3e2b99", "jti": fmt.Sprintf("7d0f3b1c-52a7-4c62-9f0c-%012d", v.n),
		"username": "service-account-of-the-orders-department",
	}
	if v.audience {
		claims["aud"] = resource
	}
	header, err := json.Marshal(map[string]string{"kid": kid, "alg": "RS256"})
	if err != nil {
		panic(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	input := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(payload)
	digest := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(nil, f.key, crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// spoilt is the token with another signature.
func spoilt(token string) string {
	at := strings.LastIndexByte(token, '.') + 100
	c := byte('A')
	if token[at] == c {
		c = 'B'
	}
	return token[:at] + string(c) + token[at+1:]
}

// hostile is 8 MB that look like a token from far away.
func hostile(token string) string {
	header, _, _ := strings.Cut(token, ".")
	return header + "." + strings.Repeat("W1tb", 2<<20) + "." + strings.Repeat("A", 342)
}
