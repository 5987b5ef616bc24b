package jose_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/internal/jose"
)

// Numbers of a key have one spelling: each of these is a usable key in another one.
func TestNumbersOfAKeyAreExact(t *testing.T) {
	good := number(2048)
	zeroed := func(s string) string {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(append([]byte{0}, b...))
	}
	for name, n := range map[string][2]string{
		"rfc7518 s2: leading zero of n": {zeroed(good), "AQAB"},
		"rfc7518 s2: leading zero of e": {good, zeroed("AQAB")},
		"rfc7518 s2: line break in n":   {good[:10] + "\n" + good[10:], "AQAB"},
		"rfc7518 s2: line break in e":   {good, "AQ\r\nAB"},
	} {
		jwk := fmt.Sprintf(`{"kty":"RSA","kid":"x","n":%q,"e":%q}`, n[0], n[1])
		set, err := jose.ParseKeySet([]byte(`{"keys":[` + edJWK + "," + jwk + `]}`))
		if err != nil || len(set.Keys()) != 1 {
			t.Errorf("%s: it is read as a key: %v", name, err)
		}
	}
}

// RFC 7518, Section 3.4: r and s are 32 octets each. With a zero between the two they are the same numbers.
func TestAnES256SignatureWithAnOctetMoreIsNone(t *testing.T) {
	compact, err := jose.Sign(keys[jose.ES256], jose.ES256, []byte(`{"alg":"ES256","kid":"ec"}`), []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	jwk, err := jose.AppendJWK(nil, keys[jose.ES256].Public(), "ec", jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	if err := verify(t, string(jwk), compact); err != nil {
		t.Fatal(err)
	}
	dot := strings.LastIndexByte(compact, '.') + 1
	longer := slices.Insert(decode(t, compact[dot:]), 32, 0)
	if verify(t, string(jwk), compact[:dot]+base64.RawURLEncoding.EncodeToString(longer)) == nil {
		t.Error("a signature of 65 octets is good")
	}
}
