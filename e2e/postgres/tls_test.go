package postgres

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cognito"
)

// TestTLS: as the DSN says, for the pool and for the connection that listens.
func TestTLS(t *testing.T) {
	server := ownServer(t)
	schema := server.newSchemaName(t)
	server.kill()
	certificate, key := filepath.Join(filepath.Dir(server.dir), "tls.crt"), filepath.Join(filepath.Dir(server.dir), "tls.key")
	selfSigned(t, certificate, key)
	other := filepath.Join(t.TempDir(), "other.crt")
	selfSigned(t, other, filepath.Join(t.TempDir(), "other.key"))
	if err := server.start("ssl=on", "ssl_cert_file="+certificate, "ssl_key_file="+key); err != nil {
		t.Fatal(err)
	}
	verified := func(root string) string {
		return strings.Replace(server.dsn(schema), "sslmode=disable", "sslmode=verify-full&sslrootcert="+root, 1)
	}
	if err := refused(t, verified(other)); !strings.Contains(err.Error(), "the server's certificate is not trusted") {
		t.Errorf("another authority's certificate: %v", err)
	}
	store := open(t, verified(certificate))
	ctx, cancel := context.WithCancel(t.Context())
	told := make(chan struct{}, 16)
	var listening sync.WaitGroup
	listening.Go(func() { _ = store.Watch(ctx, func() { told <- struct{}{} }) })
	t.Cleanup(func() {
		cancel()
		listening.Wait()
	})
	<-told
	if _, err := store.Commit(t.Context(), 0, []cognito.Record{{Kind: cognito.KindPool, PoolID: "p", ID: "p", Body: []byte(`{}`)}}); err != nil {
		t.Fatal(err)
	}
	<-told
	encrypted := query1(t, server.dsn(schema), `SELECT (count(*) >= 2 AND bool_and(ssl)) || ': ' || count(*) FILTER (WHERE ssl) || ' of ' || count(*)
		FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'countersign'`)
	if !strings.HasPrefix(encrypted, "true") {
		t.Errorf("%s connections of the store are encrypted, want the pool's and the one that listens", encrypted)
	}
}

// selfSigned makes a certificate for 127.0.0.1 that is its own authority, for the server's user to read.
func selfSigned(t *testing.T, certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "postgres"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	owner, err := unprivileged()
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{certificate: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if owner != nil {
			if err := os.Chown(path, int(owner.Uid), int(owner.Gid)); err != nil {
				t.Fatal(err)
			}
		}
	}
}
