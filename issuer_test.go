package countersign_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/internal/jose"
)

const (
	pool     = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123"
	tenant   = "https://login.example.com"
	resource = "https://api.example.com"
	client   = "1example23456789"
)

// now is when the tests happen.
var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// testKeys are made once: an RSA key takes a tenth of a second.
var testKeys = struct {
	first, second *rsa.PrivateKey
	ec            *ecdsa.PrivateKey
	ed            ed25519.PrivateKey
}{mustRSA(), mustRSA(), must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), ed25519.NewKeyFromSeed(make([]byte, 32))}

func mustRSA() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// published is a key under its name in a key set.
type published struct {
	kid string
	alg jose.Algorithm
	key crypto.Signer
}

// fakeIssuer answers for discovery and keys without a network, and counts what it is asked.
type fakeIssuer struct {
	url     string
	keys    []published
	down    atomic.Bool
	fetches atomic.Int64
	foreign atomic.Int64 // requests to any other address
}

// newIssuer is an issuer with two RSA keys, as a Cognito pool has them.
func newIssuer(url string) *fakeIssuer {
	return &fakeIssuer{url: url, keys: []published{{"first", jose.RS256, testKeys.first}, {"second", jose.RS256, testKeys.second}}}
}

func (i *fakeIssuer) RoundTrip(r *http.Request) (*http.Response, error) {
	i.fetches.Add(1)
	status, body := http.StatusOK, ""
	switch {
	case i.down.Load():
		status = http.StatusServiceUnavailable
	case r.URL.String() == i.url+"/.well-known/openid-configuration":
		body = fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q}`, i.url, i.url+"/keys")
	case r.URL.String() == i.url+"/keys":
		set := []byte(`{"keys":[`)
		for n, key := range i.keys {
			if n > 0 {
				set = append(set, ',')
			}
			set = must(jose.AppendJWK(set, key.key.Public(), key.kid, key.alg))
		}
		body = string(set) + "]}"
	default:
		i.foreign.Add(1)
		status = http.StatusNotFound
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// guard is a guard of the issuer; edit may change its configuration.
func (i *fakeIssuer) guard(t testing.TB, edit func(*countersign.Config)) *countersign.Guard {
	t.Helper()
	cfg := countersign.Config{
		Issuer:     i.url,
		Resource:   resource,
		HTTPClient: &http.Client{Transport: i},
		Now:        func() time.Time { return now },
		Logger:     slog.New(slog.DiscardHandler),
	}
	if edit != nil {
		edit(&cfg)
	}
	guard, err := countersign.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { guard.Close() })
	return guard
}

// members is a JSON object whose members keep their order and need not be sensible.
type members [][2]string

// with replaces the member or adds it at the end; value is JSON.
func (m members) with(name, value string) members {
	out := m.without(name)
	return append(out, [2]string{name, value})
}

// also adds the member, even if it is there.
func (m members) also(name, value string) members {
	return append(append(members(nil), m...), [2]string{name, value})
}

func (m members) without(name string) members {
	var out members
	for _, member := range m {
		if member[0] != name {
			out = append(out, member)
		}
	}
	return out
}

func (m members) String() string {
	var b bytes.Buffer
	for i, member := range m {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:%s", member[0], member[1])
	}
	return "{" + b.String() + "}"
}

// cognitoHeader and cognitoClaims are of a token as Cognito issues it to a machine.
var (
	cognitoHeader = members{{"kid", `"first"`}, {"alg", `"RS256"`}}
	cognitoClaims = members{
		{"sub", `"` + client + `"`}, {"token_use", `"access"`},
		{"scope", `"https://api.example.com/demo.read https://api.example.com/demo.list"`},
		{"auth_time", seconds(0)}, {"iss", `"` + pool + `"`}, {"exp", seconds(time.Hour)}, {"iat", seconds(0)},
		{"version", "2"}, {"jti", `"7d0f3b1c-52a7-4c62-9f0c-1d7d0a3e2b11"`}, {"client_id", `"` + client + `"`},
	}
	rfc9068Header = members{{"typ", `"at+jwt"`}, {"kid", `"first"`}, {"alg", `"RS256"`}}
	rfc9068Claims = members{
		{"iss", `"` + tenant + `"`}, {"sub", `"` + client + `"`}, {"aud", `"` + resource + `"`}, {"exp", seconds(time.Hour)},
		{"iat", seconds(0)}, {"jti", `"7d0f3b1c-52a7-4c62-9f0c-1d7d0a3e2b11"`}, {"client_id", `"` + client + `"`}, {"scope", `"demo.read demo.list"`},
	}
)

// seconds is a NumericDate so long after now.
func seconds(d time.Duration) string { return fmt.Sprint(now.Add(d).Unix()) }

// sign signs with the issuer's first key, whatever the header says.
func sign(header, claims fmt.Stringer) string {
	return must(jose.Sign(testKeys.first, jose.RS256, []byte(header.String()), []byte(claims.String())))
}

// text is a document that members cannot write.
type text string

func (t text) String() string { return string(t) }

// scoped is a good token with the scopes.
func scoped(names ...string) string {
	for i := range names {
		names[i] = resource + "/" + names[i]
	}
	return sign(cognitoHeader, cognitoClaims.with("scope", `"`+strings.Join(names, " ")+`"`))
}

func (i *fakeIssuer) now() time.Time { return now }
