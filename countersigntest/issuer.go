package countersigntest

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/cognito"
)

// baseURL is under a name that is kept for tests (RFC 6761, Section 6.2): nothing is ever asked for it.
const baseURL = "https://issuer.test"

// Issuer is a user pool of its own, as Amazon Cognito has them, that lives as long as the test.
// It is safe for use by parallel subtests.
type Issuer struct {
	t       testing.TB
	service *cognito.Service
	pool    string
	client  *http.Client
	log     testLog

	mu      sync.Mutex
	guards  []*countersign.Guard
	servers map[string][]string     // resource -> scopes that exist
	apps    map[string]*application // by client name
	order   []string                // of the resources, as their guards were made
	url     string                  // the iss of its tokens
}

// NewIssuer starts an issuer for the test. It costs milliseconds: its two signing keys are made once in a process.
func NewIssuer(t testing.TB) *Issuer {
	t.Helper()
	service, err := cognito.New(t.Context(), cognito.Config{BaseURL: baseURL, NewKey: nextKey})
	if err != nil {
		t.Fatalf("countersigntest: %v", err)
	}
	pool, err := service.CreateUserPool(t.Context(), cognito.CreateUserPoolInput{PoolName: "countersigntest"})
	if err != nil {
		t.Fatalf("countersigntest: make a user pool: %v", err)
	}
	i := &Issuer{
		t:       t,
		service: service,
		pool:    pool.UserPool.ID,
		client:  &http.Client{Transport: inProcess{cognito.Handler(service, cognito.HandlerConfig{})}},
		log:     newTestLog(t),
		servers: map[string][]string{},
		apps:    map[string]*application{},
		url:     service.Issuer(pool.UserPool.ID),
	}
	remember(i)
	return i
}

// URL is the iss of the issuer's tokens. Nothing listens there: [Issuer.HTTPClient] reaches it.
func (i *Issuer) URL() string { return i.url }

// HTTPClient reaches the issuer, and nothing else, within the process. It is for a guard of the test's own Config.
func (i *Issuer) HTTPClient() *http.Client { return i.client }

// Guard returns the production guard for the resource, which trusts this issuer. It is closed when the test ends.
func (i *Issuer) Guard(resource string) *countersign.Guard {
	i.t.Helper()
	guard, err := countersign.New(countersign.Config{
		Issuer:     i.url,
		Resource:   resource,
		Profile:    countersign.Cognito,
		HTTPClient: i.client,
		Logger:     slog.New(i.log),
	})
	if err != nil {
		i.t.Fatalf("countersigntest: %v", err)
	}
	i.t.Cleanup(func() {
		if err := guard.Close(); err != nil {
			i.t.Errorf("countersigntest: close the guard: %v", err)
		}
	})
	i.mu.Lock()
	defer i.mu.Unlock()
	i.guards = append(i.guards, guard)
	if !slices.Contains(i.order, resource) {
		i.order = append(i.order, resource)
	}
	return guard
}

// policies are those of the issuer's guards that have routes.
func (i *Issuer) policies() []countersign.Policy {
	i.mu.Lock()
	defer i.mu.Unlock()
	var all []countersign.Policy
	for _, guard := range i.guards {
		if p := guard.Policy(); len(p.Routes) > 0 {
			all = append(all, p)
		}
	}
	return all
}

// fullNames writes the resource in front of scopes that are given by name alone.
func (i *Issuer) fullNames(scopes []string) ([]string, string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	var full []string
	for _, scope := range scopes {
		// Cognito: a scope's name has no slash, so that one with a slash is a full name.
		if !strings.Contains(scope, "/") {
			if len(i.order) != 1 {
				return nil, "the scope " + scope + " belongs to no resource yet: make a guard first, and only one, or write the full name, https://api.example.com/" + scope
			}
			scope = i.order[0] + "/" + scope
		}
		full = append(full, scope)
	}
	return full, ""
}

// keys are the signing keys of all issuers of the process: making a pair takes longer than most tests.
var keys = sync.OnceValue(func() (pair [2]crypto.Signer) {
	var wg sync.WaitGroup
	for n := range pair {
		wg.Go(func() {
			key, err := rsa.GenerateKey(rand.Reader, 2048)
			if err != nil {
				panic("countersigntest: make a key: " + err.Error())
			}
			pair[n] = key
		})
	}
	wg.Wait()
	return pair
})

var keysGiven atomic.Uint32

func nextKey() (crypto.Signer, error) { return keys()[keysGiven.Add(1)%2], nil }

// background is the context of calls that may come in a test's cleanup, when its own context is over.
func (i *Issuer) background() context.Context { return context.WithoutCancel(i.t.Context()) }
