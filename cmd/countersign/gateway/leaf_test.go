package gateway_test

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestCertificateOnlyForAllowedHosts(t *testing.T) {
	ca := newCA(t, t.TempDir(), newSealer(t, 1))
	if _, err := ca.Certificate("localhost", "::1", "x.localhost"); err != nil {
		t.Error(err)
	}
	for _, host := range []string{"example.com", "10.0.0.1", "127.0.0.2", "::2", "*"} {
		if _, err := ca.Certificate(host); err == nil || !strings.Contains(err.Error(), "localhost, 127.0.0.1, ::1 only") {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestLeafIsRenewedBeforeItExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca := newCA(t, t.TempDir(), newSealer(t, 1))
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(ca.PEM())
		seen := map[*tls.Certificate]bool{}
		for range 60 * 24 {
			cert, err := ca.GetCertificate(nil)
			if err != nil {
				t.Fatal(err)
			}
			seen[cert] = true
			for _, host := range []string{"localhost", "127.0.0.1", "::1"} {
				if _, err := cert.Leaf.Verify(x509.VerifyOptions{Roots: pool, DNSName: host}); err != nil {
					t.Fatal(err)
				}
			}
			if left := time.Until(cert.Leaf.NotAfter); left < 2*24*time.Hour || left > 7*24*time.Hour {
				t.Fatalf("valid for %v", left)
			}
			time.Sleep(time.Hour) // The bubble's clock: nothing waits.
		}
		if len(seen) != 13 {
			t.Errorf("%d certificates in 60 days", len(seen))
		}
	})
}
