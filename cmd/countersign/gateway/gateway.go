package gateway

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"net/netip"
	"time"
)

// Config says what a [Gateway] lets in and where it sends it. [New] copies what it needs.
type Config struct {
	// Routes are the paths that have a service behind them. At least one is required; every other path is answered with 404.
	Routes []Route

	// Allow lists the networks whose peers may connect. Empty means loopback only, 127.0.0.0/8 and ::1/128.
	// Only the address of the TCP peer counts: a header is the caller's own word.
	Allow []netip.Prefix

	// Hosts are the names and addresses, without a port, under which the edge answers. Empty means localhost, 127.0.0.1 and ::1.
	Hosts []string

	// Certificate chooses the certificate of a handshake, as [CA.GetCertificate] does. [Gateway.Serve] needs it, the handler does not.
	Certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)

	// MaxBody bounds a request's body in bytes. Zero means 1 MiB.
	MaxBody int64

	// UpstreamTimeout is how long a service may take to begin its answer. Zero means 60 seconds, which is ALB's idle timeout.
	UpstreamTimeout time.Duration

	// DrainTimeout is how long [Gateway.Serve] waits for running requests when its context ends. Zero means 10 seconds.
	DrainTimeout time.Duration

	// Unavailable says why the service cannot answer just now, in a few words, and "" while it can: callers get 503 with that reason.
	// Nil is never.
	Unavailable func() string

	// Logger receives one line a request. Nil means [slog.Default].
	Logger *slog.Logger

	// Now is the clock of the log's durations. Nil means [time.Now].
	Now func() time.Time
}

// A Route sends one path and all beneath it to one service.
type Route struct {
	// Prefix is a path such as "/api/demo". It matches itself and what follows a slash, "/api/demo/x", and never "/api/demonstration":
	// pathType Prefix of a Kubernetes Ingress, which an ALB rule spells "/api/demo" and "/api/demo/*". The longest prefix wins.
	Prefix string

	// Upstream is the service's base URL, scheme and host only, such as "http://localhost:8080".
	Upstream string
}

// A Gateway is the edge. It is immutable and safe for concurrent use. Make one with [New].
type Gateway struct {
	routes      []route
	allow       allowList
	hosts       map[string]bool
	certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	maxBody     int64
	drain       time.Duration
	transport   *http.Transport
	away        func() string
	logger      *slog.Logger
	now         func() time.Time
}

// New checks all of cfg and returns the edge, or an error that names everything that is wrong with cfg.
func New(cfg Config) (*Gateway, error) {
	g := &Gateway{
		certificate: cfg.Certificate,
		maxBody:     orDefault(cfg.MaxBody, 1<<20),
		drain:       orDefault(cfg.DrainTimeout, 10*time.Second),
		away:        cfg.Unavailable,
		logger:      cfg.Logger,
		now:         cfg.Now,
	}
	if g.logger == nil {
		g.logger = slog.Default()
	}
	if g.now == nil {
		g.now = time.Now
	}
	g.transport = newTransport(orDefault(cfg.UpstreamTimeout, 60*time.Second))
	if err := g.configure(cfg); err != nil {
		return nil, err
	}
	return g, nil
}

func orDefault[T int64 | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

// ServeHTTP answers r at the edge or forwards it. It checks the peer's address itself, so that a Gateway which is mounted
// without the listener of [Gateway.Serve] is no more open.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := &recorder{ResponseWriter: w}
	seen := &exchange{start: g.now()}
	// A deferred call, because the proxy ends a broken answer with a panic of http.ErrAbortHandler.
	defer func() { g.logRequest(r, rec, seen) }()
	g.answer(rec, r.WithContext(context.WithValue(r.Context(), exchangeKey{}, seen)), seen)
}

// answer runs the edge's decisions in their one order: who, where, what, and only then the service.
func (g *Gateway) answer(w http.ResponseWriter, r *http.Request, seen *exchange) {
	if !g.allow.containsPeer(r.RemoteAddr) {
		refuse(w, http.StatusForbidden, "this address is not in the edge's allow list")
		return
	}
	host := hostname(r.Host)
	if r.TLS != nil && mayPin(host) {
		// RFC 6797, Section 7.1: one header, and only on a secure transport.
		w.Header().Set("Strict-Transport-Security", "max-age=31536000")
	}
	if !unambiguous(r.URL) {
		refuse(w, http.StatusBadRequest, "the path or the query can be read in more than one way")
		return
	}
	rt := g.match(r.URL.Path)
	if rt == nil || !g.hosts[host] {
		refuse(w, http.StatusNotFound, "no service at this host and path")
		return
	}
	seen.route = rt.prefix
	if len(r.TransferEncoding) > 0 {
		// RFC 9112, Section 6.1: a request with Transfer-Encoding and Content-Length ends its connection, since a proxy on the way may have
		// taken the other length and what follows for a part of it. net/http takes the length away before it could be seen.
		w.Header().Set("Connection", "close")
	}
	if r.Method == http.MethodTrace {
		// ALB: 405 as well. RFC 9110, Section 9.3.8: the answer would repeat the request, and its token with it.
		w.Header().Set("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
		refuse(w, http.StatusMethodNotAllowed, "the edge does not forward TRACE")
		return
	}
	if g.unavailable(w) {
		return
	}
	if r.ContentLength > g.maxBody {
		refuse(w, http.StatusRequestEntityTooLarge, "the body is larger than the edge forwards")
		return
	}
	if r.Body != nil && r.Body != http.NoBody {
		seen.body = &clientBody{ReadCloser: http.MaxBytesReader(w, r.Body, g.maxBody)}
		r.Body = seen.body
	}
	rt.proxy.ServeHTTP(w, r)
}

// refuse writes an answer of the edge's own. Its text never contains a part of the request.
func refuse(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n"))
}
