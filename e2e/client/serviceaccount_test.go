package client

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/countersign-dev/countersign/clientcredentials"
)

// cluster signs ServiceAccount tokens as a Kubernetes API server does, and mounts them as a kubelet does.
type cluster struct {
	t      *testing.T
	signer jose.Signer
	dir    string
	n      int
}

func newCluster(t *testing.T, key *ecdsa.PrivateKey) *cluster {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &cluster{t: t, signer: signer, dir: t.TempDir()}
}

// project swaps a new token in, through the link ..data.
func (c *cluster) project(audience string, life time.Duration) {
	c.t.Helper()
	c.n++
	token := must(jwt.Signed(c.signer).Claims(jwt.Claims{
		Issuer: "https://cluster.example.com", Subject: "system:serviceaccount:shop:orders", Audience: jwt.Audience{audience},
		IssuedAt: jwt.NewNumericDate(time.Now()), Expiry: jwt.NewNumericDate(time.Now().Add(life)), ID: rand.Text(),
	}).Serialize())
	version := filepath.Join(c.dir, "..version"+string(rune('0'+c.n)))
	next := filepath.Join(c.dir, "..next")
	for _, err := range []error{
		os.Mkdir(version, 0o700), os.WriteFile(filepath.Join(version, "token"), []byte(token), 0o600),
		os.Symlink(filepath.Base(version), next), os.Rename(next, filepath.Join(c.dir, "..data")),
	} {
		if err != nil {
			c.t.Fatal(err)
		}
	}
	if c.n == 1 {
		if err := os.Symlink(filepath.Join("..data", "token"), filepath.Join(c.dir, "token")); err != nil {
			c.t.Fatal(err)
		}
	}
}

// TestServiceAccountToken has an issuer that trusts a cluster, as Keycloak's federated client authentication does, with go-jose
// as its verifier: RFC 7523, Section 3.
func TestServiceAccountToken(t *testing.T) {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	var issuer *httptest.Server
	seen := map[string]bool{}
	issuer = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		refuse := func(why string) {
			t.Log("refused: " + why)
			w.WriteHeader(http.StatusUnauthorized)
			io.WriteString(w, `{"error":"invalid_client"}`)
		}
		if r.FormValue("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" || r.FormValue("client_secret") != "" {
			refuse("no assertion")
			return
		}
		token, err := jwt.ParseSigned(r.FormValue("client_assertion"), []jose.SignatureAlgorithm{jose.ES256})
		if err != nil {
			refuse(err.Error())
			return
		}
		var claims jwt.Claims
		if err := token.Claims(&key.PublicKey, &claims); err != nil {
			refuse(err.Error())
			return
		}
		want := jwt.Expected{Issuer: "https://cluster.example.com", Subject: "system:serviceaccount:shop:orders", AnyAudience: jwt.Audience{issuer.URL}, Time: time.Now()}
		if err := claims.ValidateWithLeeway(want, 0); err != nil {
			refuse(err.Error())
			return
		}
		seen[claims.ID] = true
		io.WriteString(w, `{"access_token":"opaque","token_type":"Bearer","expires_in":600}`)
	}))
	defer issuer.Close()
	c := newCluster(t, key)
	ask := func() error {
		source, err := clientcredentials.New(clientcredentials.Config{
			TokenEndpoint: issuer.URL, Credentials: clientcredentials.AssertionFile("orders", filepath.Join(c.dir, "token")),
		})
		if err != nil {
			t.Fatal(err)
		}
		defer source.Close()
		_, err = source.Token(t.Context())
		return err
	}
	for range 3 { // the kubelet replaces the token, and the new one is sent
		c.project(issuer.URL, time.Hour)
		if err := ask(); err != nil {
			t.Error(err)
		}
	}
	if len(seen) != 3 {
		t.Errorf("%d different assertions, want 3", len(seen))
	}
	for name, broken := range map[string]func(){
		"a token for another audience": func() { c.project("https://another.example.com", time.Hour) },
		"a token that has ended":       func() { c.project(issuer.URL, -time.Minute) },
	} {
		broken()
		if err := ask(); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
