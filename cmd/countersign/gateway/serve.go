package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Serve answers TLS connections of ln, HTTP/1.1 and HTTP/2, until ctx ends; then it lets running requests finish within
// Config.DrainTimeout and returns nil. It closes ln. A caller that speaks plain HTTP on this port is told so with 400 and gets no service.
func (g *Gateway) Serve(ctx context.Context, ln net.Listener) error {
	if g.certificate == nil {
		return errors.Join(errors.New("gateway: Serve needs Config.Certificate"), ln.Close())
	}
	srv := g.server()
	ended := make(chan error, 1)
	go func() { ended <- srv.ServeTLS(g.Listener(ln), "", "") }()
	select {
	case err := <-ended:
		return fmt.Errorf("gateway: serve: %w", err)
	case <-ctx.Done():
	}
	// Not ctx, which has ended: requests that were let in get their answer.
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.drain)
	defer cancel()
	if srv.Shutdown(drain) != nil {
		g.logger.Warn("requests cut off", "after", g.drain)
		_ = srv.Close()
	}
	<-ended
	g.transport.CloseIdleConnections()
	return nil
}

// server holds every limit of a connection. Each one stops a peer that sends slowly, reads slowly or sends without end.
func (g *Gateway) server() *http.Server {
	return &http.Server{
		Handler:           g,
		TLSConfig:         g.tlsConfig(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       60 * time.Second,
		WriteTimeout:      120 * time.Second,
		IdleTimeout:       60 * time.Second,
		// Room for an Authorization that is over the service's own limit: the service is the one that says why it refuses it.
		MaxHeaderBytes: 64 << 10,
		// net/http would answer OPTIONS * by itself, for any host and without a log line.
		DisableGeneralOptionsHandler: true,
		HTTP2:                        &http.HTTP2Config{MaxConcurrentStreams: 128},
		// A failed handshake is the peer's affair, and a scanner makes many.
		ErrorLog: slog.NewLogLogger(g.logger.Handler(), slog.LevelDebug),
	}
}

// tlsConfig offers what ALB's restricted policies (ELBSecurityPolicy-TLS13-1-2-Res-…) do: TLS 1.3, and of TLS 1.2 only suites
// with forward secrecy and authenticated encryption.
func (g *Gateway) tlsConfig() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: g.certificate,
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
			tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
	}
}
