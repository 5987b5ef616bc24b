package jose_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/internal/jose"
)

const (
	edJWK = `{"kty":"OKP","crv":"Ed25519","kid":"ed","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`
	ecJWK = `{"kty":"EC","crv":"P-256","kid":"ec","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`
	// The modulus of the ROCA example in Wycheproof.
	rocaModulus = "AanFpofbj7KjD4Lf-N2hVMKR7yewSyXhhbirIMTGpfYEhZ_lnt5UoK98DnKIgArXGTu3MaW_HhFw16HGaTDUHqPrId7fe4r11CqRw09yBFuW79V8sYIwHdzCaWflUI6auImYbVfoN9_nD5n8N8SY9DwXw7mwZM9wREPXoDPgOoIWl6q_MPsp7n0zs3Z5ZaiQWOOzl1S9OhwAfSiiOwz6efnXEaxuTEtPd7BjSx7NaFka8Dx9U7YqXy2RFj1O9PjyaDGuRh7YXsX3iMUSP_wSyHQg_c_qHRtKUsNSGCT7OZg0hzm2KphtjnayKJvC64vAbROBR4Ubg6Bxg9IQVZ-QYyE"
)

func rsaJWK(t testing.TB, kid string) string {
	t.Helper()
	jwk, err := jose.AppendJWK(nil, keys[jose.RS256].Public(), kid, jose.RS256)
	if err != nil {
		t.Fatal(err)
	}
	return string(jwk)
}

// number is a Base64urlUInt of so many bits, odd.
func number(bits int) string {
	n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
	return base64.RawURLEncoding.EncodeToString(n.Add(n, big.NewInt(1)).Bytes())
}

// One key beside a good one: usable, or left out without harm.
func TestOneKeyBesideAGoodOne(t *testing.T) {
	rsaWith := func(n, e string) string { return fmt.Sprintf(`{"kty":"RSA","kid":"x","n":%q,"e":%q}`, n, e) }
	for _, tt := range []struct {
		name, jwk string
		usable    bool
	}{
		{"rfc7517 s4: RSA", rsaJWK(t, "x"), true},
		{"rfc7517 s4: EC", strings.Replace(ecJWK, `"ec"`, `"x"`, 1), true},
		{"rfc8037 s2: OKP", strings.Replace(edJWK, `"ed"`, `"x"`, 1), true},
		{"rfc7517 s4.4: key without alg", strings.Replace(rsaJWK(t, "x"), `"alg":"RS256",`, ``, 1), true},
		{"rfc7517 s4.2: use enc", strings.Replace(rsaJWK(t, "x"), `"sig"`, `"enc"`, 1), false},
		{"rfc7517 s4.2: use of another type", strings.Replace(rsaJWK(t, "x"), `"sig"`, `["sig"]`, 1), false},
		{"rfc7517 s4.3: key_ops verify", strings.Replace(rsaJWK(t, "x"), `{`, `{"key_ops":["sign","verify"],`, 1), true},
		{"rfc7517 s4.3: key_ops encrypt", strings.Replace(rsaJWK(t, "x"), `{`, `{"key_ops":["encrypt"],`, 1), false},
		{"rfc7517 s4.3: key_ops empty", strings.Replace(rsaJWK(t, "x"), `{`, `{"key_ops":[],`, 1), false},
		{"rfc7517 s4.3: key_ops verify twice", strings.Replace(rsaJWK(t, "x"), `{`, `{"key_ops":["verify","verify"],`, 1), false},
		{"rfc7517 s4.3: key_ops of another type", strings.Replace(rsaJWK(t, "x"), `{`, `{"key_ops":["verify",1],`, 1), false},
		{"rfc7517 s4.2: use empty", strings.Replace(rsaJWK(t, "x"), `"sig"`, `""`, 1), false},
		{"rfc7517 s4.4: alg empty", strings.Replace(rsaJWK(t, "x"), `"RS256"`, `""`, 1), false},
		{"rfc7517 s4.3: key_ops no array", strings.Replace(rsaJWK(t, "x"), `{`, `{"key_ops":"verify",`, 1), false},
		{"rfc7517 s4.5: kid of another type", strings.Replace(rsaJWK(t, "x"), `"kid":"x"`, `"kid":7`, 1), false},
		{"rfc7517 s4.5: kid empty", strings.Replace(rsaJWK(t, "x"), `"kid":"x"`, `"kid":""`, 1), true},
		{"rfc7517 s4.4: alg of another hash", strings.Replace(rsaJWK(t, "x"), `"RS256"`, `"RS512"`, 1), false},
		{"rfc7517 s4.4: alg of another kind", strings.Replace(rsaJWK(t, "x"), `"RS256"`, `"ES256"`, 1), false},
		{"rfc7517 s4.4: alg none", strings.Replace(rsaJWK(t, "x"), `"RS256"`, `"none"`, 1), false},
		{"rfc7517 s5: unknown kty", `{"kty":"AKP","alg":"ML-DSA-44","kid":"x","pub":"AAAA"}`, false},
		{"rfc7517 s5: missing kty", `{"kid":"x"}`, false},
		{"rfc7517 s5: not an object", `"x"`, false},
		{"rfc7517 s5: null", `null`, false},
		{"rfc7517 s4: duplicate member", strings.Replace(rsaJWK(t, "x"), `{`, `{"kty":"RSA",`, 1), false},
		{"rfc7517 s4: KTY", strings.Replace(rsaJWK(t, "x"), `"kty"`, `"KTY"`, 1), false},
		{"rfc7518 s6.4: oct", `{"kty":"oct","kid":"x","alg":"HS256","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`, false},
		{"rfc7518 s6.3.2: private part", strings.Replace(rsaJWK(t, "x"), `{`, `{"d":"AAAA",`, 1), false},
		{"rfc7518 s3.3: 1024 bits", rsaWith(number(1024), "AQAB"), false},
		{"rfc7518 s3.3: 2047 bits", rsaWith(number(2047), "AQAB"), false},
		{"rfc7518 s3.3: 2048 bits", rsaWith(number(2048), "AQAB"), true},
		{"limits: 8192 bits", rsaWith(number(8192), "AQAB"), true},
		{"limits: 8193 bits", rsaWith(number(8193), "AQAB"), false},
		{"rfc8017 s3.1: exponent 3", rsaWith(number(2048), "Aw"), true},
		{"rfc8017 s3.1: exponent 1", rsaWith(number(2048), "AQ"), false},
		{"rfc8017 s3.1: exponent 2", rsaWith(number(2048), "Ag"), false},
		{"rfc8017 s3.1: exponent 0", rsaWith(number(2048), "AA"), false},
		{"rfc8017 s3.1: even exponent", rsaWith(number(2048), "AQAA"), false},
		{"rfc8017 s3.1: exponent of 31 bits", rsaWith(number(2048), "f____w"), true},
		{"rfc8017 s3.1: exponent of 32 bits", rsaWith(number(2048), "_____w"), false},
		{"rfc8017 s3.1: even modulus", rsaWith(strings.Repeat("_", 341)+"g", "AQAB"), false},
		{"rfc7518 s6.3.1: leading zero", rsaWith(base64.RawURLEncoding.EncodeToString(append([]byte{0}, make([]byte, 256)...)), "AQAB"), false},
		{"rfc7518 s2: padding", rsaWith(number(2048)+"==", "AQAB"), false},
		{"rfc7518 s2: line break", rsaWith(number(2048)[:10]+"\\n"+number(2048)[10:], "AQAB"), false},
		{"rfc7518 s6.3.1: n missing", `{"kty":"RSA","kid":"x","e":"AQAB"}`, false},
		{"rfc7518 s6.3.1: n a number", `{"kty":"RSA","kid":"x","e":"AQAB","n":7}`, false},
		{"cve-2017-15361: ROCA", rsaWith(rocaModulus, "AQAB"), false},
		{"rfc8725 s3.4: point not on the curve", strings.Replace(ecJWK, `a0"`, `a4"`, 1), false},
		{"rfc7518 s6.2.1: short coordinate", strings.Replace(ecJWK, `"f83O`, `"`, 1), false},
		{"rfc7518 s6.2.1: y missing", `{"kty":"EC","crv":"P-256","kid":"x","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}`, false},
		{"rfc7518 s6.2.1: another curve", strings.Replace(ecJWK, "P-256", "P-384", 1), false},
		{"rfc8037 s2: another curve", strings.Replace(edJWK, "Ed25519", "Ed448", 1), false},
		{"rfc8037 s2: short key", strings.Replace(edJWK, `"11qY`, `"`, 1), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, list := range []string{rsaJWK(t, "good") + "," + tt.jwk, tt.jwk + "," + strings.Replace(edJWK, `"ed"`, `"good"`, 1)} {
				set, err := jose.ParseKeySet([]byte(`{"keys":[` + list + `]}`))
				if err != nil {
					t.Fatal(err)
				}
				if set.Lookup("good", jose.RS256) == nil && set.Lookup("good", jose.EdDSA) == nil {
					t.Error("the good key is lost")
				}
				want := 1
				if tt.usable {
					want = 2
				}
				// The same RSA key under two names is two keys.
				if n := len(set.Keys()); n != want || len(set.Ignored()) != 2-want {
					t.Errorf("%d keys, ignored %v", n, set.Ignored())
				}
			}
		})
	}
}

func TestKeySetDocuments(t *testing.T) {
	for _, tt := range []struct {
		name, document string
		want           error
	}{
		{"rfc7517 s5: one key", `{"keys":[` + edJWK + `]}`, nil},
		{"rfc7517 s5: other members", ` {"x":{"keys":[]}, "keys" : [ ` + edJWK + ` ] } `, nil},
		{"no keys", `{"keys":[]}`, jose.ErrNoKeys},
		{"no usable key", `{"keys":[{"kty":"oct","k":"AAAA"}]}`, jose.ErrNoKeys},
		{"no keys member", `{}`, jose.ErrKeySet},
		{"keys null", `{"keys":null}`, jose.ErrKeySet},
		{"keys an object", `{"keys":{}}`, jose.ErrKeySet},
		{"KEYS", `{"KEYS":[` + edJWK + `]}`, jose.ErrKeySet},
		{"keys twice", `{"keys":[` + edJWK + `],"keys":[]}`, jose.ErrKeySet},
		{"a key alone", edJWK, jose.ErrKeySet},
		{"an array", `[` + edJWK + `]`, jose.ErrKeySet},
		{"HTML", `<html>`, jose.ErrKeySet},
		{"nothing", ``, jose.ErrKeySet},
		{"trailing bytes", `{"keys":[` + edJWK + `]}x`, jose.ErrKeySet},
		{"cut short", `{"keys":[` + edJWK, jose.ErrKeySet},
		{"limits: 101 keys", `{"keys":[` + strings.Repeat(`{},`, 100) + edJWK + `]}`, jose.ErrKeySet},
		{"limits: over 1 MiB", `{"keys":[` + edJWK + `]}` + strings.Repeat(" ", 1<<20), jose.ErrKeySet},
		{"limits: nested deep", `{"keys":[` + strings.Repeat("[", 10000) + strings.Repeat("]", 10000) + `]}`, jose.ErrKeySet},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := jose.ParseKeySet([]byte(tt.document)); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

func TestLookup(t *testing.T) {
	parse := func(list ...string) *jose.KeySet {
		set, err := jose.ParseKeySet([]byte(`{"keys":[` + strings.Join(list, ",") + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	one, two := parse(edJWK), parse(edJWK, ecJWK)
	named := parse(strings.Replace(edJWK, `"ed"`, `"k"`, 1), strings.Replace(ecJWK, `"ec"`, `"k"`, 1))
	for _, tt := range []struct {
		name  string
		set   *jose.KeySet
		kid   string
		alg   jose.Algorithm
		found bool
	}{
		{"by kid", two, "ec", jose.ES256, true},
		{"kid for another algorithm", two, "ec", jose.EdDSA, false},
		{"unknown kid", two, "other", jose.ES256, false},
		{"no kid, one key", one, "", jose.EdDSA, true},
		{"no kid, one key, another algorithm", one, "", jose.RS256, false},
		{"no kid, two keys", two, "", jose.EdDSA, false},
		{"rfc7517 s4.5: one kid, two kinds", named, "k", jose.EdDSA, true},
		{"rfc7517 s4.5: one kid, two kinds", named, "k", jose.ES256, true},
	} {
		key := tt.set.Lookup(tt.kid, tt.alg)
		if (key != nil) != tt.found || key != nil && !key.Can(tt.alg) {
			t.Errorf("%s: %v", tt.name, key)
		}
	}
}

func TestKeysUnderOneKid(t *testing.T) {
	var list []string
	var tokens []string
	for seed := byte(1); seed <= 6; seed++ {
		key := ed25519.NewKeyFromSeed(append(make([]byte, 31), seed))
		jwk, err := jose.AppendJWK(nil, key.Public(), "same", jose.EdDSA)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, string(jwk))
		token, err := jose.Sign(key, jose.EdDSA, []byte(`{}`), []byte(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, token)
	}
	set, err := jose.ParseKeySet([]byte(`{"keys":[` + strings.Join(append(list, list[0]), ",") + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	good := ""
	for i, token := range tokens {
		dot := strings.LastIndexByte(token, '.')
		if set.Lookup("same", jose.EdDSA).Verify(jose.EdDSA, []byte(token[:dot]), decode(t, token[dot+1:])) == nil {
			good += fmt.Sprint(i)
		}
	}
	// Four of them, and a fifth costs nobody a public-key operation.
	if good != "0123" || len(set.Ignored()) != 3 {
		t.Errorf("good: %s, ignored: %v", good, set.Ignored())
	}
}

func FuzzKeySet(f *testing.F) {
	for _, s := range []string{
		`{"keys":[` + edJWK + `,` + ecJWK + `,` + rsaJWK(f, "r") + `]}`, `{"keys":[{}]}`, `{"keys":[[]]}`, `{"keys":[` + edJWK + `,{"kty":"RSA","n":"AQ","e":"AQAB"}]}`,
		`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"\u0031"}]}`, `{}`, `{"keys":[1,"a",null,{"a":[1,{"b":"\""}]}]}`,
	} {
		f.Add(s)
	}
	// A key that is accepted is written and read again as the same key, and encoding/json agrees that the document is one.
	f.Fuzz(func(t *testing.T, document string) {
		set, err := jose.ParseKeySet([]byte(document))
		if err != nil {
			return
		}
		if !json.Valid([]byte(document)) {
			t.Error("accepted what is not JSON")
		}
		for _, key := range set.Keys() {
			for _, alg := range []jose.Algorithm{jose.RS256, jose.PS256, jose.ES256, jose.EdDSA} {
				if !key.Can(alg) {
					continue
				}
				jwk, err := jose.AppendJWK([]byte(`{"keys":[`), key.Public(), key.ID(), alg)
				if err != nil {
					t.Fatal(err)
				}
				again, err := jose.ParseKeySet(append(jwk, "]}"...))
				if err != nil {
					t.Fatalf("%s: %v", jwk, err)
				}
				if got := again.Keys()[0]; got.ID() != key.ID() || fmt.Sprint(got.Public()) != fmt.Sprint(key.Public()) {
					t.Errorf("%s became another key", jwk)
				}
			}
		}
	})
}

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
