package serve_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/countersign-dev/countersign/cmd/countersign/serve"
)

// writeCertificate writes a certificate for localhost and its key over the two files, and trusts it.
func writeCertificate(t *testing.T, c *serve.Config, roots *x509.CertPool, serial int64) {
	t.Helper()
	writeCertificateUntil(t, c, roots, serial, time.Now().Add(time.Hour))
}

func writeCertificateUntil(t *testing.T, c *serve.Config, roots *x509.CertPool, serial int64, until time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: until, IsCA: true, BasicConstraintsValid: true,
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
	roots.AppendCertsFromPEM(certificate)
	for path, text := range map[string][]byte{c.TLS.Certificate: certificate, c.TLS.Key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// secure is a client that says which certificate its connection has, and how often it connected.
type secure struct {
	*http.Client
	connections int
}

func newSecure(roots *x509.CertPool) *secure {
	s := &secure{}
	s.Client = &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			s.connections++
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}}
	return s
}

// serial asks for /healthz and returns the serial number of the certificate.
func (s *secure) serial(t *testing.T, address string) int64 {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := s.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := answer.Body.Read(make([]byte, 16)); answer.StatusCode != http.StatusOK {
		t.Fatal(answer.Status, err)
	}
	return answer.TLS.PeerCertificates[0].SerialNumber.Int64()
}

// TestCertificatesAreReadAgain: connections that are open stay, new ones have the new certificate, and half a renewal changes
// nothing.
func TestCertificatesAreReadAgain(t *testing.T) {
	c := configure(t, "tls: {certificate: tls.crt, key: tls.key}\ndrain: {wait: 0s}\n")
	roots := x509.NewCertPool()
	writeCertificate(t, c, roots, 1)
	s := start(t, c)
	defer s.Close()
	kept := newSecure(roots)
	if got := kept.serial(t, s.Issuer()); got != 1 {
		t.Fatalf("certificate %d", got)
	}
	old, err := os.ReadFile(c.TLS.Key)
	if err != nil {
		t.Fatal(err)
	}
	writeCertificate(t, c, roots, 2)
	renewed, err := os.ReadFile(c.TLS.Key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.TLS.Key, old, 0o600); err != nil {
		t.Fatal(err)
	}
	s.Reload()
	if got := newSecure(roots).serial(t, s.Issuer()); got != 1 {
		t.Errorf("half a renewal: certificate %d", got)
	}
	if err := os.WriteFile(c.TLS.Key, renewed, 0o600); err != nil {
		t.Fatal(err)
	}
	s.Reload()
	if got := newSecure(roots).serial(t, s.Issuer()); got != 2 {
		t.Errorf("a new connection: certificate %d", got)
	}
	if got := kept.serial(t, s.Issuer()); got != 1 || kept.connections != 1 {
		t.Errorf("the open connection: certificate %d, %d connections", got, kept.connections)
	}
}

// TestCertificatesThatCallersRefuse: an expired one does not replace one that is good, and whatever callers will refuse is in the log.
func TestCertificatesThatCallersRefuse(t *testing.T) {
	c := configure(t, "tls: {certificate: tls.crt, key: tls.key}\nbaseURL: https://issuer.example.com\ndrain: {wait: 0s}\n")
	roots := x509.NewCertPool()
	good := time.Now().Add(time.Hour)
	writeCertificateUntil(t, c, roots, 1, good)
	var log safeBuffer
	s, err := serve.Start(t.Context(), c, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	has := func(want string, n int) {
		t.Helper()
		if got := strings.Count(log.String(), want); got != n {
			t.Errorf("%q is in the log %d times, want %d:\n%s", want, got, n, log.String())
		}
	}
	has("the certificate is not for the host of baseURL", 1)
	has("expired", 0)
	writeCertificateUntil(t, c, roots, 2, time.Now().Add(-time.Minute))
	s.Reload()
	has("has expired on ", 1)
	has("what was there before still serves", 1)
	if got := newSecure(roots).serial(t, "https://localhost"+s.Address()[strings.LastIndexByte(s.Address(), ':'):]); got != 1 {
		t.Errorf("certificate %d is served", got)
	}
	if got := value(scrape(t, running{Server: s, config: c, client: types.UserPoolClientType{ClientSecret: new("no client is here")}}), "countersign_issuer_certificate_expiry_timestamp_seconds", nil); got != float64(good.Unix()) {
		t.Errorf("the metrics say that it ends at %v, want %v", got, good.Unix())
	}
	again, err := serve.Start(t.Context(), c, slog.New(slog.NewTextHandler(&log, nil))) // as after a reboot
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	has("the certificate has expired; callers refuse it", 1)
}

func TestAccessKeysAreReadAgain(t *testing.T) {
	r := begin(t, "")
	path := filepath.Join(filepath.Dir(r.config.Path), "keys.yaml")
	if _, err := serve.AddAccessKey(path, "late", "admin"); err != nil {
		t.Fatal(err)
	}
	late := admin(t, r.Server, r.config, "late")
	if err := describe(t, late, r.pool); err == nil {
		t.Error("an access key is known before the file was read again")
	}
	r.Reload()
	if err := describe(t, late, r.pool); err != nil {
		t.Error(err)
	}
	// What cannot be used changes nothing.
	if err := os.WriteFile(path, []byte("- nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.Reload()
	if err := describe(t, late, r.pool); err != nil {
		t.Error(err)
	}
}
