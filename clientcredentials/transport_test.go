package clientcredentials_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
)

// api is the network behind the Transport: hosts that record what they got.
type api struct {
	mu     sync.Mutex
	got    []call
	answer func(n int, c call) *http.Response // n counts from 1; nil answers 200
	bodies []*body
}

type call struct {
	url, authorization, body string
}

// body records that it was closed, and how much of it was read.
type body struct {
	io.Reader
	read   int
	closed bool
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.read += n
	return n, err
}

func (b *body) Close() error { b.closed = true; return nil }

func (a *api) RoundTrip(req *http.Request) (*http.Response, error) {
	c := call{url: req.URL.String(), authorization: req.Header.Get("Authorization")}
	if req.Body != nil {
		data, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		_ = req.Body.Close()
		c.body = string(data)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.got = append(a.got, c)
	res := answer(200, "", "ok")
	if a.answer != nil {
		res = a.answer(len(a.got), c)
	}
	if res == nil {
		return nil, errors.New("connection refused")
	}
	b := &body{Reader: res.Body}
	a.bodies = append(a.bodies, b)
	res.Body, res.Request = b, req
	return res, nil
}

func (a *api) client(s *clientcredentials.Source) *http.Client {
	return &http.Client{Transport: s.Transport(a)}
}

func get(t *testing.T, c *http.Client, url string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return do(t, c, req)
}

func do(t *testing.T, c *http.Client, req *http.Request) *http.Response {
	t.Helper()
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

func TestWhereTheTokenGoes(t *testing.T) {
	const home = "https://api.example.com/a"
	for _, c := range []struct {
		name    string
		origins []string
		start   string
		to      []string // redirects, one after the other
		want    string   // t for a request with the token, - for one without
	}{
		{"one request", nil, home, nil, "t"},
		{"a redirect on the same origin", nil, home, []string{"/b", "https://api.example.com:443/c", "https://API.example.com/d"}, "tttt"},
		{"a redirect to another host", nil, home, []string{"https://evil.example/"}, "t-"},
		{"a redirect to a subdomain", nil, home, []string{"https://x.api.example.com/"}, "t-"},
		{"a redirect to another port", nil, home, []string{"https://api.example.com:8443/"}, "t-"},
		{"a redirect to plain http", nil, home, []string{"http://api.example.com/a"}, "t-"},
		{"a redirect there and back", nil, home, []string{"https://evil.example/", home + "2"}, "t--"},
		{"a redirect out of the allowed origins and back", []string{"https://api.example.com"}, home, []string{"https://evil.example/", home + "2"}, "t--"},
		{"a redirect from elsewhere to an allowed origin", []string{"https://api.example.com"}, "https://evil.example/", []string{home}, "--"},
		{"a redirect within another origin", nil, home, []string{"https://evil.example/", "https://evil.example/2"}, "t--"},
		{"the loopback over http", nil, "http://localhost:8080/", []string{"http://localhost:8081/"}, "t-"},
		{"an allowed origin", []string{"https://api.example.com"}, home, nil, "t"},
		{"an origin that is not allowed", []string{"https://api.example.com"}, "https://other.example/", nil, "-"},
		{"plain http that is not allowed", []string{"https://api.example.com"}, "http://other.example/", nil, "-"},
		{"a redirect between allowed origins", []string{"https://api.example.com", "https://b.example.com:8443/"}, home, []string{"https://b.example.com:8443/"}, "tt"},
		{"a redirect out of the allowed origins", []string{"https://api.example.com"}, home, []string{"https://evil.example/"}, "t-"},
		{"a host that begins like an allowed one", []string{"https://api.example.com"}, "https://api.example.com.evil.example/", nil, "-"},
		{"a user name that looks like an allowed host", []string{"https://api.example.com"}, "https://evil.example/@api.example.com", nil, "-"},
	} {
		t.Run(c.name, func(t *testing.T) {
			log := &logBuffer{}
			s := (&issuer{}).source(t, func(cfg *clientcredentials.Config) { cfg.Origins, cfg.Logger = c.origins, log.logger() })
			a := &api{answer: func(n int, _ call) *http.Response {
				if n <= len(c.to) {
					return answer(307, "", "", "Location", c.to[n-1])
				}
				return answer(200, "", "ok")
			}}
			res := get(t, a.client(s), c.start)
			got := ""
			for _, call := range a.got {
				switch call.authorization {
				case "Bearer token-1":
					got += "t"
				case "":
					got += "-"
				default:
					t.Errorf("Authorization is %q", call.authorization)
				}
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if told := strings.Count(log.String(), "goes without the token"); told != strings.Count(c.want, "-") {
				t.Errorf("the log has %d requests without the token: %s", told, log)
			}
			if res.Request.Header.Get("Authorization") != "" {
				t.Error("the token is in the caller's request")
			}
		})
	}
}

// TestARedirectFromNowhere: a transport around this one answers with redirects that do not say what they answer, so that nobody
// knows where the request began.
func TestARedirectFromNowhere(t *testing.T) {
	for _, origins := range [][]string{nil, {"https://api.example.com", "https://b.example.com"}} {
		s := (&issuer{}).source(t, func(cfg *clientcredentials.Config) { cfg.Origins = origins })
		a := &api{}
		inner := s.Transport(a)
		client := &http.Client{Transport: roundTripper(func(req *http.Request) (*http.Response, error) {
			if req.URL.Path == "/a" {
				return answer(307, "", "", "Location", "https://b.example.com/"), nil
			}
			return inner.RoundTrip(req)
		})}
		get(t, client, "https://api.example.com/a")
		if len(a.got) != 1 || a.got[0].authorization != "" {
			t.Errorf("origins %q: %+v, want no token", origins, a.got)
		}
	}
}

func TestPlainHTTP(t *testing.T) {
	for _, c := range []struct {
		name, url string
		insecure  bool
		ok        bool
	}{
		{"elsewhere", "http://api.example.com/", false, false},
		{"elsewhere, said to be insecure", "http://api.example.com/", true, true},
		{"localhost", "http://localhost:8080/", false, true},
		{"127.0.0.0/8", "http://127.1.2.3:8080/", false, true},
		{"::1", "http://[::1]:8080/", false, true},
		{"a name that is not the loopback", "http://localhost.example.com/", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			i, a := &issuer{}, &api{}
			s := i.source(t, func(cfg *clientcredentials.Config) { cfg.InsecureAllowHTTP = c.insecure })
			sent := &body{Reader: strings.NewReader("data")}
			req, err := http.NewRequest(http.MethodPost, c.url, sent)
			if err != nil {
				t.Fatal(err)
			}
			res, err := s.Transport(a).RoundTrip(req)
			if c.ok != (err == nil) || c.ok != (len(a.got) == 1) {
				t.Errorf("got %v and %d requests", err, len(a.got))
			}
			if res != nil {
				_ = res.Body.Close()
			}
			if !sent.closed {
				t.Error("RoundTripper: the body must be closed, also on errors")
			}
			if !c.ok && i.count() != 0 {
				t.Error("a token was asked for that is not sent")
			}
		})
	}
}

func TestTheCallersAuthorizationStays(t *testing.T) {
	for name, change := range map[string]func(*http.Request){
		"Basic 1":    func(r *http.Request) { r.Header.Set("Authorization", "Basic 1") },
		"Basic 2":    func(r *http.Request) { r.Header["authorization"] = []string{"Basic 2"} },
		"Basic YTpi": func(r *http.Request) { r.URL.User = nil; r.SetBasicAuth("a", "b") },
	} {
		i := &issuer{}
		a := &api{answer: func(_ int, c call) *http.Response { return answer(401, "", "", "WWW-Authenticate", refusal) }}
		req, err := http.NewRequest(http.MethodGet, "https://api.example.com/", nil)
		if err != nil {
			t.Fatal(err)
		}
		change(req)
		rt := i.source(t, nil).Transport(roundTripper(func(req *http.Request) (*http.Response, error) {
			for key, values := range req.Header {
				if strings.EqualFold(key, "Authorization") && values[0] != name {
					t.Errorf("%s: %q", key, values)
				}
			}
			return a.RoundTrip(req)
		}))
		res, err := rt.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != 401 || len(a.got) != 1 || i.count() != 0 {
			t.Errorf("HTTP %d, %d API requests, %d token requests; want 401, 1, 0", res.StatusCode, len(a.got), i.count())
		}
	}
}

func TestNoToken(t *testing.T) {
	i := &issuer{answer: func(int, request) *http.Response { return refused(400, "invalid_client") }}
	a := &api{}
	sent := &body{Reader: strings.NewReader("data")}
	req, err := http.NewRequest(http.MethodPost, "https://api.example.com/", sent)
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.client(i.source(t, nil)).Do(req)
	if !errors.Is(err, &clientcredentials.Error{Code: clientcredentials.InvalidClient}) || len(a.got) != 0 {
		t.Errorf("got %v and %d calls, want invalid_client and none", err, len(a.got))
	}
	if !sent.closed {
		t.Error("RoundTripper: the body must be closed, also on errors")
	}
}

func TestTransportHonoursTheRequestsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{delay: 5 * time.Second}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.example.com/", nil)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		_, err = (&api{}).client(i.source(t, nil)).Do(req)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
	})
}

func TestCloseIdleConnections(t *testing.T) {
	base := &http.Transport{}
	idle := &idler{RoundTripper: base}
	client := &http.Client{Transport: (&issuer{}).source(t, nil).Transport(idle)}
	client.CloseIdleConnections()
	if idle.closed != 1 {
		t.Error("http.Client.CloseIdleConnections does not reach the base transport")
	}
}

type idler struct {
	http.RoundTripper
	closed int
}

func (i *idler) CloseIdleConnections() { i.closed++ }

// TestTheCallersHeaderIsNotWritten: what the base transport appends to a header lands in memory of its own, also
// where the caller's value has room behind it.
func TestTheCallersHeaderIsNotWritten(t *testing.T) {
	s := (&issuer{}).source(t, nil)
	base := roundTripper(func(req *http.Request) (*http.Response, error) {
		for name := range req.Header {
			req.Header.Add(name, "of the base")
		}
		return answer(200, "", ""), nil
	})
	values := make([]string, 1, 8)
	values[0] = "of the caller"
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.example.com/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header["Accept"] = values
	if _, err := s.Transport(base).RoundTrip(req); err != nil {
		t.Fatal(err)
	}
	if got := values[:2]; got[1] != "" || len(req.Header) != 1 || len(req.Header["Accept"]) != 1 {
		t.Errorf("the caller has %q and %v", got, req.Header)
	}
}

func TestTransportAllocations(t *testing.T) {
	s := (&issuer{}).source(t, func(cfg *clientcredentials.Config) {
		cfg.Origins = []string{"https://other.example.com", "https://api.example.com"}
	})
	token(t, s)
	ok := answer(200, "", "")
	rt := s.Transport(roundTripper(func(*http.Request) (*http.Response, error) { return ok, nil }))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.example.com/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "application/json")
	if n := testing.AllocsPerRun(100, func() { _, _ = rt.RoundTrip(req) }); n > 3 {
		t.Errorf("%v allocations, want at most 3", n)
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = s.Token(t.Context()) }); n > 0 {
		t.Errorf("Token: %v allocations, want none", n)
	}
}
