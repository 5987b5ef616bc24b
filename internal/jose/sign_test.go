package jose_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/internal/jose"
)

// keys has one key an algorithm; generating RSA keys is dear, so all tests share them.
var keys = func() map[jose.Algorithm]crypto.Signer {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return map[jose.Algorithm]crypto.Signer{jose.RS256: rsaKey, jose.PS256: rsaKey, jose.ES256: ecKey, jose.EdDSA: edKey}
}()

func TestSignRefusesAKeyOfAnotherKind(t *testing.T) {
	for _, tt := range []struct{ key, alg jose.Algorithm }{
		{jose.RS256, jose.ES256}, {jose.ES256, jose.RS256}, {jose.EdDSA, jose.PS256}, {jose.RS256, "HS256"}, {jose.RS256, "none"},
	} {
		if token, err := jose.Sign(keys[tt.key], tt.alg, []byte(`{}`), []byte(`{}`)); err == nil {
			t.Errorf("%s key signed with %s: %s", tt.key, tt.alg, token)
		}
	}
}

func TestSignKeepsHeaderAndPayloadOctets(t *testing.T) {
	for alg, key := range keys {
		token, err := jose.Sign(key, alg, []byte(`{"alg" : "x"}`), []byte("\x00\xff"))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(token, "eyJhbGciIDogIngifQ.AP8.") || strings.Count(token, ".") != 2 {
			t.Errorf("%s: token %s", alg, token)
		}
	}
}

func TestAppendJWKWritesTheMembersOfCognitoInOrder(t *testing.T) {
	for alg, want := range map[jose.Algorithm]string{
		jose.RS256: "alg e kid kty n use", jose.PS256: "alg e kid kty n use",
		jose.ES256: "alg crv kid kty use x y", jose.EdDSA: "alg crv kid kty use x",
	} {
		jwk, err := jose.AppendJWK(nil, keys[alg].Public(), `a/"b+=`, alg)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		decoder := json.NewDecoder(strings.NewReader(string(jwk)))
		for i := 0; decoder.More() || i == 0; i++ {
			token, err := decoder.Token()
			if err != nil {
				t.Fatal(err)
			}
			if i%2 == 1 {
				names = append(names, token.(string))
			}
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: members %q, want %q", alg, got, want)
		}
		if !strings.Contains(string(jwk), `"kid":"a/\"b+="`) {
			t.Errorf("%s: kid is not quoted: %s", alg, jwk)
		}
	}
}

func TestAppendJWKRefusesWhatItCannotWrite(t *testing.T) {
	if _, err := jose.AppendJWK(nil, keys[jose.RS256].Public(), "k", jose.ES256); err == nil {
		t.Error("an RSA key was written as ES256")
	}
	if _, err := jose.AppendJWK(nil, keys[jose.RS256].Public(), "\xff", jose.RS256); err == nil {
		t.Error("a kid that is not UTF-8 was written")
	}
}
