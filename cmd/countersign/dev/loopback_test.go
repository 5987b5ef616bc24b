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

// loopbacks are the addresses of localhost that this machine has: some have no ::1.
func loopbacks(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, address := range []string{"127.0.0.1", "::1"} {
		if l, err := net.Listen("tcp", net.JoinHostPort(address, "0")); err == nil {
			l.Close()
			all = append(all, address)
		}
	}
	if len(all) == 0 {
		t.Fatal("this machine has no loopback address")
	}
	return all
}

// localhost is two addresses. Whoever else listened on the second one would be sent what clients mean for this system.
func TestLocalhostIsBothLoopbacks(t *testing.T) {
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
		for _, host := range append(loopbacks(t), "localhost") {
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

// A program that has one of the addresses already would be sent the secrets of those who say localhost and get that one.
func TestHalfOfLocalhostIsTaken(t *testing.T) {
	for _, address := range loopbacks(t) {
		t.Run(address, func(t *testing.T) {
			other, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
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
			// The address is as it was given, or the half of it that is not the first.
			if err == nil || !strings.HasPrefix(err.Error(), "the issuer's address ") || !strings.Contains(err.Error(), ":"+port+" is taken; stop what listens there") {
				t.Errorf("got %v", err)
			}
		})
	}
}
