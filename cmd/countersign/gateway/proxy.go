package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A route is a checked [Route].
type route struct {
	prefix string
	proxy  *httputil.ReverseProxy
}

func (g *Gateway) newRoute(prefix string, upstream *url.URL) route {
	return route{prefix, &httputil.ReverseProxy{
		Rewrite:        func(pr *httputil.ProxyRequest) { rewrite(pr, upstream) },
		ModifyResponse: modifyResponse,
		ErrorHandler:   g.upstreamFailed,
		Transport:      g.transport,
		ErrorLog:       slog.NewLogLogger(g.logger.Handler(), slog.LevelWarn),
	}}
}

// newTransport makes the edge's own client. It takes no proxy from the environment: a token must not leave for a third host.
func newTransport(timeout time.Duration) *http.Transport {
	return &http.Transport{
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  timeout,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        90 * time.Second,
		DisableCompression:     true, // The answer passes as the service wrote it.
	}
}

// rewrite turns the received request into the one for upstream. The proxy has already removed the hop-by-hop fields of
// RFC 9110, Section 7.6.1; Host, path and query stay as they came.
func rewrite(pr *httputil.ProxyRequest, upstream *url.URL) {
	out := pr.Out
	out.URL.Scheme, out.URL.Host = upstream.Scheme, upstream.Host
	out.URL.User, out.URL.Fragment = nil, ""
	for name := range out.Header {
		if !isPlainName(name) || isEdgeField(name) {
			delete(out.Header, name)
		}
	}
	// A protocol switch would open a tunnel in which the edge sees no further request. RFC 9110, Section 7.8 lets a server ignore it.
	out.Header.Del("Upgrade")
	out.Header.Del("Connection")
	// Trailer fields would come after the loop above and so around it.
	out.Trailer = nil

	pr.SetXForwarded()
	out.Header.Set("X-Forwarded-Port", localPort(pr.In))
	// RFC 9110, Section 7.6.3: a gateway sends Via towards the service, with the protocol that it received.
	out.Header.Set("Via", strings.TrimPrefix(pr.In.Proto, "HTTP/")+" countersign")
}

// isPlainName is ALB's drop_invalid_header_fields: names match [-A-Za-z0-9]+. RFC 9110 allows more, but a service that maps
// names to variables reads X_Forwarded_For as X-Forwarded-For.
func isPlainName(name string) bool {
	for _, c := range []byte(name) {
		if c != '-' && !('0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z') {
			return false
		}
	}
	return name != ""
}

// edgePrefixes begin the names of families. ALB: X-Amzn-Oidc-* is the user who signed in at it, X-Amzn-Mtls-* the certificate that a
// client showed to it, X-Amzn-Tls-* the handshake.
var edgePrefixes = []string{"X-Forwarded-", "X-Original-", "X-Amzn-Oidc-", "X-Amzn-Mtls-", "X-Amzn-Tls-"}

// isEdgeField reports whether a header, in canonical form, says what only an edge may say: who the caller is, or which path
// was asked. From a caller it is a forgery.
func isEdgeField(name string) bool {
	switch name {
	case "Forwarded", "Via", "X-Forwarded", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "Fastly-Client-Ip", "X-Rewrite-Url":
		return true
	}
	return slices.ContainsFunc(edgePrefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// localPort is the port on which the edge received r.
func localPort(r *http.Request) string {
	if addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		if _, port, err := net.SplitHostPort(addr.String()); err == nil {
			return port
		}
	}
	if r.TLS != nil {
		return "443"
	}
	return "80"
}

func modifyResponse(res *http.Response) error {
	// RFC 6797, Section 7.1: at most one, and the edge is what ends the TLS connection.
	res.Header.Del("Strict-Transport-Security")
	return nil
}

// upstreamFailed answers for a service that gave no answer: a status outside, the cause in one line inside.
func (g *Gateway) upstreamFailed(w http.ResponseWriter, r *http.Request, err error) {
	if seen, ok := r.Context().Value(exchangeKey{}).(*exchange); ok && seen.body != nil {
		if cause := seen.body.failure(); cause != nil {
			refuseBody(w, cause)
			return
		}
	}
	if r.Context().Err() != nil {
		// The caller has gone. Nobody reads this status, but the log does; nginx coined it.
		w.WriteHeader(499)
		return
	}
	g.logger.Warn("upstream failed", "method", clip(r.Method, 16), "path", clip(r.URL.EscapedPath(), 256), "err", err)
	var timeout net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		refuse(w, http.StatusGatewayTimeout, "the service did not answer in time")
		return
	}
	refuse(w, http.StatusBadGateway, "the service could not be reached")
}
