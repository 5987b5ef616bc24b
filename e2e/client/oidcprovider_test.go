package client

import (
	"bufio"
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/countersign-dev/countersign/clientcredentials"
)

// oidcProvider installs and starts oidc-provider with clients, and returns its issuer.
func oidcProvider(t *testing.T, clients []map[string]any) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "oidcprovider"))); err != nil {
		t.Fatal(err)
	}
	install := exec.CommandContext(t.Context(), "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm: %v\n%s", err, out)
	}
	input, err := json.Marshal(clients)
	if err != nil {
		t.Fatal(err)
	}
	node := exec.Command("node", "server.mjs")
	node.Dir, node.Stdin, node.Stderr = dir, bytes.NewReader(input), t.Output()
	out, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = node.Process.Kill(); _ = node.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal("oidc-provider did not start")
	}
	return strings.TrimSpace(line)
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// keyed is a client with a key of its own.
type keyed struct {
	id, algorithm string
	key           crypto.Signer
}

func newKeys() []keyed {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	return []keyed{
		{"rs256", "RS256", must(rsa.GenerateKey(rand.Reader, 2048))},
		{"ps256", "PS256", must(rsa.GenerateKey(rand.Reader, 2048))},
		{"es256", "ES256", must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))},
		{"eddsa", "EdDSA", must(ed, err)},
	}
}

// registration is the client as oidc-provider has it (RFC 7591, Section 2).
func (k keyed) registration() map[string]any {
	jwk := jose.JSONWebKey{Key: k.key.Public(), KeyID: "key-of-" + k.id, Algorithm: k.algorithm, Use: "sig"}
	return map[string]any{"client_id": k.id, "token_endpoint_auth_method": "private_key_jwt",
		"token_endpoint_auth_signing_alg": k.algorithm, "jwks": map[string]any{"keys": []any{jwk}}}
}

func TestOIDCProvider(t *testing.T) {
	t.Parallel()
	keys := newKeys()
	clients := []map[string]any{
		{"client_id": "basic", "client_secret": "s3cret of +basic/%", "token_endpoint_auth_method": "client_secret_basic"},
		{"client_id": "post", "client_secret": "s3cret of &post=", "token_endpoint_auth_method": "client_secret_post"},
	}
	for _, k := range keys {
		clients = append(clients, k.registration())
	}
	issuer := oidcProvider(t, clients)
	ask := func(t *testing.T, c clientcredentials.Credentials, door clientcredentials.Door) error {
		t.Helper()
		source, err := clientcredentials.New(clientcredentials.Config{Issuer: issuer, Credentials: c, Door: door, Scopes: []string{"demo.read"}})
		if err != nil {
			t.Fatal(err)
		}
		defer source.Close()
		token, err := source.Token(t.Context())
		if err == nil && (token.AccessToken == "" || len(token.Scopes) != 1 || token.Scopes[0] != "demo.read") {
			t.Errorf("%v", token)
		}
		return err
	}
	t.Run("client_secret_basic", func(t *testing.T) {
		if err := ask(t, clientcredentials.Static("basic", "s3cret of +basic/%"), clientcredentials.ClientSecretBasic); err != nil {
			t.Error(err)
		}
	})
	t.Run("client_secret_post", func(t *testing.T) {
		if err := ask(t, clientcredentials.Static("post", "s3cret of &post="), clientcredentials.ClientSecretPost); err != nil {
			t.Error(err)
		}
	})
	refused := &clientcredentials.Error{Code: clientcredentials.InvalidClient}
	for _, k := range keys {
		t.Run("private_key_jwt "+k.algorithm, func(t *testing.T) {
			good := clientcredentials.PrivateKey{ClientID: k.id, Signer: k.key, KeyID: "key-of-" + k.id, Algorithm: k.algorithm}
			if err := ask(t, clientcredentials.PrivateKeyJWT(good), ""); err != nil {
				t.Error(err)
			}
			withoutKid := good
			withoutKid.KeyID = ""
			if err := ask(t, clientcredentials.PrivateKeyJWT(withoutKid), ""); err != nil {
				t.Errorf("without a kid: %v", err)
			}
			other := good
			other.Audience = "https://another.example.com"
			if err := ask(t, clientcredentials.PrivateKeyJWT(other), ""); !errors.Is(err, refused) {
				t.Errorf("rfc7523 s3: aud of another issuer: %v", err)
			}
		})
	}
	t.Run("another client's key", func(t *testing.T) {
		stolen := clientcredentials.PrivateKey{ClientID: keys[0].id, Signer: keys[1].key, Algorithm: "RS256"}
		if err := ask(t, clientcredentials.PrivateKeyJWT(stolen), ""); !errors.Is(err, refused) {
			t.Errorf("%v, want invalid_client", err)
		}
	})
}
