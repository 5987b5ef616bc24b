package awsissuer

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"
)

// Config says what is behind the proxy. Region, Issuer, Pool and Authority are required.
type Config struct {
	Region    string
	Issuer    http.Handler                             // as cognito.Handler serves it
	Pool      func(prefix string) (id string, ok bool) // the pool of a domain prefix
	Authority *Authority
	Logger    *slog.Logger // what goes wrong in a tunnel; nil means that nothing is logged
}

// A Proxy answers CONNECT for Cognito's hosts. Make one with [New], end it with [Proxy.Close].
type Proxy struct {
	config  Config
	hosts   hosts
	server  *http.Server
	tunnels *tunnels
}

// maxTunnels bounds the connections that are open at once.
const maxTunnels = 512

// New returns a proxy that serves.
func New(config Config) (*Proxy, error) {
	h, err := newHosts(config.Region)
	if config.Issuer == nil || config.Pool == nil || config.Authority == nil {
		err = errors.Join(err, errors.New("awsissuer: Config.Issuer, Config.Pool or Config.Authority is nil"))
	}
	if err != nil {
		return nil, err
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	p := &Proxy{config: config, hosts: h, tunnels: newTunnels()}
	p.server = &http.Server{
		Handler:           http.HandlerFunc(p.inside),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(config.Logger.Handler(), slog.LevelDebug),
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{config.Authority.leaf}},

		DisableGeneralOptionsHandler: true,
	}
	go func() { _ = p.server.ServeTLS(p.tunnels, "", "") }()
	return p, nil
}

// Close ends the proxy once the requests under way are answered, or ctx ends.
func (p *Proxy) Close(ctx context.Context) error {
	if err := p.server.Shutdown(ctx); err != nil {
		return errors.Join(err, p.server.Close())
	}
	return nil
}

// Handler returns a handler that answers CONNECT itself and hands everything else to next.
func (p *Proxy) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			next.ServeHTTP(w, r)
			return
		}
		p.connect(w, r)
	})
}

// connect opens a tunnel (RFC 9110, Section 9.3.6) that ends in this process.
func (p *Proxy) connect(w http.ResponseWriter, r *http.Request) {
	host, port, err := net.SplitHostPort(r.Host)
	host = strings.ToLower(host)
	switch {
	case err != nil || port != "443" || !p.serves(host):
		// Whoever could name another host would have an open proxy into the networks of this machine.
		refuse(w, http.StatusForbidden, "this proxy answers for Amazon Cognito's hosts in "+p.config.Region+" only, on port 443, and of its domains for those that exist here")
		return
	case !p.tunnels.enter():
		refuse(w, http.StatusServiceUnavailable, "too many tunnels are open")
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		p.tunnels.leave()
		refuse(w, http.StatusHTTPVersionNotSupported, "CONNECT is answered over HTTP/1.1 only")
		return
	}
	// The deadlines of the outer server are not those of the tunnel.
	_ = conn.SetDeadline(time.Time{})
	_ = conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(conn, "HTTP/1.1 200 Connection Established\r\n\r\n"); err != nil {
		conn.Close()
		p.tunnels.leave()
		return
	}
	_ = conn.SetWriteDeadline(time.Time{})
	p.tunnels.hand(&tunnel{Conn: conn, first: io.LimitReader(buffered, int64(buffered.Reader.Buffered())), leave: p.tunnels.leave})
}

func (p *Proxy) serves(host string) bool {
	if prefix := p.hosts.prefix(host); prefix != "" {
		_, ok := p.config.Pool(prefix)
		return ok
	}
	return p.hosts.isIssuer(host)
}

// inside answers a request in a tunnel as Cognito's host of that name does.
func (p *Proxy) inside(w http.ResponseWriter, r *http.Request) {
	host := strings.TrimSuffix(strings.ToLower(r.Host), ":443")
	// RFC 9110, Section 15.5.20: the certificate is for several hosts, and a request may name another than the tunnel.
	switch prefix := p.hosts.prefix(host); {
	case p.hosts.isIssuer(host):
		p.config.Issuer.ServeHTTP(w, r)
	case prefix != "":
		p.domain(w, r, prefix)
	default:
		refuse(w, http.StatusMisdirectedRequest, "this host is not answered for")
	}
}

// domain serves what a prefix domain has for machines: the token endpoint, and that of revocation.
func (p *Proxy) domain(w http.ResponseWriter, r *http.Request, prefix string) {
	id, ok := p.config.Pool(prefix)
	if !ok || r.URL.Path != "/oauth2/token" && r.URL.Path != "/oauth2/revoke" {
		refuse(w, http.StatusNotFound, "there is nothing at this address")
		return
	}
	inner := r.Clone(r.Context())
	inner.URL.Path, inner.URL.RawPath = "/"+id+r.URL.Path, ""
	p.config.Issuer.ServeHTTP(w, inner)
}

func refuse(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "countersign: "+text+"\n")
}
