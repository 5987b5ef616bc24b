package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// clientCertificate is a certificate that signs itself, with its key in the same PEM file, and the pool that trusts it.
func clientCertificate(t *testing.T) (certificate, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "partner"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	certificate = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	pool.AppendCertsFromPEM([]byte(certificate))
	return certificate, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})), pool
}

// An edge that asks for a certificate and an API key is passed with --cert and --header. Nobody else is shown the key, and no report has it.
func TestProvePastAnEdge(t *testing.T) {
	const apiKey = "key-of-the-partner"
	certificate, key, pool := clientCertificate(t)
	service := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Api-Key") != apiKey {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		w.Header().Set("WWW-Authenticate", `Bearer error="`+apiKey+`"`)
		guarded(w, r)
	}))
	service.Config.ErrorLog = log.New(io.Discard, "", 0) // it is told of each handshake that is broken off
	service.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
	service.StartTLS()
	defer service.Close()
	var shown atomic.Int64
	documents := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown.Add(int64(len(r.Header.Values("X-Api-Key"))))
		io.WriteString(w, publicAndGuarded)
	}))
	defer documents.Close()
	authority := writeFile(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: service.Certificate().Raw})))
	both, alone := writeFile(t, "client.pem", certificate+key), writeFile(t, "client.pem", certificate)
	t.Setenv("PARTNER_KEY", apiKey)
	flags := []string{service.URL, "--policy", documents.URL, "--no-tokens", "--ca", authority}
	for _, tt := range []struct {
		name, more string
		code       int
		says       string
	}{
		{"with both", "--cert " + both + " --header X-Api-Key=PARTNER_KEY", 0, ": proved ("},
		{"with a key of its own file", "--cert " + alone + " --key " + writeFile(t, "client.key", key) + " --header x-api-key=PARTNER_KEY", 0, ": proved ("},
		{"without the certificate", "--header X-Api-Key=PARTNER_KEY", exitCannotRun, "COULD NOT RUN"},
		{"without the key", "--cert " + both, 1, "NOT PROVED"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := proveCommand(t.Context(), append(flags, strings.Fields(tt.more)...)...)
			if code != tt.code || !strings.Contains(stdout, tt.says) || strings.Contains(stdout+stderr, apiKey) {
				t.Errorf("exit code %d, want %d and %q\n%s%s", code, tt.code, tt.says, stdout, stderr)
			}
		})
	}
	if shown.Load() != 0 {
		t.Error("the host of the policy was shown the key")
	}
}

func TestPassFlagsThatCannotBe(t *testing.T) {
	certificate, key, _ := clientCertificate(t)
	pem := writeFile(t, "client.pem", certificate)
	t.Setenv("BROKEN", "a\r\nEvil: b")
	t.Setenv("PARTNER_KEY", "a")
	for args, want := range map[string]string{
		"--key " + pem:                                  "--key is that of a certificate; name it with --cert FILE",
		"--cert none.pem":                               "--cert: open none.pem",
		"--cert " + pem:                                 "--cert: tls: ",
		"--header X-Api-Key:hunter2":                    "--header: write NAME=VARIABLE",
		"--header X-Api-Key=hunter2":                    "--header: write NAME=VARIABLE",
		"--header X-Api-Key=NOTHING":                    "--header X-Api-Key: the environment has no NOTHING; export it",
		"--header X-Api-Key=BROKEN":                     "BROKEN has a line end or another control character in it",
		"--header authorization=PARTNER_KEY":            "--header Authorization: the cases of the proof set it themselves",
		"--header X-A=PARTNER_KEY --header x-a=BROKEN":  "--header X-A is there twice",
		"--cert " + writeFile(t, "k.pem", key):          "--cert: tls: ",
		"--header X-A=PARTNER_KEY --state x --env prod": "choose one",
	} {
		code, stdout, stderr := proveCommand(t.Context(), append([]string{"https://api.example.com", "--no-tokens", "--policy", pem}, strings.Fields(args)...)...)
		if code != exitCannotRun || !strings.Contains(stderr, want) || stdout != "" || strings.Contains(stderr, "hunter2") {
			t.Errorf("%s: exit code %d, want %q\n%s%s", args, code, want, stdout, stderr)
		}
	}
}
