package jose_test

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/internal/jose"
)

// verify verifies a compact JWS under the one key of a set.
func verify(t *testing.T, jwk, compact string) error {
	t.Helper()
	set, err := jose.ParseKeySet([]byte(`{"keys":[` + jwk + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	token, ok := jose.Split(compact)
	if !ok {
		t.Fatal("not a compact JWS")
	}
	header, err := jose.ParseHeader(string(decode(t, token.Header)))
	if err != nil {
		t.Fatal(err)
	}
	key := set.Lookup(header.KeyID, header.Algorithm)
	if key == nil {
		t.Fatalf("no key for kid %q and %s", header.KeyID, header.Algorithm)
	}
	return key.Verify(header.Algorithm, []byte(token.Header+"."+token.Payload), decode(t, token.Signature))
}

func decode(t *testing.T, s string) []byte {
	t.Helper()
	b, ok := jose.AppendDecode(nil, []byte(s))
	if !ok {
		t.Fatalf("%q is not base64url", s)
	}
	return b
}

// The examples of the RFCs: the octets are not ours.
func TestExamplesOfTheRFCs(t *testing.T) {
	for _, tt := range []struct{ name, jwk, compact string }{
		{"rfc7515 a.2: RS256",
			`{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}`,
			"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"},
		{"rfc7515 a.3: ES256",
			`{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`,
			"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"},
		{"rfc8037 a.4: EdDSA",
			`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`,
			"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := verify(t, tt.jwk, tt.compact); err != nil {
				t.Error(err)
			}
			// Any other input is not what was signed.
			dot := strings.IndexByte(tt.compact, '.')
			changed := tt.compact[:dot+1] + "AAAA" + tt.compact[dot+1:]
			if verify(t, tt.jwk, changed) == nil {
				t.Error("a changed payload is good")
			}
		})
	}
}

func TestWhatIsSignedVerifiesUnderItsKeyOnly(t *testing.T) {
	for signed, key := range keys {
		compact, err := jose.Sign(key, signed, []byte(`{"alg":"`+signed+`"}`), []byte(`{"a":1}`))
		if err != nil {
			t.Fatal(err)
		}
		dot := strings.LastIndexByte(compact, '.')
		input, signature := []byte(compact[:dot]), decode(t, compact[dot+1:])
		for named, other := range keys {
			jwk, err := jose.AppendJWK([]byte(`{"keys":[`), other.Public(), "k", named)
			if err != nil {
				t.Fatal(err)
			}
			set, err := jose.ParseKeySet(append(jwk, "]}"...))
			if err != nil {
				t.Fatal(err)
			}
			for _, alg := range []jose.Algorithm{jose.RS256, jose.PS256, jose.ES256, jose.EdDSA, "none", "HS256", ""} {
				err := set.Keys()[0].Verify(alg, input, signature)
				if good := err == nil; good != (alg == signed && named == signed) {
					t.Errorf("signed with %s, key of %s, verified as %q: %v", signed, named, alg, err)
				}
			}
		}
		for i := range signature {
			flipped := append([]byte(nil), signature...)
			flipped[i] ^= 1
			if key := single(t, signed); key.Verify(signed, input, flipped) == nil {
				t.Errorf("%s: octet %d of the signature does not matter", signed, i)
			}
		}
		for _, wrong := range [][]byte{nil, {}, signature[1:], append(signature, 0), append([]byte{0}, signature...)} {
			if single(t, signed).Verify(signed, input, wrong) == nil {
				t.Errorf("%s: a signature of %d octets is good", signed, len(wrong))
			}
		}
	}
}

// single is the key of the algorithm, as a key set has it.
func single(t testing.TB, alg jose.Algorithm) *jose.Key {
	t.Helper()
	jwk, err := jose.AppendJWK([]byte(`{"keys":[`), keys[alg].Public(), "k", alg)
	if err != nil {
		t.Fatal(err)
	}
	set, err := jose.ParseKeySet(append(jwk, "]}"...))
	if err != nil {
		t.Fatal(err)
	}
	return set.Lookup("k", alg)
}

func TestSplit(t *testing.T) {
	for compact, want := range map[string]bool{
		"a.b.c": true, "": false, ".": false, "..": false, "a.b": false, "a.b.": false, "a..c": false, ".b.c": false, "a.b.c.d": false, "a.b.c.": false,
	} {
		token, ok := jose.Split(compact)
		if ok != want {
			t.Errorf("%q: %v", compact, ok)
		}
		if ok && token.Header+"."+token.Payload+"."+token.Signature != compact {
			t.Errorf("%q: split into %+v", compact, token)
		}
	}
}

func TestBase64IsExact(t *testing.T) {
	for s, want := range map[string]bool{
		"": true, "AA": true, "AAA": true, "AAAA": true, "-_-_": true,
		"A": false, "AAAAA": false, "AB": false, "AAB": false, "AA==": false, "AA=": false, "AA\n": false, "\nAA": false, "A\rA": false,
		"AAA\n\n": false, "A A": false, "+/+/": false, "AA.": false, "ÄÄ": false,
	} {
		if _, ok := jose.AppendDecode(nil, []byte(s)); ok != want {
			t.Errorf("%q: %v", s, ok)
		}
	}
}

func TestParseHeader(t *testing.T) {
	for header, want := range map[string]error{
		`{"alg":"RS256"}`:                            nil,
		` { "alg" : "RS256" , "kid":"a\/b" } `:       nil,
		`{"alg":"RS256","unknown":{"crit":[]}}`:      nil,
		`{"alg":"RS256","Crit":["x"]}`:               nil, // another name is a name that is not understood
		`{}`:                                         jose.ErrHeader,
		`{"alg":""}`:                                 jose.ErrHeader,
		`{"alg":["RS256"]}`:                          jose.ErrHeader,
		`{"ALG":"RS256"}`:                            jose.ErrHeader,
		`{"alg":"RS256","alg":"RS256"}`:              jose.ErrHeader,
		`{"alg":"RS256","\u0061lg":"none"}`:          jose.ErrHeader,
		`{"alg":"RS256","kid":null}`:                 jose.ErrHeader,
		`{"alg":"RS256"}x`:                           jose.ErrHeader,
		`{"alg":"RS256",}`:                           jose.ErrHeader,
		`[{"alg":"RS256"}]`:                          jose.ErrHeader,
		`"RS256"`:                                    jose.ErrHeader,
		``:                                           jose.ErrHeader,
		"{\"alg\":\"RS256\",\"kid\":\"\xff\"}":       jose.ErrHeader,
		`{"alg":"RS256","crit":[]}`:                  jose.ErrCritical,
		`{"alg":"RS256","crit":["b64"],"b64":1}`:     jose.ErrCritical,
		`{"alg":"RS256","\u0063rit":["exp"]}`:        jose.ErrCritical,
		`{"alg":"RS256","b64":true}`:                 jose.ErrCritical,
		`{"alg":"RS256","zip":"DEF"}`:                jose.ErrCritical,
		`{"alg":"` + strings.Repeat("a", 300) + `"}`: jose.ErrHeader,
	} {
		if _, err := jose.ParseHeader(header); err != want {
			t.Errorf("%s: %v, want %v", header, err, want)
		}
	}
}

func FuzzAppendDecode(f *testing.F) {
	for _, s := range []string{"", "A", "AA", "AB", "AAA\n", "-_-_", "AA=="} {
		f.Add(s)
	}
	// What is accepted encodes to the same text: one token has one spelling. And Go's decoder agrees, but for line breaks.
	f.Fuzz(func(t *testing.T, s string) {
		b, ok := jose.AppendDecode([]byte("before"), []byte(s))
		if ok && (!bytes.HasPrefix(b, []byte("before")) || s != base64.RawURLEncoding.EncodeToString(b[len("before"):])) {
			t.Errorf("%q decodes to what is not spelled so", s)
		}
		other, err := base64.RawURLEncoding.Strict().DecodeString(s)
		if agrees := err == nil && !strings.ContainsAny(s, "\r\n"); ok != agrees || ok && string(other) != string(b[len("before"):]) {
			t.Errorf("%q: %v, Go's decoder: %v", s, ok, err)
		}
	})
}

func FuzzJWS(f *testing.F) {
	for alg, key := range keys {
		compact, err := jose.Sign(key, alg, []byte(`{"alg":"`+alg+`","kid":"k"}`), []byte(`{"a":1}`))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(compact)
		f.Add(compact[:len(compact)-1])
	}
	for _, s := range []string{"", "...", "e30.e30.AA", "eyJhbGciOiJub25lIn0.e30.AA"} {
		f.Add(s)
	}
	verifiers := map[jose.Algorithm]*jose.Key{}
	for alg := range keys {
		verifiers[alg] = single(f, alg)
	}
	// Nothing verifies but what the seeds are, to the letter: a fuzzer cannot sign.
	f.Fuzz(func(t *testing.T, compact string) {
		token, ok := jose.Split(compact)
		if !ok {
			return
		}
		text, ok := jose.AppendDecode(nil, []byte(token.Header))
		if !ok {
			return
		}
		header, err := jose.ParseHeader(string(text))
		signature, ok := jose.AppendDecode(nil, []byte(token.Signature))
		if err != nil || !ok || verifiers[header.Algorithm] == nil {
			return
		}
		input := token.Header + "." + token.Payload
		if verifiers[header.Algorithm].Verify(header.Algorithm, []byte(input), signature) != nil {
			return
		}
		payload, ok := jose.AppendDecode(nil, []byte(token.Payload))
		if !ok || string(payload) != `{"a":1}` {
			t.Errorf("%q verifies", compact)
		}
	})
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
