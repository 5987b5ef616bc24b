package serve_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/cognito"
)

// fleet is three replicas over one store behind a round robin, in one process and without a network, so that days pass at once.
type fleet struct {
	services []*cognito.Service
	handlers []http.Handler
	turn     atomic.Uint32
	issuer   string
	token    func() *http.Request
}

// RoundTrip implements http.RoundTripper.
func (f *fleet) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	f.handlers[f.turn.Add(1)%uint32(len(f.handlers))].ServeHTTP(rec, r)
	return rec.Result(), nil
}

// someKeys are RSA keys, made once: a rotation of this test need not cost one.
var someKeys = sync.OnceValue(func() (keys [12]crypto.Signer) {
	for i := range keys {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys[i] = key
	}
	return keys
})

func newFleet(t *testing.T) *fleet {
	var next atomic.Uint32
	newKey := func() (crypto.Signer, error) {
		if n := next.Add(1); int(n) <= len(someKeys()) {
			return someKeys()[n-1], nil
		}
		return nil, errors.New("the test has no more keys")
	}
	f, store := &fleet{}, cognito.NewMemoryStore()
	for range 3 {
		s, err := cognito.New(t.Context(), cognito.Config{Store: store, BaseURL: "http://localhost:8081", NewKey: newKey})
		if err != nil {
			t.Fatal(err)
		}
		f.services = append(f.services, s)
		f.handlers = append(f.handlers, cognito.Handler(s, cognito.HandlerConfig{}))
	}
	s := f.services[0]
	pool, err := s.CreateUserPool(t.Context(), cognito.CreateUserPoolInput{PoolName: "demo"})
	if err != nil {
		t.Fatal(err)
	}
	id := pool.UserPool.ID
	_, err = s.CreateResourceServer(t.Context(), cognito.CreateResourceServerInput{
		UserPoolID: id, Identifier: "https://api.example.com", Name: "api",
		Scopes: []cognito.ResourceServerScope{{ScopeName: "demo.read", ScopeDescription: "read"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	client, err := s.CreateUserPoolClient(t.Context(), cognito.CreateUserPoolClientInput{
		UserPoolID: id, ClientName: "reader", GenerateSecret: true, ClientSettings: cognito.ClientSettings{
			AllowedOAuthFlows: []string{"client_credentials"}, AllowedOAuthFlowsUserPoolClient: true,
			AllowedOAuthScopes: []string{"https://api.example.com/demo.read"}, AccessTokenValidity: 24,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	f.issuer = s.Issuer(id)
	f.refresh(t)
	f.token = func() *http.Request {
		r := httptest.NewRequest(http.MethodPost, f.issuer+"/oauth2/token", strings.NewReader("grant_type=client_credentials"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(client.UserPoolClient.ClientID, client.UserPoolClient.ClientSecret.Reveal())
		return r
	}
	return f
}

func (f *fleet) refresh(t *testing.T) {
	for _, s := range f.services {
		if err := s.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func (f *fleet) ask(t *testing.T) string {
	answer, _ := f.RoundTrip(f.token())
	body, _ := io.ReadAll(answer.Body)
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(&token); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", answer.Status, body)
	}
	return token.AccessToken
}

// newGuardedAPI is a service that takes the fleet's tokens, with the production guard.
func newGuardedAPI(t *testing.T, f *fleet) (api http.Handler, end func()) {
	guard, err := countersign.New(countersign.Config{
		Issuer: f.issuer, Resource: "https://api.example.com", HTTPClient: &http.Client{Transport: f},
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := guard.Mux()
	mux.HandleFunc("GET /read", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") }, countersign.Scope("demo.read"))
	return mux, func() { guard.Close() }
}

// TestRotationUnderLoadFailsNoRequest: for days, with a key every day and others when somebody asks, all replicas issue tokens, old
// and new ones are sent to two services, one of which was started long ago, and none is refused.
func TestRotationUnderLoadFailsNoRequest(t *testing.T) {
	someKeys()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		random := mathrand.New(mathrand.NewPCG(7, 7))
		old, closeOld := newGuardedAPI(t, f)
		defer closeOld()
		type held struct {
			token string
			ends  time.Time
		}
		var tokens []held
		requests := 0
		for day := 0; day < 6; day++ {
			fresh, closeFresh := newGuardedAPI(t, f)
			for step := range 96 {
				time.Sleep(15 * time.Minute)
				some := f.services[random.IntN(3)]
				if err := some.TendKeys(t.Context(), cognito.MinRotation); err != nil {
					t.Fatal(err)
				}
				if day == 3 && step == 40 {
					if _, err := some.RotateKey(t.Context(), cognito.RotateKeyInput{UserPoolID: f.issuer[len("http://localhost:8081/"):]}); err != nil {
						t.Fatal(err)
					}
				}
				f.refresh(t)
				tokens = append(tokens, held{f.ask(t), time.Now().Add(24 * time.Hour)})
				for len(tokens) > 0 && !time.Now().Before(tokens[0].ends) {
					tokens = tokens[1:]
				}
				for _, i := range []int{0, len(tokens) / 2, len(tokens) - 1} { // the oldest that lives, one in between, the newest
					for name, api := range map[string]http.Handler{"old": old, "fresh": fresh} {
						r := httptest.NewRequest(http.MethodGet, "/read", nil)
						r.Header.Set("Authorization", "Bearer "+tokens[i].token)
						rec := httptest.NewRecorder()
						api.ServeHTTP(rec, r)
						if requests++; rec.Code != http.StatusOK {
							t.Fatalf("day %d, step %d, the %s service, token %d of %d: %d %s", day, step, name, i, len(tokens), rec.Code, rec.Body)
						}
					}
				}
			}
			closeFresh()
		}
		keys, err := f.services[0].Keys(f.issuer[len("http://localhost:8081/"):])
		if err != nil || len(keys) > 5 {
			t.Errorf("%d keys, %v", len(keys), err)
		}
		t.Logf("%d requests, none refused", requests)
	})
}
