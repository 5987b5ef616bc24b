package clientcredentials_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
)

const endpoint = "https://auth.example.com/oauth2/token"

// roundTripper is a transport made of one function.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// issuer is a token endpoint that records what it was asked. Answer may be replaced while it is not in use.
type issuer struct {
	mu       sync.Mutex
	requests []request
	delay    time.Duration
	answer   func(n int, req request) *http.Response // n counts from 1
}

// request is a token request as the issuer sees it.
type request struct {
	at     time.Time
	method string
	url    string
	header http.Header
	body   string
	id     string // of the Basic header
	secret string
}

func (i *issuer) RoundTrip(req *http.Request) (*http.Response, error) {
	got := request{at: time.Now(), method: req.Method, url: req.URL.String(), header: req.Header.Clone()}
	got.id, got.secret, _ = req.BasicAuth()
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		_ = req.Body.Close()
		got.body = string(body)
	}
	if i.delay > 0 {
		select {
		case <-time.After(i.delay):
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
	i.mu.Lock()
	i.requests = append(i.requests, got)
	n, answer := len(i.requests), i.answer
	i.mu.Unlock()
	if answer == nil {
		return granted(fmt.Sprintf("token-%d", n), 3600), nil
	}
	if res := answer(n, got); res != nil {
		res.Request = req
		return res, nil
	}
	return nil, fmt.Errorf("connection refused")
}

func (i *issuer) count() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.requests)
}

func (i *issuer) last() request {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.requests[len(i.requests)-1]
}

func (i *issuer) set(answer func(int, request) *http.Response) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.answer = answer
}

// source is a Source of a client that asks i.
func (i *issuer) source(t testing.TB, change func(*clientcredentials.Config)) *clientcredentials.Source {
	t.Helper()
	cfg := clientcredentials.Config{
		TokenEndpoint: endpoint,
		Credentials:   clientcredentials.Static("reader", "s3cret"),
		Scopes:        []string{"https://api.example.com/demo.read"},
		HTTPClient:    &http.Client{Transport: i},
	}
	if change != nil {
		change(&cfg)
	}
	s, err := clientcredentials.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func answer(status int, contentType, body string, header ...string) *http.Response {
	res := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
	if contentType != "" {
		res.Header.Set("Content-Type", contentType)
	}
	for n := 0; n+1 < len(header); n += 2 {
		res.Header.Add(header[n], header[n+1])
	}
	return res
}

func granted(token string, expiresIn int) *http.Response {
	return answer(200, "application/json;charset=UTF-8", fmt.Sprintf(`{"access_token":%q,"expires_in":%d,"token_type":"Bearer"}`, token, expiresIn))
}

func refused(status int, code string, header ...string) *http.Response {
	return answer(status, "application/json", fmt.Sprintf(`{"error":%q}`, code), header...)
}

// jwt is an unsigned token with these claims: the client reads them and verifies nothing.
func jwt(claims map[string]any) string {
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"RS256"}`)) + "." + encode(payload) + ".c2ln"
}

// token fails the test when there is none.
func token(t testing.TB, s *clientcredentials.Source) *clientcredentials.Token {
	t.Helper()
	got, err := s.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return got
}
