package tokenendpoint

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificateAge is how long a certificate is used before its files are looked at again.
const certificateAge = 30 * time.Second

// Certificate returns a TLS configuration with the certificate of two PEM files. They are read again when they change, as a
// Secret in Kubernetes does when cert-manager renews it; while they cannot be read, the old one stays in use.
func Certificate(certFile, keyFile string, logger *slog.Logger) (*tls.Config, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, logger: logger}
	if err := c.load(); err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get}, nil
}

type certificate struct {
	certFile, keyFile string
	logger            *slog.Logger

	mu      sync.Mutex
	pair    *tls.Certificate
	changed [2]time.Time // of the files; a renewal may keep the key
	looked  time.Time
}

func (c *certificate) load() error {
	changed, err := c.times()
	if err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", c.certFile, c.keyFile, err)
	}
	c.pair, c.changed, c.looked = &pair, changed, time.Now()
	return nil
}

// times returns when the files were changed.
func (c *certificate) times() (changed [2]time.Time, err error) {
	for n, name := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return changed, err
		}
		changed[n] = info.ModTime()
	}
	return changed, nil
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) < certificateAge {
		return c.pair, nil
	}
	c.looked = time.Now()
	if changed, err := c.times(); err == nil && changed == c.changed {
		return c.pair, nil
	}
	if err := c.load(); err != nil {
		c.logger.Warn("the certificate is not renewed and the old one stays in use", "error", err.Error())
	}
	return c.pair, nil
}
