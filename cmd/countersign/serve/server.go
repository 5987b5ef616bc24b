package serve

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/audit"
	"github.com/countersign-dev/countersign/cmd/countersign/cost"
	"github.com/countersign-dev/countersign/cmd/countersign/signer"
	"github.com/countersign-dev/countersign/cmd/countersign/teardown"
	"github.com/countersign-dev/countersign/cognito"
)

// Server is a running issuer. [Start] makes one, [Server.Close] ends it.
type Server struct {
	config  *Config
	logger  *slog.Logger
	service *cognito.Service
	keys    accessKeys
	files   watchedFiles
	audit   *audit.Writer // nil without one

	trailFile *appendFile // of audit, where that is a file
	metrics   *metrics
	tracer    *tracer     // nil where nothing is traced
	meter     *cost.Meter // nil where nothing is counted
	draining  atomic.Bool

	public, admin *crowd
	bodies        bodies
	failed        chan error
	work          sync.WaitGroup
	teardown      teardown.Stack
}

// guessDelay is how long the answer to a wrong client secret is held back at most. Callers of a token endpoint wait longer.
const guessDelay = 2 * time.Second

// Start opens everything that the configuration names and returns when requests are answered. On an error nothing stays
// behind. The context bounds the start only.
func Start(ctx context.Context, config *Config, logger *slog.Logger) (*Server, error) {
	s := &Server{config: config, logger: logger, failed: make(chan error, 4)}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// Check opens what the configuration names, and closes it again, without listening and without changing anything that an
// issuer would not change at its start. The logger is told what does not keep an issuer from starting, and is wrong all the same.
func Check(ctx context.Context, config *Config, logger *slog.Logger) (err error) {
	s := &Server{config: config, logger: logger}
	defer func() { err = errors.Join(err, s.close()) }()
	if _, err := s.readFiles(); err != nil {
		return err
	}
	store, err := config.OpenStore(ctx)
	if err != nil {
		return err
	}
	s.teardown.Add(store.Close)
	warnOfStore(store, s.logger)
	if _, err := s.trail(); err != nil {
		return err
	}
	if _, err := s.newMeter(); err != nil {
		return err
	}
	_, err = cognito.New(ctx, config.service(store, "https://localhost"))
	return err
}

func (s *Server) start(ctx context.Context) (err error) {
	pair, err := s.readFiles()
	if err != nil {
		return err
	}
	if s.public, err = s.listen(ctx, "listen", s.config.Listen, s.most()); err != nil {
		return err
	}
	if s.config.Admin.Listen != "" {
		if s.admin, err = s.listen(ctx, "admin.listen", s.config.Admin.Listen, adminConnections); err != nil {
			return err
		}
	}
	if err := s.startTraces(ctx); err != nil {
		return err
	}
	store, err := s.config.OpenStore(ctx)
	if err != nil {
		return err
	}
	s.teardown.Add(store.Close)
	warnOfStore(store, s.logger)
	s.metrics = newMetrics()
	config := s.config.service(s.metrics.watchStore(store, s.tracer), s.baseURL())
	if s.tracer != nil {
		config.Trace = s.tracer.part
	}
	config.Logger, config.GuessDelay, config.Accelerate = s.logger, guessDelay, signer.Accelerate
	if config.Audit, err = s.trail(); err != nil {
		return err
	}
	if s.service, err = cognito.New(ctx, config); err != nil {
		return err
	}
	s.metrics.exists = func(pool, client string) bool { _, life := s.service.TokenLife(pool, client); return life > 0 }
	s.metrics.registry.MustRegister(newState(s))
	s.measureConnections(pair)
	if s.tracer != nil {
		s.metrics.registry.MustRegister(s.tracer.counts)
	}
	if err := s.countUsage(); err != nil {
		return err
	}
	s.teardown.Run(s.files.watch)
	s.teardown.Run(func(ctx context.Context) { s.service.Watch(ctx, 0) })
	s.teardown.Run(s.tend)
	s.serve(s.public, s.bodies.wrap(s.handler()), pair)
	if s.admin != nil {
		s.serve(s.admin, s.adminHandler(), nil)
	}
	s.logger.Info("listening", "address", s.public.Addr().String(), "issuer", s.baseURL(), "admin", addressOf(s.admin), "signer", signer.Name())
	return nil
}

// service is the configuration of the service over a store.
func (c *Config) service(store cognito.Store, baseURL string) cognito.Config {
	return cognito.Config{Store: store, Region: c.Region, AccountID: c.AccountID, BaseURL: baseURL, Algorithm: c.algorithm,
		PreTokenGeneration: c.hooks, IgnoreDisallowedScopes: c.IgnoreScopes}
}

// algorithm is what new keys of a pool sign with; its id wins over its name, which another pool may bear too.
func (c *Config) algorithm(name, id string) string {
	return cmp.Or(c.Keys.Algorithms[id], c.Keys.Algorithms[name])
}

// readFiles loads the files that are read again when they change. The certificate is nil without TLS.
func (s *Server) readFiles() (*certificate, error) {
	c := s.config
	s.files.logger = s.logger
	keys, err := newWatched("credentials", func() error { return s.keys.load(c) }, c.Credentials)
	if err != nil {
		return nil, c.errorAt("credentials", err)
	}
	s.files.all = append(s.files.all, keys)
	if c.TLS.Certificate == "" {
		return nil, nil
	}
	pair := &certificate{files: c.TLS, baseURL: c.BaseURL, logger: s.logger}
	files, err := newWatched("tls", pair.load, c.TLS.Certificate, c.TLS.Key)
	if err != nil {
		return nil, c.errorAt("tls", err)
	}
	s.files.all = append(s.files.all, files)
	return pair, nil
}

func (s *Server) listen(ctx context.Context, key, hostport string, most int) (*crowd, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", hostport)
	if err != nil {
		return nil, s.config.errorAt(key, err)
	}
	c := newCrowd(l, most, s.logger)
	s.teardown.Listener(c)
	return c, nil
}

// baseURL is the configured one, or that of the listener, whose port the system may have chosen.
func (s *Server) baseURL() string {
	if s.config.BaseURL != "" {
		return strings.TrimRight(s.config.BaseURL, "/")
	}
	scheme := "http"
	if s.config.TLS.Certificate != "" {
		scheme = "https"
	}
	host, _, _ := net.SplitHostPort(s.config.Listen)
	_, port, _ := net.SplitHostPort(s.public.Addr().String())
	return scheme + "://" + net.JoinHostPort(host, port)
}

// observe is told of each request.
func (s *Server) observe(o cognito.Observation) {
	s.metrics.observe(o)
	if s.tracer != nil {
		s.tracer.observe(o)
	}
	if s.meter != nil && o.Token() {
		s.meter.Count(o.PoolID, o.ClientID)
	}
}

// tendEvery is how often the keys of the pools are looked at.
const tendEvery = time.Minute

// tend rotates the keys that are due. Every replica does; one of them comes first, and the others find it done.
func (s *Server) tend(ctx context.Context) {
	ticker := time.NewTicker(tendEvery)
	defer ticker.Stop()
	for {
		if err := s.service.TendKeys(ctx, s.config.Keys.RotateEvery); err != nil && ctx.Err() == nil {
			s.logger.Error("keys that are due could not be rotated; it is tried again", "cause", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// serve answers on l until Close, which lets requests under way finish.
func (s *Server) serve(l *crowd, handler http.Handler, pair *certificate) {
	server := newServer(handler, s.logger)
	server.ConnState, server.ConnContext = l.state, withPeer
	s.work.Go(func() {
		var err error
		if pair == nil {
			err = server.Serve(l)
		} else {
			server.TLSConfig = pair.config()
			err = server.ServeTLS(l, "", "")
		}
		if !errors.Is(err, http.ErrServerClosed) {
			s.failed <- err
		}
	})
	s.teardown.Add(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), s.config.Drain.Timeout)
		defer cancel()
		err := server.Shutdown(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			s.logger.Warn("requests cut off", "address", l.Addr().String(), "after", s.config.Drain.Timeout.String())
			return server.Close()
		}
		return err
	})
}

// newServer returns a server that no slow or silent peer can hold.
func newServer(handler http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10, // a signed call of an AWS SDK has two thousand; in memory, many short ones are ten times as long
		// What net/http has to say is a peer that hangs up or does not speak TLS: no trouble of the issuer's.
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),

		DisableGeneralOptionsHandler: true,
	}
}

// Issuer is the URL below which every pool has its issuer.
func (s *Server) Issuer() string { return s.baseURL() }

// Address is where tokens are served, as host:port.
func (s *Server) Address() string { return s.public.Addr().String() }

// AdminAddress is where metrics are served, as host:port; empty where nothing does.
func (s *Server) AdminAddress() string { return addressOf(s.admin) }

func addressOf(l *crowd) string {
	if l == nil {
		return ""
	}
	return l.Addr().String()
}

// Failed delivers the error of a listener that ended by itself.
func (s *Server) Failed() <-chan error { return s.failed }

// Close ends the server in three steps, in none of which a request fails: /readyz says no while requests are still taken, so
// that load balancers look elsewhere; then nothing new is taken, and what is under way is answered; then the store closes.
func (s *Server) Close() error {
	s.logger.Info("draining", "wait", s.config.Drain.Wait.String(), "timeout", s.config.Drain.Timeout.String())
	s.draining.Store(true)
	select {
	case <-time.After(s.config.Drain.Wait):
	case err := <-s.failed: // nobody can be waiting
		s.failed <- err
	}
	err := s.close()
	s.logger.Info("stopped")
	return err
}

func (s *Server) close() error {
	err := s.teardown.Close()
	s.work.Wait()
	return err
}
