package gateway

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	rootLife = 10 * 365 * 24 * time.Hour
	leafLife = 7 * 24 * time.Hour
	// A leaf is replaced while a third of its life is left, so that a clock that is days off still finds a valid one.
	leafRenewal = leafLife / 3
	// Certificates begin a little in the past: a container's clock may be behind the one that signs.
	clockSkew = time.Hour
)

// A CA is a local certificate authority for the names of this machine, and the source of the edge's certificates.
// Its name constraints bind every client that trusts it: whoever steals its key can impersonate localhost, and nothing else.
// It is safe for concurrent use. Get one from [LoadOrCreateCA].
type CA struct {
	root *x509.Certificate
	key  *ecdsa.PrivateKey
	path string

	mu   sync.Mutex // held for a signature, never for I/O
	leaf *tls.Certificate
}

// Path is the file that holds the root certificate, for curl's --cacert.
func (c *CA) Path() string { return c.path }

// PEM returns the root certificate as a PEM block.
func (c *CA) PEM() []byte { return encodeCertificate(c.root.Raw) }

// GetCertificate serves one certificate for localhost, 127.0.0.1 and ::1. It lives in memory for seven days and is replaced
// before it expires, without a restart. It fits [Config].Certificate and [tls.Config.GetCertificate].
func (c *CA) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leaf == nil || time.Until(c.leaf.Leaf.NotAfter) < leafRenewal {
		leaf, err := c.Certificate()
		if err != nil {
			return nil, err
		}
		c.leaf = &leaf
	}
	return c.leaf, nil
}

// Certificate signs a new certificate for hosts, names or addresses; none means localhost, 127.0.0.1 and ::1. A host
// outside the root's name constraints is an error, because no client would accept the certificate.
func (c *CA) Certificate(hosts ...string) (tls.Certificate, error) {
	if len(hosts) == 0 {
		hosts = loopbackHosts
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("gateway: certificate key: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		Subject:     pkix.Name{Organization: []string{"Countersign local edge"}},
		NotBefore:   now.Add(-clockSkew),
		NotAfter:    now.Add(leafLife),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, h := range hosts {
		if addr, err := netip.ParseAddr(h); err == nil {
			template.IPAddresses = append(template.IPAddresses, addr.Unmap().AsSlice())
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, c.root, key.Public(), c.key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("gateway: sign certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("gateway: sign certificate: %w", err)
	}
	if err := c.verify(leaf); err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

// verify looks at a new certificate as a client does, so that a broken one is an error here and not a riddle in curl.
func (c *CA) verify(leaf *x509.Certificate) error {
	roots := x509.NewCertPool()
	roots.AddCert(c.root)
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots})
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.CANotAuthorizedForThisName:
		return fmt.Errorf("gateway: certificate: this CA signs for %s only", strings.Join(loopbackHosts, ", "))
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return expired(c.path, c.root)
	case err != nil:
		return fmt.Errorf("gateway: certificate: %w", err)
	}
	return nil
}

// newRoot makes a self-signed root for the names of this machine.
func newRoot(now time.Time) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{Organization: []string{"Countersign"}, CommonName: "Countersign local CA"},
		NotBefore:             now.Add(-clockSkew),
		NotAfter:              now.Add(rootLife),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	constrain(template)
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	root, err := x509.ParseCertificate(der)
	return root, key, err
}

// constrain limits every kind of name. RFC 5280, Section 4.2.1.10: a kind that the extension does not mention stays free,
// so that mail addresses and URIs need their own line; and it must be critical, so that a client that cannot read it refuses.
func constrain(template *x509.Certificate) {
	template.PermittedDNSDomainsCritical = true
	template.PermittedDNSDomains = []string{"localhost"}
	template.PermittedEmailAddresses = []string{"localhost"}
	template.PermittedURIDomains = []string{"localhost"}
	for _, h := range loopbackHosts {
		if addr, err := netip.ParseAddr(h); err == nil {
			ip := net.IP(addr.AsSlice())
			one := net.CIDRMask(addr.BitLen(), addr.BitLen())
			template.PermittedIPRanges = append(template.PermittedIPRanges, &net.IPNet{IP: ip, Mask: one})
		}
	}
}

// isLocalRoot reports whether cert is a root such as newRoot makes, and signed with its own key.
func isLocalRoot(cert *x509.Certificate) bool {
	return cert.IsCA && cert.PermittedDNSDomainsCritical && slices.Equal(cert.PermittedDNSDomains, []string{"localhost"}) &&
		cert.CheckSignatureFrom(cert) == nil
}
