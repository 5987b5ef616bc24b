package serve

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"sync/atomic"
	"time"
)

// A certificate is what new connections are served with. Connections that are open keep the one that they began with.
type certificate struct {
	files   TLSConfig
	baseURL string // whose host callers expect in it
	logger  *slog.Logger
	current atomic.Pointer[tls.Certificate]
}

// soon is how long before its end a certificate is spoken of: most are renewed a third of ninety days ahead.
const soon = 14 * 24 * time.Hour

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
	now := time.Now()
	if was := c.current.Load(); was != nil && pair.Leaf.NotAfter.Before(now) && was.Leaf.NotAfter.After(now) {
		return fmt.Errorf("%s has expired on %s, and the one before it has not", c.files.Certificate, pair.Leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	c.current.Store(&pair)
	c.warn(now)
	return nil
}

// warn says what callers will not accept. It refuses nothing: a proxy in front may think otherwise.
func (c *certificate) warn(now time.Time) {
	leaf := c.current.Load().Leaf
	until := leaf.NotAfter.UTC().Format(time.RFC3339)
	switch {
	case now.After(leaf.NotAfter):
		c.logger.Error("the certificate has expired; callers refuse it", "file", c.files.Certificate, "until", until)
	case now.Before(leaf.NotBefore):
		c.logger.Error("the certificate is not valid yet; callers refuse it", "file", c.files.Certificate, "from", leaf.NotBefore.UTC().Format(time.RFC3339))
	case leaf.NotAfter.Sub(now) < soon && leaf.NotAfter.Sub(leaf.NotBefore) > 2*soon:
		c.logger.Warn("the certificate ends soon", "file", c.files.Certificate, "until", until)
	}
	if u, err := url.Parse(c.baseURL); c.baseURL != "" && err == nil && leaf.VerifyHostname(u.Hostname()) != nil {
		c.logger.Warn("the certificate is not for the host of baseURL; callers that come without a proxy refuse it", "file", c.files.Certificate, "host", u.Hostname())
	}
}

// expiry is when it ends, for the metrics.
func (c *certificate) expiry() float64 { return float64(c.current.Load().Leaf.NotAfter.Unix()) }

func (c *certificate) config() *tls.Config {
	return &tls.Config{
		// RFC 9325, Section 3.1.1: TLS 1.2 or newer.
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
	}
}
