package clientcredentials_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
)

var (
	rsaKey      = must(rsa.GenerateKey(rand.Reader, 2048))
	ecdsaKey    = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	_, edKey, _ = ed25519.GenerateKey(rand.Reader)
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// verify checks a compact JWS with the standard library's own verification.
func verify(t *testing.T, compact string, pub crypto.PublicKey) (header, claims map[string]any) {
	t.Helper()
	parts := strings.Split(compact, ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts", len(parts))
	}
	decoded := make([][]byte, 3)
	for n, part := range parts {
		decoded[n] = must(base64.RawURLEncoding.DecodeString(part))
	}
	if json.Unmarshal(decoded[0], &header) != nil || json.Unmarshal(decoded[1], &claims) != nil {
		t.Fatal("the assertion is not of JSON objects")
	}
	input := []byte(parts[0] + "." + parts[1])
	digest := sha256.Sum256(input)
	good := false
	switch key := pub.(type) {
	case *rsa.PublicKey:
		if header["alg"] == "PS256" {
			good = rsa.VerifyPSS(key, crypto.SHA256, digest[:], decoded[2], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
		} else {
			good = rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], decoded[2]) == nil
		}
	case *ecdsa.PublicKey:
		r, s := new(big.Int).SetBytes(decoded[2][:32]), new(big.Int).SetBytes(decoded[2][32:])
		good = ecdsa.Verify(key, digest[:], r, s)
	case ed25519.PublicKey:
		good = ed25519.Verify(key, input, decoded[2])
	}
	if !good {
		t.Error("the signature is bad")
	}
	return header, claims
}

func TestPrivateKeyJWT(t *testing.T) {
	for _, c := range []struct {
		alg, want string
		key       crypto.Signer
	}{
		{"", "RS256", rsaKey}, {"PS256", "PS256", rsaKey}, {"", "ES256", ecdsaKey}, {"", "EdDSA", edKey},
	} {
		t.Run("rfc7523 s2.2: "+c.want, func(t *testing.T) {
			i := &issuer{}
			s := i.source(t, func(cfg *clientcredentials.Config) {
				cfg.Issuer = "https://issuer.example.com"
				cfg.Credentials = clientcredentials.PrivateKeyJWT(clientcredentials.PrivateKey{ClientID: "reader", Signer: c.key, KeyID: "k1", Algorithm: c.alg})
			})
			token(t, s)
			req := i.last()
			form := must(url.ParseQuery(req.body))
			if got := form.Get("client_assertion_type"); got != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
				t.Errorf("client_assertion_type %q", got)
			}
			if form.Has("client_secret") || req.header.Get("Authorization") != "" || form.Get("client_id") != "reader" {
				t.Errorf("the request has %v and %q", form, req.header.Get("Authorization"))
			}
			header, claims := verify(t, form.Get("client_assertion"), c.key.Public())
			if header["alg"] != c.want || header["kid"] != "k1" {
				t.Errorf("header %v", header)
			}
			iat, exp := claims["iat"].(float64), claims["exp"].(float64)
			if claims["iss"] != "reader" || claims["sub"] != "reader" || claims["aud"] != "https://issuer.example.com" || claims["jti"] == "" || exp-iat != 60 {
				t.Errorf("claims %v", claims)
			}
		})
	}
}

func TestAssertionsAreNeverTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{}
		s := i.source(t, func(cfg *clientcredentials.Config) {
			cfg.Credentials = clientcredentials.PrivateKeyJWT(clientcredentials.PrivateKey{ClientID: "reader", Signer: edKey})
		})
		seen := map[any]bool{}
		for range 3 {
			token(t, s)
			_, claims := verify(t, must(url.ParseQuery(i.last().body)).Get("client_assertion"), edKey.Public())
			if claims["aud"] != endpoint {
				t.Errorf("without an Issuer, aud is %v, want the token endpoint", claims["aud"])
			}
			if seen[claims["jti"]] || claims["iat"] != float64(time.Now().Unix()-5) {
				t.Errorf("claims %v again", claims)
			}
			seen[claims["jti"]] = true
			time.Sleep(time.Hour)
		}
		if stats := s.Stats(); stats.SecretGeneration != 1 {
			t.Errorf("a key that stays is another credential each time: %+v", stats)
		}
	})
}

func TestPrivateKeyIsChecked(t *testing.T) {
	weak := must(rsa.GenerateKey(rand.Reader, 1024))
	p384 := must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	for name, k := range map[string]clientcredentials.PrivateKey{
		"no ClientID":                {Signer: edKey},
		"no Signer":                  {ClientID: "reader"},
		"the algorithm is of others": {ClientID: "reader", Signer: edKey, Algorithm: "RS256"},
		"rfc7518 s3.2: no HS256":     {ClientID: "reader", Signer: rsaKey, Algorithm: "HS256"},
		"rfc8725 s3.1: no none":      {ClientID: "reader", Signer: rsaKey, Algorithm: "none"},
		"rfc7518 s3.3: 1024 bits":    {ClientID: "reader", Signer: weak},
		"rfc7518 s3.4: P-384":        {ClientID: "reader", Signer: p384},
	} {
		cfg := clientcredentials.Config{TokenEndpoint: endpoint, Credentials: clientcredentials.PrivateKeyJWT(k)}
		if _, err := clientcredentials.New(cfg); err == nil || !strings.HasPrefix(err.Error(), "clientcredentials: Config.Credentials: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// brokenSigner is a KMS that does not let its caller sign.
type brokenSigner struct{ crypto.Signer }

func (brokenSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errNotAllowed
}

var errNotAllowed = errors.New("AccessDeniedException: kms:Sign")

// TestASignerThatFails: what its KMS says is what its operator needs.
func TestASignerThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{}
		s := i.source(t, func(cfg *clientcredentials.Config) {
			cfg.Credentials = clientcredentials.PrivateKeyJWT(clientcredentials.PrivateKey{ClientID: "reader", Signer: brokenSigner{ecdsaKey}})
		})
		if _, err := s.Token(t.Context()); !errors.Is(err, errNotAllowed) || i.count() != 0 {
			t.Errorf("got %v after %d requests", err, i.count())
		}
	})
}

// TestAssertionFile is a projected ServiceAccount token, which the kubelet replaces before it ends.
func TestAssertionFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := jwt(map[string]any{"sub": "system:serviceaccount:shop:orders", "n": 1}), jwt(map[string]any{"n": 2})
		file := filepath.Join(t.TempDir(), "token")
		write := func(text string) {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write(first + "\n")
		i := &issuer{}
		s := i.source(t, func(cfg *clientcredentials.Config) { cfg.Credentials = clientcredentials.AssertionFile("", file) })
		asked := func(want string) {
			t.Helper()
			form := must(url.ParseQuery(i.last().body))
			if form.Get("client_assertion") != want || form.Has("client_id") {
				t.Errorf("the request has %v", form)
			}
		}
		token(t, s)
		asked(first)
		write(second)
		time.Sleep(time.Hour)
		token(t, s)
		asked(second)

		// What it holds is refused: the file is read once more, and an assertion that ended is not tried.
		i.set(func(int, request) *http.Response { return refused(401, "invalid_client") })
		time.Sleep(time.Hour)
		before := i.count()
		if _, err := s.Token(t.Context()); err == nil || i.count() != before+1 {
			t.Errorf("%v after %d requests", err, i.count()-before)
		}
	})
}

func TestAssertionFileHoldsAnAssertion(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "a password": "hunter2", "two parts": "a.b", "four parts": "a.b.c.d", "a line more": "a.b.c\nd", "JSON": `{"client_secret":"a.b.c"}`,
	} {
		i := &issuer{}
		file := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s := i.source(t, func(cfg *clientcredentials.Config) { cfg.Credentials = clientcredentials.AssertionFile("reader", file) })
		_, err := s.Token(t.Context())
		if err == nil || !strings.Contains(err.Error(), "does not hold a signed JWT") || i.count() != 0 || text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v, %d requests", name, err, i.count())
		}
	}
}

// TestNothingTellsAnAssertion: whoever has one may ask for a token for a minute.
func TestNothingTellsAnAssertion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(file, []byte(jwt(map[string]any{"sub": "orders"})), 0o600); err != nil {
			t.Fatal(err)
		}
		for name, credentials := range map[string]clientcredentials.Credentials{
			"signed": clientcredentials.PrivateKeyJWT(clientcredentials.PrivateKey{ClientID: "reader", Signer: edKey}),
			"file":   clientcredentials.AssertionFile("reader", file),
		} {
			var shown string
			out := &logBuffer{}
			s := (&issuer{}).source(t, func(cfg *clientcredentials.Config) {
				cfg.Credentials, cfg.Logger = credentials, out.logger()
				cfg.HTTPClient = &http.Client{Transport: roundTripper(func(req *http.Request) (*http.Response, error) {
					body, _ := io.ReadAll(req.Body)
					shown = must(url.ParseQuery(string(body))).Get("client_assertion")
					return nil, errors.New("cannot send " + string(body))
				})}
			})
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := s.Token(ctx)
			_ = s.Close() // no request is under way while all of it is printed
			list, _ := credentials.Load(t.Context())
			told := fmt.Sprintf("%v %+v %#v %v %s %+v", err, err, list, list, out, s)
			_, claims, _ := strings.Cut(shown, ".")
			if shown == "" || strings.Contains(told, shown) || strings.Contains(told, claims) {
				t.Errorf("%s: told: %s", name, told)
			}
		}
	})
}

// TestNothingTellsAPrivateKey: an Ed25519 key is a slice of bytes, which fmt prints, and encoding/json writes every field of an RSA key.
func TestNothingTellsAPrivateKey(t *testing.T) {
	for name, c := range map[string]struct {
		key   crypto.Signer
		forms []string
	}{
		"Ed25519": {edKey, []string{fmt.Sprintf("%d", edKey[:8])[1:20], fmt.Sprintf("%x", edKey[:8]), base64.StdEncoding.EncodeToString(edKey)[:16]}},
		"RSA":     {rsaKey, []string{rsaKey.D.String(), fmt.Sprintf("%x", rsaKey.D), rsaKey.Primes[0].String()}},
		"ECDSA":   {ecdsaKey, []string{ecdsaKey.D.String(), fmt.Sprintf("%x", ecdsaKey.D)}},
	} {
		k := clientcredentials.PrivateKey{ClientID: "reader", Signer: c.key, KeyID: "k1"}
		out := &logBuffer{}
		for _, value := range []any{k, &k, []any{k}, clientcredentials.PrivateKeyJWT(k), struct{ Key clientcredentials.PrivateKey }{k}} {
			inJSON, _ := json.Marshal(value)
			fmt.Fprintf(out, "%v %+v %#v %d %x %s\n", value, value, value, value, value, inJSON)
			out.logger().Info("configured", "key", value)
			slog.New(slog.NewTextHandler(out, nil)).Info("configured", "key", value)
		}
		told := out.String()
		for _, form := range c.forms {
			if strings.Contains(told, form) {
				t.Errorf("%s: the key is told as %q", name, form)
			}
		}
		if !strings.Contains(told, "reader") || !strings.Contains(told, "k1") {
			t.Errorf("%s: whose key it is cannot be seen: %s", name, told)
		}
	}
}

func TestCognitoTakesNoAssertion(t *testing.T) {
	i := &issuer{}
	s := i.source(t, func(cfg *clientcredentials.Config) {
		cfg.Door = clientcredentials.GetClientToken
		cfg.Credentials = clientcredentials.PrivateKeyJWT(clientcredentials.PrivateKey{ClientID: "reader", Signer: edKey})
	})
	if _, err := s.Token(t.Context()); err == nil || !strings.Contains(err.Error(), "GetClientToken takes a client secret only") || i.count() != 0 {
		t.Errorf("%v, %d requests", err, i.count())
	}
}
