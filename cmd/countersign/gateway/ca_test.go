package gateway_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/gateway"
	"github.com/countersign-dev/countersign/cmd/countersign/seal"
)

func newSealer(t *testing.T, first byte) *seal.Sealer {
	t.Helper()
	key := make([]byte, 32)
	key[0] = first
	s, err := seal.New(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newCA(t *testing.T, dir string, s *seal.Sealer) *gateway.CA {
	t.Helper()
	ca, err := gateway.LoadOrCreateCA(dir, s)
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func certificate(t *testing.T, block []byte) *x509.Certificate {
	t.Helper()
	b, rest := pem.Decode(block)
	if b == nil || len(rest) != 0 {
		t.Fatal("want one PEM block")
	}
	cert, err := x509.ParseCertificate(b.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func TestCAIsMadeOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state", "ca")
	first := newCA(t, dir, newSealer(t, 1))
	second := newCA(t, dir, newSealer(t, 1))
	if !bytes.Equal(first.PEM(), second.PEM()) {
		t.Error("the second start made a second root")
	}
	if first.Path() != filepath.Join(dir, "ca.pem") {
		t.Errorf("path %s", first.Path())
	}
	for name, want := range map[string]os.FileMode{"ca.pem": 0o644, "ca.sealed": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v, want mode %v", name, info.Mode(), err, want)
		}
	}
	onDisk, err := os.ReadFile(first.Path())
	if err != nil || !bytes.Equal(onDisk, first.PEM()) {
		t.Errorf("ca.pem: %v\n%s", err, onDisk)
	}
	sealed, err := os.ReadFile(filepath.Join(dir, "ca.sealed"))
	if err != nil || bytes.Contains(sealed, []byte("PRIVATE")) {
		t.Errorf("ca.sealed: %v, or the key is in clear", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("files left behind: %v %v", entries, err)
	}
}

func TestCAOfTwoStartsAtOnceIsOne(t *testing.T) {
	dir := t.TempDir()
	pems := make([][]byte, 8)
	var wg sync.WaitGroup
	for i := range pems {
		wg.Go(func() {
			ca, err := gateway.LoadOrCreateCA(dir, newSealer(t, 1))
			if err != nil {
				t.Error(err)
				return
			}
			pems[i] = ca.PEM()
		})
	}
	wg.Wait()
	if len(slices.CompactFunc(pems, bytes.Equal)) != 1 {
		t.Error("two roots")
	}
}

func TestCAMissingOrDamagedFiles(t *testing.T) {
	tests := []struct {
		name   string
		damage func(t *testing.T, dir string)
		sealer byte
		want   []string // in the error; nil: the same root is loaded
	}{
		{"nothing", func(*testing.T, string) {}, 1, nil},
		{"ca.pem missing", remove("ca.pem"), 1, nil},
		{"ca.sealed missing", remove("ca.sealed"), 1, []string{"ca.pem is there", "ca.sealed is missing", "delete"}},
		{"ca.sealed empty", write("ca.sealed", ""), 1, []string{"ca.sealed", "damaged", "delete"}},
		{"ca.sealed changed", flip("ca.sealed"), 1, []string{"ca.sealed", "damaged", "delete"}},
		{"ca.sealed too large", write("ca.sealed", strings.Repeat("x", 1<<20)), 1, []string{"ca.sealed is larger"}},
		{"another key file", func(*testing.T, string) {}, 2, []string{"ca.sealed", "sealed with another key", "delete"}},
		{"ca.pem changed", flip("ca.pem"), 1, []string{"ca.pem is damaged", "delete it"}},
		{"ca.pem empty", write("ca.pem", ""), 1, []string{"ca.pem is damaged", "delete it"}},
		{"ca.pem of another CA", func(t *testing.T, dir string) {
			write("ca.pem", string(newCA(t, t.TempDir(), newSealer(t, 1)).PEM()))(t, dir)
		}, 1, []string{"of another CA", "delete it"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			before := newCA(t, dir, newSealer(t, 1))
			tt.damage(t, dir)
			files := list(t, dir)
			after, err := gateway.LoadOrCreateCA(dir, newSealer(t, tt.sealer))
			if tt.want == nil {
				if err != nil || !bytes.Equal(after.PEM(), before.PEM()) {
					t.Errorf("not the same root: %v", err)
				}
				return
			}
			if err == nil {
				t.Fatal("loaded")
			}
			for _, want := range append(tt.want, dir) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
			if got := list(t, dir); got != files {
				t.Errorf("the refusal changed the files: %s, before %s", got, files)
			}
		})
	}
}

func list(t *testing.T, dir string) string {
	t.Helper()
	var s string
	for _, name := range []string{"ca.pem", "ca.sealed"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			content = nil
		}
		s += name + "=" + string(content) + ";"
	}
	return s
}

func remove(name string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func write(name, content string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func flip(name string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		content[len(content)/2] ^= 1
		write(name, string(content))(t, dir)
	}
}

func TestRootIsConstrainedToThisMachine(t *testing.T) {
	root := certificate(t, newCA(t, t.TempDir(), newSealer(t, 1)).PEM())
	if life := root.NotAfter.Sub(root.NotBefore); life > 10*366*24*time.Hour {
		t.Errorf("life %v", life)
	}
	if !root.IsCA || !root.MaxPathLenZero || root.KeyUsage != x509.KeyUsageCertSign {
		t.Error("want a root that signs leaves and nothing else")
	}
	if !slices.Equal(root.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}) {
		t.Errorf("extended key usage %v", root.ExtKeyUsage)
	}
	critical := false
	for _, e := range root.Extensions {
		critical = critical || e.Id.String() == "2.5.29.30" && e.Critical
	}
	if !critical {
		t.Error("rfc5280 s4.2.1.10: the name constraints are not critical")
	}
}

// A thief has the root's key and signs as he likes; what counts is that no client believes it.
func TestStolenRootSignsForNothingElse(t *testing.T) {
	dir := t.TempDir()
	sealer := newSealer(t, 1)
	root := certificate(t, newCA(t, dir, sealer).PEM())
	sealed, err := os.ReadFile(filepath.Join(dir, "ca.sealed"))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := sealer.Open(sealed, seal.Context("edge", "local-ca"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest := pem.Decode(plain)
	block, _ := pem.Decode(rest)
	stolen, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	mail, web := "a@evil.example", &url.URL{Scheme: "https", Host: "evil.example"}
	tests := []struct {
		name     string
		template x509.Certificate
		usage    x509.ExtKeyUsage
		ok       bool
	}{
		{"localhost", x509.Certificate{DNSNames: []string{"localhost"}}, x509.ExtKeyUsageServerAuth, true},
		{"127.0.0.1", x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1).To4()}}, x509.ExtKeyUsageServerAuth, true},
		{"::1", x509.Certificate{IPAddresses: []net.IP{net.IPv6loopback}}, x509.ExtKeyUsageServerAuth, true},
		{"another name", x509.Certificate{DNSNames: []string{"cognito-idp.eu-west-1.amazonaws.com"}}, x509.ExtKeyUsageServerAuth, false},
		{"a name among allowed ones", x509.Certificate{DNSNames: []string{"localhost", "evil.example"}}, x509.ExtKeyUsageServerAuth, false},
		{"a name that ends alike", x509.Certificate{DNSNames: []string{"evillocalhost"}}, x509.ExtKeyUsageServerAuth, false},
		{"another address", x509.Certificate{IPAddresses: []net.IP{net.IPv4(10, 0, 0, 1).To4()}}, x509.ExtKeyUsageServerAuth, false},
		{"another loopback address", x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 2).To4()}}, x509.ExtKeyUsageServerAuth, false},
		{"a mail address", x509.Certificate{EmailAddresses: []string{mail}}, x509.ExtKeyUsageServerAuth, false},
		{"a URI", x509.Certificate{URIs: []*url.URL{web}}, x509.ExtKeyUsageServerAuth, false},
		{"a client certificate", x509.Certificate{DNSNames: []string{"localhost"}}, x509.ExtKeyUsageClientAuth, false},
		{"an intermediate", x509.Certificate{DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true}, x509.ExtKeyUsageServerAuth, true},
	}
	pool := x509.NewCertPool()
	pool.AddCert(root)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			tt.template.NotBefore, tt.template.NotAfter = root.NotBefore, root.NotAfter
			tt.template.ExtKeyUsage = []x509.ExtKeyUsage{tt.usage}
			der, err := x509.CreateCertificate(rand.Reader, &tt.template, root, key.Public(), stolen)
			if err != nil {
				t.Fatal(err)
			}
			leaf, err := x509.ParseCertificate(der)
			if err != nil {
				t.Fatal(err)
			}
			_, err = leaf.Verify(x509.VerifyOptions{Roots: pool, KeyUsages: []x509.ExtKeyUsage{tt.usage}})
			if (err == nil) != tt.ok {
				t.Errorf("believed: %v (%v)", err == nil, err)
			}
			if !tt.template.IsCA {
				return
			}
			// The intermediate itself is a certificate, but what it signs has one CA too many.
			tt.template.IsCA = false
			der, err = x509.CreateCertificate(rand.Reader, &tt.template, leaf, key.Public(), key)
			if err != nil {
				t.Fatal(err)
			}
			below, err := x509.ParseCertificate(der)
			if err != nil {
				t.Fatal(err)
			}
			between := x509.NewCertPool()
			between.AddCert(leaf)
			if _, err := below.Verify(x509.VerifyOptions{Roots: pool, Intermediates: between}); err == nil {
				t.Error("a certificate below an intermediate was believed")
			}
		})
	}
}

func TestExpiredRootSaysWhatToDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		ca := newCA(t, dir, newSealer(t, 1))
		time.Sleep(10*365*24*time.Hour + time.Minute)
		_, loaded := gateway.LoadOrCreateCA(dir, newSealer(t, 1))
		_, signed := ca.GetCertificate(nil)
		for _, err := range []error{loaded, signed} {
			if err == nil || !strings.Contains(err.Error(), "expired on 2009-12-29") || !strings.Contains(err.Error(), "delete it and") {
				t.Errorf("error %v", err)
			}
		}
	})
}

// The clock in a test's bubble begins in the year 2000: a root that was made outside is of the future there.
func TestRootOfTheFutureSaysWhatToDo(t *testing.T) {
	dir := t.TempDir()
	newCA(t, dir, newSealer(t, 1))
	synctest.Test(t, func(t *testing.T) {
		_, err := gateway.LoadOrCreateCA(dir, newSealer(t, 1))
		if err == nil || !strings.Contains(err.Error(), "is not valid before 20") || !strings.Contains(err.Error(), "set the clock, or delete") {
			t.Errorf("error %v", err)
		}
	})
}

func TestUnwritableDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := gateway.LoadOrCreateCA(filepath.Join(file, "ca"), newSealer(t, 1))
	var path *os.PathError
	if !errors.As(err, &path) {
		t.Errorf("error %v", err)
	}
}
