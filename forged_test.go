package countersign_test

import (
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/countersign-dev/countersign/internal/jose"
)

var attackerKey = mustRSA()

// attacker signs with a key that no issuer published.
func attacker(header, claims fmt.Stringer) string {
	return must(jose.Sign(attackerKey, jose.RS256, []byte(header.String()), []byte(claims.String())))
}

func jwkOf(key *rsa.PrivateKey) string {
	return string(must(jose.AppendJWK(nil, key.Public(), "first", jose.RS256)))
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func unsigned(header, claims fmt.Stringer, signature string) string {
	return encode([]byte(header.String())) + "." + encode([]byte(claims.String())) + "." + signature
}

func hmacToken(secret []byte, claims fmt.Stringer) string {
	input := unsigned(cognitoHeader.with("alg", `"HS256"`), claims, "")
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(input[:len(input)-1]))
	return input + encode(mac.Sum(nil))
}

func publicPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(testKeys.first.Public()))})
}

// flipSpare sets a bit of the last character that encodes nothing: 256 octets leave four spare bits.
func flipSpare(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, token[len(token)-1])
	return token[:len(token)-1] + alphabet[last|1:last|1+1]
}

// longSignature makes sure that a signature has a character in which the two alphabets differ.
func longSignature(token string) string { return token[:len(token)-2] + "-_" }

func flattened(token string) string {
	parts := strings.Split(token, ".")
	return fmt.Sprintf(`{"protected":%q,"payload":%q,"signature":%q}`, parts[0], parts[1], parts[2])
}

func manyClaims(n int) members {
	claims := cognitoClaims
	for i := range n {
		claims = claims.also(fmt.Sprint("c", i), "1")
	}
	return claims
}
