package countersign

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/countersign-dev/countersign/internal/jose"
)

// Guard verifies access tokens and decides who may call which route. It is made by [New], is safe for use by many
// goroutines, and is closed by [Guard.Close].
type Guard struct {
	issuers     map[string]*trust // by iss; a Cognito pool has two
	primary     *trust
	cache       *tokenCache
	now         func() time.Time
	logger      *slog.Logger
	observer    Observer
	metadataURL string // of RFC 9728; empty when it is not served
	probeScope  string // Config.ProbeScope

	close  sync.Once
	closed error

	mu     sync.Mutex
	routes []Route
}

// New returns a guard, which fetches the issuer's keys in the background until it is closed. New does not wait for the issuer and does not
// fail because the issuer is down: the first request that needs a key waits for it, as long as its own context allows and at most five
// seconds. The error says everything that is wrong with cfg.
func New(cfg Config) (*Guard, error) {
	cfg, issuers, err := cfg.validated()
	if err != nil {
		return nil, err
	}
	g := &Guard{
		issuers:  make(map[string]*trust),
		cache:    newTokenCache(cfg.CacheBytes),
		now:      cfg.Now,
		logger:   cfg.Logger,
		observer: cfg.Observer,

		probeScope: cfg.ProbeScope,
	}
	var problems []error
	if cfg.ResourceMetadata {
		if g.metadataURL, err = metadataURL(cfg.Resource); err != nil { // cannot be: it was validated
			problems = append(problems, err)
		}
	}
	for _, issuer := range issuers {
		t, err := newTrust(cfg, issuer)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		if g.primary == nil {
			g.primary = t
		}
		for _, form := range t.forms {
			g.issuers[form] = t
		}
	}
	if len(problems) > 0 {
		return nil, errors.Join(append(problems, g.Close())...)
	}
	return g, nil
}

func newTrust(cfg Config, issuer Issuer) (*trust, error) {
	t := &trust{
		issuer:   issuer.Issuer,
		forms:    issuerForms(issuer.Issuer, issuer.Profile),
		profile:  issuer.Profile,
		audience: issuer.Audience,
		resource: cfg.Resource,
		clients:  issuer.ClientIDs,
		leeway:   int64(cfg.Leeway / time.Second),
	}
	for _, alg := range issuer.Algorithms {
		t.algorithms = append(t.algorithms, jose.Algorithm(alg))
	}
	var observe func(KeyEvent)
	if cfg.Observer != nil {
		observe = cfg.Observer.Keys
	}
	keys, err := newKeySource(keySourceConfig{
		issuer:            issuer.Issuer,
		algorithms:        t.algorithms,
		keysURL:           issuer.KeysURL,
		keysFile:          issuer.KeysFile,
		lastGoodFile:      issuer.LastGoodFile,
		maxStale:          cfg.MaxStale,
		client:            cfg.HTTPClient,
		logger:            cfg.Logger,
		insecureAllowHTTP: cfg.InsecureAllowHTTP,
		observe:           observe,
	})
	if err != nil {
		return nil, fmt.Errorf("countersign: %w", err)
	}
	t.keys = keys
	return t, nil
}

// Close ends what runs in the background and waits for it. Requests that come afterwards are still decided, with the
// keys that are at hand.
func (g *Guard) Close() error {
	g.close.Do(func() {
		seen := map[*trust]bool{}
		for _, t := range g.issuers {
			if !seen[t] {
				seen[t] = true
				g.closed = errors.Join(g.closed, t.keys.Close())
			}
		}
	})
	return g.closed
}

// Authorize verifies the token and decides by the rule, for protocols other than HTTP. The error is an [*Error], unless rule is the
// zero Rule. A public rule admits every token; the caller is then the zero Caller unless the token is good.
//
// It only decides: it writes no audit line and tells no observer, [Report] admits nobody, and what [UntilExpiry] ends in HTTP
// is for the program to end, at the caller's Expiry.
func (g *Guard) Authorize(ctx context.Context, token string, rule Rule) (Caller, error) {
	if rule.isZero() {
		return Caller{}, errors.New("countersign: Authorize is given no rule")
	}
	now := g.now()
	if token == "" {
		if rule.IsPublic() {
			return Caller{}, nil
		}
		return Caller{}, refuse(MissingToken)
	}
	v, _, err := g.authenticate(ctx, token, now)
	if err == nil && !rule.IsPublic() {
		err = g.judge(v, &rule)
	}
	switch {
	case err == nil:
		return v.caller.own(), nil
	case rule.IsPublic():
		return Caller{}, nil
	}
	return Caller{}, err
}

// judge is decide with the answer that a caller gets.
func (g *Guard) judge(v *verified, rule *Rule) *Error {
	reason := v.decide(rule)
	if reason == "" {
		return nil
	}
	e := refuse(reason)
	// RFC 6750, Section 3: the scope that is necessary. Of several alternatives it is the first: to name all of them would
	// have the client ask for more than it needs.
	for _, need := range rule.needs {
		if need.Client == "" || need.Client == v.caller.ClientID {
			for _, name := range need.Scopes {
				e.scopes = append(e.scopes, v.trust.fullScope(name))
			}
			break
		}
	}
	return e
}

func (t *trust) fullScope(name string) string {
	return Policy{Resource: t.resource, Profile: t.profile}.FullScope(name)
}

// Policy returns who may call what, for all muxes and [Guard.Require] rules of the guard.
func (g *Guard) Policy() Policy {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.policy(g.routes)
}

func (g *Guard) policy(routes []Route) Policy {
	return Policy{Issuer: g.primary.issuer, Resource: g.primary.resource, Profile: g.primary.profile, Routes: routes}.clone()
}

// check holds a rule to what this guard's tokens can satisfy, and panics when it is none.
func (g *Guard) check(route Route) {
	if route.Rule.isZero() {
		what := route.Pattern + " is registered without a rule; "
		if route.Pattern == "" {
			what = "Require is given no rule; "
		}
		panic(startUpAt(route.Source, what+sayWho))
	}
	g.checkProbe(route)
	if g.primary.profile != Cognito {
		return
	}
	for _, need := range route.Rule.needs {
		for _, name := range need.Scopes {
			// Cognito: a scope's name has no slash. Who writes one wrote the full name.
			if slash := strings.LastIndexByte(name, '/'); slash >= 0 {
				panic(startUpAt(route.Source, fmt.Sprintf("%s: the scope %q has a slash; write the name without the resource's prefix, as in Scope(%q)",
					cmp.Or(route.Pattern, "Require"), name, name[slash+1:])))
			}
		}
	}
}

// note adds the route to the policy.
func (g *Guard) note(route Route) {
	if route.Rule.report {
		g.logger.Warn("countersign: a route lets everyone in and only reports", "route", route.Pattern, "rule", route.Rule.String(), "source", route.Source)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.routes = append(g.routes, route)
}

// Require returns middleware that lets requests in by the rule, for a router of the user's own. The router then decides which
// paths exist and whether all of them are guarded; [Guard.Mux] makes sure of both.
//
// A path with dots in it, which routers and file servers read each in their own way, is refused with 400.
//
// Call it while the program starts: like a registration, it panics when rule is the zero Rule.
func (g *Guard) Require(rule Rule) func(http.Handler) http.Handler {
	route := Route{Rule: rule, Source: callerSource()}
	g.check(route)
	g.note(route)
	return func(next http.Handler) http.Handler {
		if next == nil {
			panic(startUp("Require is given no handler"))
		}
		return &guarded{guard: g, route: route, next: next}
	}
}
