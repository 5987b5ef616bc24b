package dev

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/cmd/countersign/child"
	"github.com/countersign-dev/countersign/cmd/countersign/gateway"
	"github.com/countersign-dev/countersign/cmd/countersign/issuer"
	"github.com/countersign-dev/countersign/cmd/countersign/teardown"
	"github.com/countersign-dev/countersign/cognito"
	"github.com/countersign-dev/countersign/examples/demo"
)

// region is where the local user pools pretend to be.
const region = "ap-southeast-1"

// edgePrefix is what the edge lets through to the service, as the walk's Ingress does. The probe is none of the world's business.
const edgePrefix = "/api/demo"

// Config says where a system keeps its state and on which addresses it listens, each as host:port. Port 0 takes a free one.
type Config struct {
	State                         State
	APIAddr, EdgeAddr, IssuerAddr string
	Allow                         []netip.Prefix // who may connect to the edge; empty means loopback
	StateFlag                     string         // value of --state, where one was typed, for what is shown to people
	App                           *App           // a user's own service; nil for the demo
	Logger                        *slog.Logger   // one line a request
	Steering                      Steering       // faults, quotas, hooks, and AWS's own URL
	DrainTimeout                  time.Duration  // how long Close waits for requests under way; zero means 10 seconds
}

// System is a running local system. Get one from [Start], end it with [System.Close].
type System struct {
	Running Running

	state     State
	stateFlag string
	kept      *issuer.State
	logger    *slog.Logger
	drain     time.Duration
	teardown  teardown.Stack

	servers sync.WaitGroup
	failed  chan error

	service  *cognito.Service
	app      *App         // nil for the demo
	child    *child.Child // nil for the demo
	policy   atomic.Pointer[policy]
	prefixes []string // what the edge lets through
	proof    lastProof
	steer    steering
}

// Start brings the system up and returns when all of it answers. On an error nothing stays behind.
func Start(ctx context.Context, cfg Config) (*System, error) {
	s := &System{
		state: cfg.State, stateFlag: cfg.StateFlag, logger: cfg.Logger,
		drain: cmp.Or(cfg.DrainTimeout, 10*time.Second), failed: make(chan error, 4), steer: steering{Steering: cfg.Steering},
	}
	if err := s.start(ctx, cfg); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *System) start(ctx context.Context, cfg Config) (err error) {
	if err := s.claim(ctx); err != nil {
		return err
	}
	if cfg.APIAddr, err = serviceAddr(cfg); err != nil {
		return err
	}
	listeners, err := listen(
		address{"API", "--api-addr", cfg.APIAddr},
		address{"edge", "--edge-addr", cfg.EdgeAddr},
		address{"issuer", "--issuer-addr", cfg.IssuerAddr},
	)
	if err != nil {
		return err
	}
	for _, l := range listeners {
		s.teardown.Listener(l)
	}
	wanted := demoWant()
	s.prefixes = []string{edgePrefix}
	if cfg.App != nil {
		wanted, s.prefixes = wantOf(cfg.App.Config), cfg.App.Config.Ingress.Paths
	}
	if err := s.name(cfg, wanted, listeners); err != nil {
		return err
	}
	if err := s.openIssuer(ctx, wanted, listeners[2]); err != nil {
		return err
	}
	if cfg.App != nil {
		err = s.openApp(ctx, cfg.App, listeners[0])
	} else {
		err = s.openAPI(listeners[0])
	}
	if err != nil {
		return err
	}
	if err := s.openEdge(cfg.Allow, listeners[1]); err != nil {
		return err
	}
	if err := s.publish(); err != nil {
		return err
	}
	s.teardown.Add(func() error { return withdraw(s.state) })
	return nil
}

// publish tells other processes of the system, with the policy as it is now.
func (s *System) publish() error {
	r := s.Running
	if p := s.policy.Load(); p != nil {
		r.Policy = p.document
	}
	return r.publish(s.state)
}

// claim opens the state directory for this process alone.
func (s *System) claim(ctx context.Context) error {
	state, err := issuer.OpenState(ctx, string(s.state))
	if errors.Is(err, issuer.ErrLocked) {
		return fmt.Errorf("%w: --state, with addresses of its own, --api-addr, --edge-addr and --issuer-addr", err)
	}
	if err != nil {
		return err
	}
	s.teardown.Add(state.Close)
	s.kept = state
	// What a killed process left would tell others of a system that is not there.
	return withdraw(s.state)
}

// name works out the URLs that the system is reached at.
func (s *System) name(cfg Config, w want, listeners []net.Listener) error {
	r := Running{
		EdgePrefix: s.prefixes[0], EdgePrefixes: s.prefixes, Instance: rand.Text(), PID: os.Getpid(),
		Region: w.region, Resource: w.identifier, Clients: w.names(), Demo: cfg.App == nil,
	}
	if cfg.App != nil {
		r.CredentialsDir = s.state.credentialsDir()
	}
	var err error
	for i, url := range []struct {
		to           *string
		scheme, addr string
	}{{&r.APIURL, "http", cfg.APIAddr}, {&r.EdgeURL, "https", cfg.EdgeAddr}, {&r.AWSURL, "http", cfg.IssuerAddr}} {
		if *url.to, err = urlOf(url.scheme, url.addr, listeners[i]); err != nil {
			return err
		}
	}
	s.Running = r
	return nil
}

// openIssuer opens the store, seeds it, and serves the token endpoint, the JSON API and the console.
func (s *System) openIssuer(ctx context.Context, w want, l net.Listener) error {
	var err error
	s.service, err = cognito.New(ctx, s.steer.service(cognito.Config{
		Store: s.kept.Store, Region: w.region, BaseURL: s.Running.AWSURL, Logger: s.logger,
	}))
	if err != nil {
		return err
	}
	pool, err := seed(ctx, s.service, w, s.logger)
	if err != nil {
		return err
	}
	s.Running.UserPoolID, s.Running.Issuer = pool, s.service.Issuer(pool)
	if err := s.nameDomain(ctx); err != nil {
		return err
	}
	handler, err := s.issuerHandler()
	if err != nil {
		return err
	}
	s.serve(l, newServer(handler))
	return s.openControl()
}

// openAPI serves the demo, guarded as it is in production: it knows the issuer by its URL only.
func (s *System) openAPI(l net.Listener) error {
	client, err := s.issuerClient()
	if err != nil {
		return err
	}
	guard, err := countersign.New(countersign.Config{
		Issuer: s.Running.Issuer, Resource: demo.Resource, ProbeScope: ProbeScope, HTTPClient: client, Logger: s.logger,
	})
	if err != nil {
		return err
	}
	s.teardown.Add(guard.Close)
	api := demo.NewAPI(guard)
	p := policy{Policy: guard.Policy()}
	if p.document, err = p.OpenAPI(); err != nil {
		return err
	}
	s.policy.Store(&p)
	s.serve(l, newServer(api))
	return nil
}

func (s *System) openEdge(allow []netip.Prefix, l net.Listener) error {
	ca, err := gateway.LoadOrCreateCA(s.state.path("ca"), s.kept.Sealer)
	if err != nil {
		return err
	}
	// Whoever evaluates the variables may be in another directory.
	if s.Running.EdgeCA, err = filepath.Abs(ca.Path()); err != nil {
		return err
	}
	var routes []gateway.Route
	for _, prefix := range s.prefixes {
		routes = append(routes, gateway.Route{Prefix: prefix, Upstream: s.Running.APIURL})
	}
	var away func() string
	if s.child != nil {
		away = s.away
	}
	edge, err := gateway.New(gateway.Config{
		Routes:       routes,
		Allow:        allow,
		Unavailable:  away,
		Certificate:  ca.GetCertificate,
		DrainTimeout: s.drain,
		Logger:       s.logger,
	})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	s.servers.Go(func() {
		err := edge.Serve(ctx, l)
		if err != nil {
			s.failed <- err
		}
		ended <- err
	})
	s.teardown.Add(func() error { stop(); return <-ended })
	return nil
}

// serve answers on l until Close, which lets requests under way finish.
func (s *System) serve(l net.Listener, server *http.Server) {
	s.servers.Go(func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- err
		}
	})
	s.teardown.Add(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), s.drain)
		defer cancel()
		err := server.Shutdown(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			s.logger.Warn("requests cut off", "address", l.Addr().String(), "after", s.drain)
			return server.Close()
		}
		return err
	})
}

// Failed delivers the error of a server that ended by itself.
func (s *System) Failed() <-chan error { return s.failed }

// Close takes the system down, what was started last first: the edge stops to let requests in before the API drains,
// and the store is closed when nobody can ask for it any more.
func (s *System) Close() error {
	err := s.teardown.Close()
	s.servers.Wait()
	return err
}
