package countersign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/internal/jose"
)

// rsaSituation is an RSA key, made once: generating one is dear.
var rsaSituation = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// rsaJWK is the public JWK of rsaSituation with the members of more in the place of alg and use.
func rsaJWK(more string) string {
	public := rsaSituation().PublicKey
	n := base64.RawURLEncoding.EncodeToString(public.N.Bytes())
	return fmt.Sprintf(`{"kty":"RSA","kid":"good","n":%q,"e":"AQAB"%s}`, n, more)
}

func TestKeySituationsOfOneSet(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := jose.AppendJWK(nil, ec.Public(), "other", jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	namesake, err := jose.AppendJWK(nil, wrong.Public(), "good", jose.RS256)
	if err != nil {
		t.Fatal(err)
	}
	good := rsaJWK(`,"use":"sig","alg":"RS256"`)
	short := strings.Repeat("A", 171) // 1024 bits
	for _, tt := range []struct {
		name string
		keys []string
		want error // for kid good and RS256
	}{
		{"rfc7517 s4.4: key without alg", []string{rsaJWK(`,"use":"sig"`)}, nil},
		{"rfc7517 s4.2: key with use=enc", []string{rsaJWK(`,"use":"enc","alg":"RS256"`), string(other)}, errUnknownKey},
		{"rfc7517 s4.3: key_ops without verify", []string{rsaJWK(`,"key_ops":["sign"]`), string(other)}, errUnknownKey},
		{"rfc8725 s3.1: key with alg=RS512, token RS256", []string{rsaJWK(`,"alg":"RS512"`), string(other)}, errUnknownKey},
		{"rfc7517 s5: unknown kty beside the good key", []string{`{"kty":"AKP","kid":"pq","alg":"ML-DSA-44","pub":"AAAA"}`, good}, nil},
		{"rfc7517 s5: broken RSA key beside the good key", []string{`{"kty":"RSA","kid":"broken","n":"!","e":"AQAB"}`, good}, nil},
		{"rfc7517 s5: a string beside the good key", []string{`"x"`, good}, nil},
		{"rfc7518 s3.3: 1024-bit RSA key", []string{fmt.Sprintf(`{"kty":"RSA","kid":"good","n":"9%s","e":"AQAB"}`, short), string(other)}, errUnknownKey},
		{"rfc8725 s2.1: oct key", []string{`{"kty":"oct","kid":"good","k":"AAAA","alg":"HS256"}`, string(other)}, errUnknownKey},
		{"rfc7517 s4.5: two keys under one kid, the second is right", []string{string(namesake), good}, nil},
		{"rfc7517 s4.5: two keys under one kid, the first is right", []string{good, string(namesake)}, nil},
		{"rfc7517 s9.2: a private key", []string{rsaJWK(`,"d":"AAAA"`), string(other)}, errUnknownKey},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				issuer := newFakeKeysIssuer()
				issuer.answerKeys(answerText(200, `{"keys":[`+strings.Join(tt.keys, ",")+`]}`))
				k := startKeys(t, issuer, func(cfg *keySourceConfig) {
					cfg.algorithms = []jose.Algorithm{jose.RS256, jose.ES256}
				})
				key, err := k.key(t.Context(), "good", jose.RS256)
				if err != tt.want {
					t.Fatalf("%v, want %v", err, tt.want)
				}
				if err == nil {
					verifySituation(t, key)
				}
			})
		})
	}
}

// verifySituation fails unless key is good for a signature of rsaSituation.
func verifySituation(t *testing.T, key *jose.Key) {
	t.Helper()
	token, err := jose.Sign(crypto.Signer(rsaSituation()), jose.RS256, []byte(`{}`), []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	end := strings.LastIndexByte(token, '.')
	signature, err := base64.RawURLEncoding.DecodeString(token[end+1:])
	if err != nil {
		t.Fatal(err)
	}
	if err := key.Verify(jose.RS256, []byte(token[:end]), signature); err != nil {
		t.Errorf("the key does not verify: %v", err)
	}
}

func TestKeySituationsOfMisses(t *testing.T) {
	twenty := func(t *testing.T, k *keysTest, kid func(int) string, want error) {
		t.Helper()
		for n := range 20 {
			k.want(t, kid(n), want)
		}
	}
	junk := func(n int) string { return fmt.Sprint("junk", n) }
	for _, tt := range []struct {
		name    string
		play    func(t *testing.T, k *keysTest)
		fetches int // those after the first; the timer's are among them, where the first miss waits
	}{
		{"20 unknown kids", func(t *testing.T, k *keysTest) {
			twenty(t, k, junk, errUnknownKey)
		}, missBurst},
		{"20 tokens of one unknown kid", func(t *testing.T, k *keysTest) {
			twenty(t, k, func(int) string { return "junk" }, errUnknownKey)
		}, 1},
		{"20 bad signatures, known kid", func(t *testing.T, k *keysTest) {
			twenty(t, k, func(int) string { return "a" }, nil)
		}, 0},
		{"20 unknown kids while issuer answers 500", func(t *testing.T, k *keysTest) {
			k.issuer.answerKeys(answerText(500, ""))
			twenty(t, k, junk, errKeysUnavailable)
		}, patientFailures},
		{"refetch answers 200 with no keys", func(t *testing.T, k *keysTest) {
			k.issuer.answerKeys(answerText(200, `{"keys":[]}`))
			twenty(t, k, junk, errKeysUnavailable)
		}, patientFailures},
		{"refetch answers 200 {}", func(t *testing.T, k *keysTest) {
			k.issuer.answerKeys(answerText(200, `{}`))
			twenty(t, k, junk, errKeysUnavailable)
		}, patientFailures},
		{"refetch answers 200 with keys of no allowed algorithm", func(t *testing.T, k *keysTest) {
			jwk, err := jose.AppendJWK(nil, ecdsaSituation(t), "a", jose.ES256)
			if err != nil {
				t.Fatal(err)
			}
			k.issuer.answerKeys(answerText(200, `{"keys":[`+string(jwk)+`]}`))
			twenty(t, k, junk, errKeysUnavailable)
		}, patientFailures},
		{"new key rotated in: first token", func(t *testing.T, k *keysTest) {
			k.issuer.publish("a", "new")
			twenty(t, k, func(int) string { return "new" }, nil)
		}, 1},
	} {
		t.Run(tt.name+", then a good token", func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				k := startKeys(t, newFakeKeysIssuer("a"))
				k.want(t, "a", nil)
				tt.play(t, k)
				if f := k.issuer.fetches() - 1; f != tt.fetches {
					t.Errorf("%d fetches, want %d", f, tt.fetches)
				}
				k.want(t, "a", nil)
			})
		})
	}
}

func ecdsaSituation(t *testing.T) crypto.PublicKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key.Public()
}

func TestKeySituationA64MBSetOnFirstUseIsReadToItsBound(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		read := 0
		issuer := newFakeKeysIssuer("a")
		issuer.answerKeys(func(r *http.Request) (*http.Response, error) {
			return answerBody(r, 200, endless{&read}), nil
		})
		k := startKeys(t, issuer)
		k.want(t, "a", errKeysUnavailable)
		if read > issuer.fetches()*(maxFetchBody+1) {
			t.Errorf("%d octets were read", read)
		}
		issuer.answerKeys(nil)
		time.Sleep(maxBackoff)
		k.want(t, "a", nil)
	})
}
