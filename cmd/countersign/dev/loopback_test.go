package dev_test

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/dev"
)

// needIPv6 skips where ::1 does not exist.
func needIPv6(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip(err)
	}
	l.Close()
}

// localhost is two addresses. Whoever else listened on the second one would be sent what clients mean for this system.
func TestLocalhostIsBothLoopbacks(t *testing.T) {
	needIPv6(t)
	s := start(t, config(t.TempDir()))
	pem, err := os.ReadFile(s.Running.EdgeCA)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	defer client.CloseIdleConnections()
	for _, address := range []string{s.Running.APIURL + "/healthz", s.Running.AWSURL + "/healthz", s.Running.EdgeURL + "/api/demo/protectedRole/x"} {
		for _, host := range []string{"localhost", "127.0.0.1", "::1"} {
			u, err := url.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			u.Host = net.JoinHostPort(host, u.Port())
			res, err := client.Get(u.String())
			if err != nil {
				t.Error(err)
				continue
			}
			res.Body.Close()
			if want := map[string]int{"http": http.StatusOK, "https": http.StatusUnauthorized}[u.Scheme]; res.StatusCode != want {
				t.Errorf("%s: status %d, want %d", u, res.StatusCode, want)
			}
		}
	}
}

// A program that has ::1 already would be sent the secrets of everyone who says localhost.
func TestHalfOfLocalhostIsTaken(t *testing.T) {
	needIPv6(t)
	other, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	_, port, err := net.SplitHostPort(other.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	cfg := config(t.TempDir())
	cfg.IssuerAddr = "localhost:" + port
	_, err = dev.Start(t.Context(), cfg)
	if err == nil || !strings.Contains(err.Error(), "the issuer's address [::1]:"+port+" is taken") {
		t.Errorf("got %v", err)
	}
}
