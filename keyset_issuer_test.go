package countersign

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/internal/jose"
)

const (
	keysIssuer = "https://issuer.test/pool"
	keysURI    = "https://issuer.test/pool/.well-known/jwks.json"
)

// fakeKeysIssuer is an issuer behind an http.RoundTripper. Each of its answers can be replaced.
type fakeKeysIssuer struct {
	mu        sync.Mutex
	keys      map[string]crypto.Signer
	discovery func(*http.Request) (*http.Response, error) // nil for a good document
	jwks      func(*http.Request) (*http.Response, error) // nil for the keys
	moved     string                                      // another path of the keys; "" for none
	asked     map[string]int                              // requests by path
}

func newFakeKeysIssuer(kids ...string) *fakeKeysIssuer {
	f := &fakeKeysIssuer{keys: map[string]crypto.Signer{}, asked: map[string]int{}}
	f.publish(kids...)
	return f
}

// publish makes the issuer list exactly the keys of the kids; a kid that it has had keeps its key.
func (f *fakeKeysIssuer) publish(kids ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	keys := map[string]crypto.Signer{}
	for _, kid := range kids {
		if keys[kid] = f.keys[kid]; keys[kid] == nil {
			_, keys[kid], _ = ed25519.GenerateKey(rand.Reader)
		}
	}
	f.keys = keys
}

// answerKeys replaces the answer for the key set; nil puts the good one back.
func (f *fakeKeysIssuer) answerKeys(answer func(*http.Request) (*http.Response, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.jwks = answer
}

func (f *fakeKeysIssuer) answerDiscovery(answer func(*http.Request) (*http.Response, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.discovery = answer
}

// fetches is the number of requests for the key set.
func (f *fakeKeysIssuer) fetches() int { return f.requests("/pool/.well-known/jwks.json") }

func (f *fakeKeysIssuer) requests(path string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[path]
}

func (f *fakeKeysIssuer) jwkSet() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var keys []string
	for kid, key := range f.keys {
		jwk, err := jose.AppendJWK(nil, key.Public(), kid, jose.EdDSA)
		if err != nil {
			panic(err)
		}
		keys = append(keys, string(jwk))
	}
	return `{"keys":[` + strings.Join(keys, ",") + `]}`
}

func (f *fakeKeysIssuer) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	f.asked[r.URL.Path]++
	discovery, jwks, moved := f.discovery, f.jwks, f.moved
	f.mu.Unlock()
	switch {
	case strings.HasSuffix(r.URL.Path, "/openid-configuration") && discovery != nil:
		return discovery(r)
	case strings.HasSuffix(r.URL.Path, "/openid-configuration"):
		return answerText(200, `{"issuer":"`+keysIssuer+`","jwks_uri":"`+keysURI+`"}`)(r)
	case strings.HasSuffix(r.URL.Path, "/jwks.json") && jwks != nil:
		return jwks(r)
	case strings.HasSuffix(r.URL.Path, "/jwks.json"), moved != "" && r.URL.Path == moved:
		return answerText(200, f.jwkSet())(r)
	}
	return answerText(404, "")(r)
}

// answerText answers with a status, a body, and header lines as pairs.
func answerText(status int, body string, header ...string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		return answerBody(r, status, io.NopCloser(strings.NewReader(body)), header...), nil
	}
}

func answerBody(r *http.Request, status int, body io.ReadCloser, header ...string) *http.Response {
	response := &http.Response{StatusCode: status, Header: http.Header{}, Body: body, Request: r, ProtoMajor: 1, ProtoMinor: 1}
	for i := 0; i+1 < len(header); i += 2 {
		response.Header.Add(header[i], header[i+1])
	}
	return response
}

// hang takes the request and never answers.
func hang(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// dripping is a body of which one octet comes each second until the request ends.
type dripping struct{ ctx context.Context }

func (d dripping) Read(p []byte) (int, error) {
	select {
	case <-time.After(time.Second):
		p[0] = ' '
		return 1, nil
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	}
}

func (d dripping) Close() error { return nil }

func drip(r *http.Request) (*http.Response, error) {
	return answerBody(r, 200, dripping{r.Context()}), nil
}

// endless is a body without an end that counts what was read of it.
type endless struct{ read *int }

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	*e.read += len(p)
	return len(p), nil
}

func (e endless) Close() error { return nil }

// keysTest is a key source under test, with what it logged and reported.
type keysTest struct {
	*keyset
	issuer *fakeKeysIssuer
	log    *lockedBuffer
	events *keyEvents
}

type keyEvents struct {
	mu    sync.Mutex
	count map[KeyEventKind]int
}

func (e *keyEvents) of(kind KeyEventKind) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.count[kind]
}

type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

// startKeys starts a key set on the issuer, in a synctest bubble, and closes it at the end of the test.
func startKeys(t *testing.T, issuer *fakeKeysIssuer, change ...func(*keySourceConfig)) *keysTest {
	t.Helper()
	log, events := &lockedBuffer{}, &keyEvents{count: map[KeyEventKind]int{}}
	cfg := keySourceConfig{
		issuer:     keysIssuer,
		algorithms: []jose.Algorithm{jose.EdDSA, jose.RS256},
		maxStale:   24 * time.Hour,
		client:     &http.Client{Transport: issuer},
		logger:     slog.New(slog.NewTextHandler(log, nil)),
		observe: func(event KeyEvent) {
			events.mu.Lock()
			defer events.mu.Unlock()
			events.count[event.Kind]++
		},
	}
	for _, f := range change {
		f(&cfg)
	}
	source, err := newKeySource(cfg)
	if err != nil {
		t.Fatal(err)
	}
	k := &keysTest{source.(*keyset), issuer, log, events}
	t.Cleanup(func() { k.Close() })
	return k
}

// get asks for a key of the usual algorithm.
func (k *keysTest) get(ctx context.Context, kid string) error {
	_, err := k.key(ctx, kid, jose.EdDSA)
	return err
}

// want fails unless the answer for kid is the error, or nil.
func (k *keysTest) want(t *testing.T, kid string, want error) {
	t.Helper()
	if err := k.get(t.Context(), kid); !errors.Is(err, want) || (err != nil) != (want != nil) {
		t.Errorf("key %q: %v, want %v", kid, err, want)
	}
}

// inBubble runs f in a synctest bubble. A goroutine that is left at the end of f, after the clean-up, fails the test.
func inBubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}
