package serve

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
)

// A certificate is what new connections are served with. Connections that are open keep the one that they began with.
type certificate struct {
	files   TLSConfig
	current atomic.Pointer[tls.Certificate]
}

// load reads the two files. On an error the certificate stays what it was: a renewal writes one file after the other, and in
// between they do not fit.
func (c *certificate) load() error {
	pair, err := tls.LoadX509KeyPair(c.files.Certificate, c.files.Key)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		return err
	}
	if err != nil {
		return fmt.Errorf("%s and %s: %w", c.files.Certificate, c.files.Key, err)
	}
	c.current.Store(&pair)
	return nil
}

func (c *certificate) config() *tls.Config {
	return &tls.Config{
		// RFC 9325, Section 3.1.1: TLS 1.2 or newer.
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
	}
}
