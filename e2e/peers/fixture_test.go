package peers

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/internal/jose"
)

const (
	pool     = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123" // Cognito's
	tenant   = "https://login.example.com"                                       // RFC 9068's
	resource = "https://api.example.com"
	client   = "1example23456789"
)

// now is when the tests of the verifiers happen.
var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// signingKey is a key of an issuer under its name.
type signingKey struct {
	kid string
	alg jose.Algorithm
	key crypto.Signer
}

// keysOf has the keys of each issuer, one for each algorithm that all the verifiers here know. They are made once: an RSA key takes
// a tenth of a second.
var keysOf = map[string][]signingKey{pool: newKeys("pool"), tenant: newKeys("tenant")}

var algorithms = []jose.Algorithm{jose.EdDSA, jose.ES256, jose.RS256}

func newKeys(name string) []signingKey {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	return []signingKey{
		{name + "-ed", jose.EdDSA, must(ed, err)},
		{name + "-ec", jose.ES256, must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))},
		{name + "-rsa", jose.RS256, must(rsa.GenerateKey(rand.Reader, 2048))},
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// keySetFile writes the issuer's key set into a file.
func keySetFile(t testing.TB, issuer string) string {
	t.Helper()
	var keys []string
	for _, k := range keysOf[issuer] {
		keys = append(keys, string(must(jose.AppendJWK(nil, k.key.Public(), k.kid, k.alg))))
	}
	file := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(file, []byte(`{"keys":[`+strings.Join(keys, ",")+`]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// newGuard is a guard of both issuers that needs no network.
func newGuard(t testing.TB, edit func(*countersign.Config)) *countersign.Guard {
	t.Helper()
	var names []string
	for _, a := range algorithms {
		names = append(names, string(a))
	}
	cfg := countersign.Config{
		Issuer: pool, Resource: resource, Algorithms: names, KeysFile: keySetFile(t, pool),
		AlsoTrust: []countersign.Issuer{{Issuer: tenant, Algorithms: names, KeysFile: keySetFile(t, tenant)}},
		Now:       func() time.Time { return now },
		Logger:    slog.New(slog.DiscardHandler),
	}
	edit(&cfg)
	guard, err := countersign.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { guard.Close() })
	return guard
}

// member is one member of a JSON object; members keep their order and may be senseless.
type member struct{ name, value string }

type members []member

func (m members) String() string {
	var b strings.Builder
	for i, member := range m {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%s:%s", member.name, member.value)
	}
	return "{" + b.String() + "}"
}

func date(d time.Duration) string { return fmt.Sprint(now.Add(d).Unix()) }

// good are the claims of a good token of each issuer, without header: a header names a key.
var good = map[string]members{
	pool: {
		{`"sub"`, `"` + client + `"`}, {`"token_use"`, `"access"`}, {`"scope"`, `"https://api.example.com/demo.read https://api.example.com/demo.list"`},
		{`"auth_time"`, date(0)}, {`"iss"`, `"` + pool + `"`}, {`"exp"`, date(time.Hour)}, {`"iat"`, date(0)}, {`"version"`, "2"},
		{`"jti"`, `"7d0f3b1c-52a7-4c62-9f0c-1d7d0a3e2b11"`}, {`"client_id"`, `"` + client + `"`},
	},
	tenant: {
		{`"iss"`, `"` + tenant + `"`}, {`"sub"`, `"` + client + `"`}, {`"aud"`, `"` + resource + `"`}, {`"exp"`, date(time.Hour)},
		{`"iat"`, date(0)}, {`"jti"`, `"7d0f3b1c-52a7-4c62-9f0c-1d7d0a3e2b11"`}, {`"client_id"`, `"` + client + `"`}, {`"scope"`, `"demo.read demo.list"`},
	},
}

func headerOf(issuer string, k signingKey) members {
	h := members{{`"kid"`, `"` + k.kid + `"`}, {`"alg"`, `"` + string(k.alg) + `"`}}
	if issuer == tenant {
		h = append(h, member{`"typ"`, `"at+jwt"`})
	}
	return h
}
