package countersign_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/internal/jose"
)

// usual is a token of the size that Cognito's have: about 1,100 octets.
func usual(n int) string { return sign(cognitoHeader, usualClaims(n)) }

func usualClaims(n int) members {
	return cognitoClaims.
		also("cognito:groups", `["readers-of-everything","writers-of-some","operators","auditors-of-the-region"]`).
		also("origin_jti", `"1c0f3b1c-52a7-4c62-9f0c-1d7d0a3e2b99"`).also("n", fmt.Sprint(n))
}

type nobody struct{ header http.Header }

func (n *nobody) Header() http.Header         { return n.header }
func (n *nobody) Write(b []byte) (int, error) { return len(b), nil }
func (n *nobody) WriteHeader(int)             {}

func request(token string) *http.Request {
	r := httptest.NewRequest("GET", "/demo", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

// BenchmarkFloor is what a first sight cannot be faster than: the RSA verification and SHA-256 of the signing input.
func BenchmarkFloor(b *testing.B) {
	token := usual(0)
	dot := strings.LastIndexByte(token, '.')
	input := []byte(token[:dot])
	signature := must(base64.RawURLEncoding.DecodeString(token[dot+1:]))
	b.ReportAllocs()
	for b.Loop() {
		digest := sha256.Sum256(input)
		if rsa.VerifyPKCS1v15(&testKeys.first.PublicKey, crypto.SHA256, digest[:], signature) != nil {
			b.Fatal("bad signature")
		}
	}
}

// BenchmarkFirstSight verifies every token anew.
func BenchmarkFirstSight(b *testing.B) {
	guard := newIssuer(pool).guard(b, func(c *countersign.Config) { c.CacheBytes = -1; *c = atRealTime(*c) })
	token := usual(0)
	rule := countersign.Scope("demo.read")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := guard.Authorize(b.Context(), token, rule); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHandlerFirstSight is the whole middleware with a token that it sees for the first time each time.
func BenchmarkHandlerFirstSight(b *testing.B) {
	guard := newIssuer(pool).guard(b, func(c *countersign.Config) { c.CacheBytes = -1; *c = atRealTime(*c) })
	benchmarkHandler(b, guard, usual(0))
}

// BenchmarkHandlerHit is the whole middleware with a token that it has seen, the caller in the request's context.
func BenchmarkHandlerHit(b *testing.B) {
	benchmarkHandler(b, newIssuer(pool).guard(b, func(c *countersign.Config) { *c = atRealTime(*c) }), usual(0))
}

// BenchmarkHandlerHit20000 is the same with 20,000 live tokens in turn.
func BenchmarkHandlerHit20000(b *testing.B) {
	issuer := newIssuer(pool)
	issuer.keys = []published{{"ed", jose.EdDSA, testKeys.ed}} // 20,000 RSA signatures take a quarter of a minute
	guard := issuer.guard(b, func(c *countersign.Config) { *c = atRealTime(*c); c.Algorithms = []string{"EdDSA"} })
	tokens := make([]string, 20000)
	for i := range tokens {
		header := members{{"kid", `"ed"`}, {"alg", `"EdDSA"`}}
		tokens[i] = must(jose.Sign(testKeys.ed, jose.EdDSA, []byte(header.String()), []byte(usualClaims(i).String())))
	}
	benchmarkHandler(b, guard, tokens...)
}

// benchmarkHandler presents the tokens in turn, each as it comes from a connection: in memory of its own, which is warm,
// while what the guard kept of it is as cold as the number of tokens makes it.
func benchmarkHandler(b *testing.B, guard *countersign.Guard, tokens ...string) {
	served := 0
	h := guard.Require(countersign.Scope("demo.read"))(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served++ }))
	w, r := &nobody{http.Header{}}, request("")
	for _, token := range tokens {
		r.Header["Authorization"][0] = "Bearer " + token
		h.ServeHTTP(w, r)
	}
	var incoming [64]string
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i += len(incoming) {
		b.StopTimer()
		for n := range incoming {
			incoming[n] = "Bearer " + tokens[(i+n)%len(tokens)]
		}
		b.StartTimer()
		for n := range min(len(incoming), b.N-i) {
			r.Header["Authorization"][0] = incoming[n]
			h.ServeHTTP(w, r)
		}
	}
	if served != len(tokens)+b.N {
		b.Fatalf("%d of %d requests were served", served, len(tokens)+b.N)
	}
}

// BenchmarkHostile refuses a token of 8 MB.
func BenchmarkHostile(b *testing.B) {
	guard := newIssuer(pool).guard(b, nil)
	h := guard.Require(countersign.Scope("demo.read"))(http.NotFoundHandler())
	r := request(strings.Repeat("A", 4<<20) + "." + strings.Repeat("A", 4<<20) + ".AA")
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(&nobody{http.Header{}}, r)
	}
}

// atRealTime reads the clock as production does, and moves it so that the test tokens are good.
func atRealTime(c countersign.Config) countersign.Config {
	c.Now = realNow
	return c
}

// realNow costs what time.Now costs, and is the time of the test tokens.
func realNow() time.Time { return time.Now().Add(shift) }

var shift = time.Until(now.Add(time.Minute))
