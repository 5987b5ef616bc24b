package dev

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/cmd/countersign/console"
	"github.com/countersign-dev/countersign/prove"
)

// Prove proves every route of the service, past the edge, and shows the result on the page.
func (s *System) Prove(ctx context.Context) (prove.Report, error) {
	report, err := s.prove(ctx, s.Running.APIURL, s.Policy())
	if err == nil {
		s.proof.set(report, time.Now())
	}
	return report, err
}

// ProveEdge proves the routes that the edge lets through, through the edge. If there is none, the report is of no route.
func (s *System) ProveEdge(ctx context.Context) (prove.Report, error) {
	routes := Beneath(s.Policy(), s.prefixes...)
	if len(routes.Routes) == 0 {
		return prove.Report{Target: s.Running.EdgeURL}, nil
	}
	return s.prove(ctx, s.Running.EdgeURL, routes)
}

func (s *System) prove(ctx context.Context, url string, policy countersign.Policy) (prove.Report, error) {
	client, err := s.Running.HTTPClient()
	if err != nil {
		return prove.Report{}, err
	}
	defer client.CloseIdleConnections()
	target, err := prove.URL(url, client)
	if err != nil {
		return prove.Report{}, err
	}
	admin, err := OpenAdmin(s.state, s.Running)
	if err != nil {
		return prove.Report{}, err
	}
	tokens, err := admin.Tokens(ctx, false)
	if err != nil {
		return prove.Report{}, err
	}
	_, signer, err := s.service.SigningKey(s.Running.UserPoolID)
	if err != nil {
		return prove.Report{}, err
	}
	cfg := prove.Config{Policy: policy, Target: target, Tokens: tokens, Signer: signer, Made: true}
	if p := s.policy.Load(); p != nil {
		cfg.Examples = p.examples
	}
	return prove.Run(ctx, cfg)
}

// Beneath returns the policy's routes whose path is one of the prefixes or lies beneath one.
func Beneath(policy countersign.Policy, prefixes ...string) countersign.Policy {
	var routes []countersign.Route
	for _, route := range policy.Routes {
		if slices.ContainsFunc(prefixes, func(prefix string) bool {
			prefix = strings.TrimSuffix(prefix, "/")
			return route.Path == prefix || strings.HasPrefix(route.Path, prefix+"/")
		}) {
			routes = append(routes, route)
		}
	}
	policy.Routes = routes
	return policy
}

// Tokens mints with whichever app client of the pool may have the scopes. The demo's prover, whose one scope lets nobody in anywhere, is
// among them where the demo is probed.
func (a *Admin) Tokens(ctx context.Context, probe bool) (prove.Clients, error) {
	clients, err := a.Clients(ctx)
	if err != nil {
		return nil, err
	}
	// The prover comes last: a guard may know its callers, and it is none of them.
	slices.SortStableFunc(clients, func(a, b Client) int {
		return cmp.Compare(strings.Count(a.Name, prover), strings.Count(b.Name, prover))
	})
	var tokens prove.Clients
	for _, client := range clients {
		if client.Secret == "" || len(client.Scopes) == 0 || a.running.Demo && isProver(client.Name) && !probe {
			continue
		}
		tokens = append(tokens, prove.Client{Scopes: client.Scopes, Token: func(ctx context.Context, scopes []string) (string, error) {
			return client.Token(ctx, a.running.Issuer, scopes)
		}})
	}
	return tokens, nil
}

// HTTPClient returns a client that trusts the system's certificate authority, and nothing else, for HTTPS.
func (r Running) HTTPClient() (*http.Client, error) {
	pem, err := os.ReadFile(r.EdgeCA)
	if err != nil {
		return nil, fmt.Errorf("certificate authority: %w", err)
	}
	if r.ProxyCA != "" {
		if pem, err = os.ReadFile(r.ProxyCA); err != nil { // it holds the edge's too
			return nil, fmt.Errorf("certificate authority: %w", err)
		}
	}
	return proxyClient(r, pem)
}

var (
	errNotNetHTTP    = errors.New("http.DefaultTransport is not net/http's")
	errNoCertificate = errors.New("certificate authority: the file holds no certificate")
)

// lastProof is the result of the last proof, for the page.
type lastProof struct{ atomic.Pointer[console.Proof] }

func (p *lastProof) set(report prove.Report, at time.Time) {
	proof := &console.Proof{Target: report.Target, At: at}
	for _, row := range report.Rows {
		proof.Rows = append(proof.Rows, console.ProofRow{
			Route: row.Route, Case: row.Case, Want: row.Want, Got: row.Got, OK: row.OK(), Note: row.Note,
		})
	}
	p.Store(proof)
}
