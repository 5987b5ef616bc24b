package serve

import (
	"cmp"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/countersign-dev/countersign/cmd/countersign/issuer"
	"github.com/countersign-dev/countersign/cognito"
)

// handler is what the public address answers: tokens, keys and the JSON API, and the two probes, which reveal nothing.
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	s.probes(mux)
	answers := cognito.Handler(s.service, cognito.HandlerConfig{
		Authenticate: s.keys.authenticate, Identify: s.keys.identify, Logger: s.logger, Observe: s.observe, Quotas: s.quotas(),
	})
	if s.tracer != nil {
		answers = s.tracer.wrap(answers)
	}
	mux.Handle("/", s.leave(answers))
	return mux
}

// quotas are AWS' rates, each replica's its own, or none.
func (s *Server) quotas() *cognito.Quotas {
	if s.config.Quotas != "aws" {
		return nil
	}
	return cognito.NewQuotas(cognito.AWSRates(), nil)
}

// adminHandler is what the second address answers.
func (s *Server) adminHandler() http.Handler {
	mux := http.NewServeMux()
	s.probes(mux)
	mux.Handle("GET /metrics", s.metrics.handler())
	return mux
}

// probes are the orchestrator's. /healthz says that the process runs. /readyz says that requests should come here: not when
// the server drains, and still when the store cannot be reached, since tokens need none, and all replicas would go at once.
func (s *Server) probes(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if s.draining.Load() {
			answer(w, http.StatusServiceUnavailable, "draining")
			return
		}
		answer(w, http.StatusOK, "ok")
	})
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n")
}

// leave asks callers to take their connections elsewhere while the server drains, or has little room left: with each answer, and not
// by closing idle connections, on which a request may be on its way (RFC 9112, Section 9.6; HTTP/2 gets a GOAWAY).
func (s *Server) leave(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.draining.Load() || s.public.full() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// accessKeys checks signatures with the keys that the file had when it was last read.
type accessKeys struct{ current atomic.Pointer[issuer.SigV4] }

func (k *accessKeys) load(c *Config) error {
	all, err := ReadAccessKeys(c.Credentials)
	if err != nil {
		return err
	}
	verifier, err := issuer.NewSigV4(issuer.SigV4Config{Credentials: all, AccountID: c.AccountID})
	if err != nil {
		return err
	}
	k.current.Store(verifier)
	return nil
}

func (k *accessKeys) authenticate(r *http.Request, body []byte) error {
	return k.current.Load().Authenticate(r, body)
}

// identify names the holder of the access key, whose signature has been checked.
func (k *accessKeys) identify(r *http.Request) cognito.Actor {
	user := k.current.Load().User(r)
	return cognito.Actor{AccessKeyID: user.AccessKeyID, User: user.Name, Role: string(cmp.Or(user.Role, issuer.Admin)), Address: r.RemoteAddr}
}
