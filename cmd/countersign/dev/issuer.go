package dev

import (
	"io"
	"net/http"

	"github.com/countersign-dev/countersign/cmd/countersign/console"
	"github.com/countersign-dev/countersign/cmd/countersign/issuer"
	"github.com/countersign-dev/countersign/cognito"
)

// issuerHandler is what the issuer's address answers: the page at /, the instance at /healthz, and all else as
// Cognito does.
func (s *System) issuerHandler() (http.Handler, error) {
	signatures, err := issuer.NewSigV4(issuer.SigV4Config{Credentials: []issuer.Credentials{s.kept.Credentials}})
	if err != nil {
		return nil, err
	}
	page, err := console.New(console.Config{View: s.view, Logger: s.logger})
	if err != nil {
		return nil, err
	}
	count, err := s.meter()
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", page)
	mux.HandleFunc("GET /healthz", s.healthz)
	answers := s.steer.front(cognito.Handler(s.service, cognito.HandlerConfig{
		Authenticate: signatures.Authenticate, Logger: s.logger, Reasons: true, Quotas: s.steer.quotas, Observe: count,
	}))
	mux.Handle("/", answers)
	return s.proxied(mux, answers)
}

// healthz answers ok, or a caller's nonce, so that nobody takes another program at this address for this system.
func (s *System) healthz(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	answer := "ok"
	if nonce := r.URL.Query().Get("nonce"); nonce != "" {
		answer = s.Running.proof(nonce)
	}
	io.WriteString(w, answer+"\n")
}
