package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/cmd/countersign/tokenendpoint"
	"github.com/countersign-dev/countersign/cmd/countersign/tokenproxy"
)

func newTokenproxy() *cobra.Command {
	var o tokenproxyOptions
	cmd := &cobra.Command{
		Use:   "tokenproxy --upstream URL",
		Short: "Run a caching token endpoint in front of Cognito's",
		Long: `Runs a token endpoint that asks another one, and gives all callers with the same client, secret and scopes one token
until it is due for renewal. Callers change the address of their token endpoint and nothing else. Secrets are kept nowhere:
an entry is named by a keyed hash. The page docs/tokenproxy.md says what is cached for how long.

It stays up until SIGTERM or Ctrl-C. Then /readyz says no and requests are still taken, for --drain-wait, so that load balancers look
elsewhere; what is under way is answered, and it ends.

Exit codes: 0 it was told to end and did, 2 it could not run.`,
		Example: `  countersign tokenproxy --upstream https://example.auth.eu-west-1.amazoncognito.com/oauth2/token
  countersign tokenproxy --upstream $URL --addr :8443 --tls-cert tls.crt --tls-key tls.key --metrics-addr localhost:9090`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Upstream, "upstream", "", "URL of the token endpoint that is asked")
	flags.StringVar(&o.addr, "addr", "127.0.0.1:8086", "address to listen on")
	flags.StringVar(&o.cert, "tls-cert", "", "PEM file of the certificate; read again when it changes")
	flags.StringVar(&o.key, "tls-key", "", "PEM file of its key")
	flags.StringVar(&o.metricsAddr, "metrics-addr", "", "address of /metrics, such as localhost:9090 (default: no metrics)")
	flags.IntVar(&o.MaxEntries, "max-entries", 10_000, "tokens that are held at most")
	flags.Float64Var(&o.StrangerRate, "stranger-rate", 50, "requests a second to the issuer for credentials of which no token is held")
	flags.BoolVar(&o.insecure, "insecure-http", false, "listen without TLS on other addresses than the loopback, where a mesh encrypts")
	flags.DurationVar(&o.wait, "drain-wait", 5*time.Second, "how long requests are still taken after SIGTERM, while /readyz says no")
	flags.BoolVar(&o.quiet, "quiet", false, "log no requests")
	return cmd
}

type tokenproxyOptions struct {
	tokenproxy.Config
	addr, cert, key, metricsAddr string
	insecure, quiet              bool
	wait                         time.Duration
}

func (o tokenproxyOptions) run(ctx context.Context, stdout, stderr io.Writer) error {
	if err := o.check(); err != nil {
		return err
	}
	logger := slog.New(slog.NewJSONHandler(stderr, nil))
	if !o.quiet {
		o.Logger = logger
	}
	proxy, err := tokenproxy.New(o.Config)
	if err != nil {
		return err
	}
	defer proxy.Close()
	l, scheme, err := o.listen(logger)
	if err != nil {
		return err
	}
	server := &tokenendpoint.Server{Logger: logger, Wait: o.wait}
	server.Handler = o.routes(proxy, server)
	fmt.Fprintf(stdout, "token endpoint  %s://%s/oauth2/token\n", scheme, l.Addr())
	metrics, err := serveMetrics(ctx, o.metricsAddr, proxy.Metrics(), stdout, logger)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	defer metrics()
	return server.Serve(ctx, l)
}

func (o tokenproxyOptions) check() error {
	_, _, err := net.SplitHostPort(o.addr)
	switch {
	case err != nil:
		return fmt.Errorf("--addr %s: %w; write it as 127.0.0.1:8086", o.addr, err)
	case o.MaxEntries <= 0:
		return errors.New("--max-entries is a positive number")
	case !(o.StrangerRate > 0): // also what is not a number
		return errors.New("--stranger-rate is a positive number")
	case o.wait < 0:
		return errors.New("--drain-wait is not negative; write it as 5s, or 0 for none")
	case o.Upstream == "":
		return errors.New("--upstream is missing; name the token endpoint that is asked, such as https://example.auth.eu-west-1.amazoncognito.com/oauth2/token")
	case (o.cert == "") != (o.key == ""):
		return errors.New("--tls-cert and --tls-key go together; name both")
	case o.cert == "" && !o.insecure && !isLoopbackAddr(o.addr):
		// RFC 6749, Section 3.2: TLS is REQUIRED, for the request has the secret and the answer the token.
		return fmt.Errorf("--addr %s is reached from other machines; name --tls-cert and --tls-key, or say --insecure-http where something else encrypts", o.addr)
	}
	return nil
}

// routes has the paths of Cognito's token endpoint and of the one that is asked.
func (o tokenproxyOptions) routes(proxy http.Handler, server *tokenendpoint.Server) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /oauth2/token", proxy)
	if u, err := url.Parse(o.Upstream); err == nil && isRoute(u.Path) && u.Path != "/oauth2/token" {
		mux.Handle("POST "+u.EscapedPath(), proxy)
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", server.Ready)
	return mux
}

// isRoute reports whether a path can be a mux's pattern: one with braces would be a wildcard, and one that the mux cleans is
// never met.
func isRoute(text string) bool {
	return text != "" && text != "/" && !strings.ContainsAny(text, "{}") && path.Clean(text) == strings.TrimSuffix(text, "/")
}

func (o tokenproxyOptions) listen(logger *slog.Logger) (net.Listener, string, error) {
	var config *tls.Config
	if o.cert != "" {
		var err error
		if config, err = tokenendpoint.Certificate(o.cert, o.key, logger); err != nil {
			return nil, "", fmt.Errorf("--tls-cert: %w", err)
		}
	}
	l, err := net.Listen("tcp", o.addr)
	if err != nil {
		return nil, "", fmt.Errorf("--addr: %w", err)
	}
	if config == nil {
		return l, "http", nil
	}
	return tls.NewListener(l, config), "https", nil
}

// serveMetrics answers /metrics on an address of its own, says which, and returns what ends that. No address means no metrics.
func serveMetrics(ctx context.Context, addr string, handler http.Handler, stdout io.Writer, logger *slog.Logger) (end func(), err error) {
	if addr == "" {
		return func() {}, nil
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("--metrics-addr: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", handler)
	fmt.Fprintf(stdout, "metrics  http://%s/metrics\n", l.Addr())
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := (&tokenendpoint.Server{Handler: mux, Logger: logger}).Serve(ctx, l); err != nil {
			logger.Warn("metrics are not served any more", "error", err.Error())
		}
	}()
	return func() { stop(); <-ended }, nil
}

// isLoopbackAddr reports whether host:port is reached from this machine only.
func isLoopbackAddr(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.IsLoopback()
}
