package issuer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// secured gives a configuration a certificate, and returns what trusts it.
func secured(t *testing.T, config string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"issuer.example.com"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, text := range map[string][]byte{"tls.crt": certificate, "tls.key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})} {
		if err := os.WriteFile(filepath.Join(filepath.Dir(config), name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	addTo(t, config, "tls: {certificate: tls.crt, key: tls.key}\n")
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certificate)
	return roots
}

const (
	secureCallers = 500
	secureMemory  = 200 << 10 // for each; docs/issuer.md has what it was
)

// TestConnectionsWithTLS: what a connection takes that is kept, in the two protocols that callers speak.
func TestConnectionsWithTLS(t *testing.T) {
	for name, two := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		t.Run(name, func(t *testing.T) {
			config := configure(t, "https://issuer.example.com")
			roots := secured(t, config)
			p := start(t, config, "secured")
			address := "https://" + p.URL[len("http://"):]
			before := p.state()
			var callers sync.WaitGroup
			turns := make(chan struct{}, 8)
			for range secureCallers {
				transport := &http.Transport{ForceAttemptHTTP2: two, TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "issuer.example.com"}}
				t.Cleanup(transport.CloseIdleConnections)
				callers.Go(func() {
					turns <- struct{}{}
					defer func() { <-turns }()
					answer, err := (&http.Client{Transport: transport}).Get(address + "/" + pool + "/.well-known/jwks.json")
					if err != nil {
						t.Error(err)
						return
					}
					defer answer.Body.Close()
					if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.Proto != name {
						t.Errorf("%s, %v", answer.Proto, err)
					}
				})
			}
			callers.Wait()
			after := p.state()
			each := (after.memory - before.memory) / secureCallers
			t.Logf("%s: %d connections are kept, %d MiB before and %d MiB with them: %d KiB each", name, after.connections, before.memory>>20, after.memory>>20, each>>10)
			if after.connections < secureCallers {
				t.Errorf("%d connections are open, want %d", after.connections, secureCallers)
			}
			if each > secureMemory {
				t.Errorf("a connection takes %d KiB, want %d at most", each>>10, secureMemory>>10)
			}
			p.stop()
		})
	}
}
