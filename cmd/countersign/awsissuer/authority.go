package awsissuer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// An Authority is a certificate authority for Cognito's hosts of one region, and for no other name: its name constraints
// bind every client that trusts it. Its key exists in this process only and ends with it, since whoever had it could pass
// for Amazon Cognito in front of such a client.
type Authority struct {
	root *x509.Certificate
	leaf tls.Certificate
}

// life is longer than a process that is used for tests.
const life = 30 * 24 * time.Hour

// NewAuthority makes an authority and the one certificate that it signs.
func NewAuthority(region string) (*Authority, error) {
	h, err := newHosts(region)
	if err != nil {
		return nil, err
	}
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("awsissuer: make the authority: %w", err)
	}
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("awsissuer: make the authority: %w", err)
	}
	root, err := sign(rootTemplate(h), nil, rootKey, rootKey)
	if err != nil {
		return nil, err
	}
	leaf, err := sign(&x509.Certificate{
		Subject:     pkix.Name{Organization: []string{"Countersign local issuer"}},
		DNSNames:    append(h.issuers(), "*."+h.domains()),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, root, leafKey, rootKey)
	if err != nil {
		return nil, err
	}
	return &Authority{root, tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: leafKey, Leaf: leaf}}, nil
}

func rootTemplate(h hosts) *x509.Certificate {
	_, v4, _ := net.ParseCIDR("0.0.0.0/0") // constants parse
	_, v6, _ := net.ParseCIDR("::/0")
	return &x509.Certificate{
		Subject:               pkix.Name{Organization: []string{"Countersign"}, CommonName: "Countersign local issuer CA"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		// RFC 5280, Section 4.2.1.10: a kind of name that the extension does not mention stays free.
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         append(h.issuers(), h.domains()),
		ExcludedIPRanges:            []*net.IPNet{v4, v6},
		PermittedEmailAddresses:     []string{h.domains()},
		PermittedURIDomains:         []string{h.domains()},
	}
}

// sign makes a certificate; without a parent it is its own.
func sign(template, parent *x509.Certificate, key, by *ecdsa.PrivateKey) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("awsissuer: sign a certificate: %w", err)
	}
	template.SerialNumber = serial
	// A container's clock may be behind.
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(life)
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), by)
	if err != nil {
		return nil, fmt.Errorf("awsissuer: sign a certificate: %w", err)
	}
	return x509.ParseCertificate(der)
}

// PEM returns the authority's certificate, for clients to trust.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.root.Raw})
}
