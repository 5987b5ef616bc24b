package clientcredentials_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
)

const refusal = `Bearer realm="api", error="invalid_token"`

// page is the body of a refusal, longer than what is read of a discarded answer.
var page = strings.Repeat("x", 100<<10)

// until answers 401 invalid_token to every token but want.
func until(want string) func(int, call) *http.Response {
	return func(_ int, c call) *http.Response {
		if c.authorization == "Bearer "+want {
			return answer(200, "", "ok")
		}
		return answer(401, "", page, "WWW-Authenticate", refusal)
	}
}

func TestReplay(t *testing.T) {
	plain := func(r *http.Request) *http.Request { return r }
	for _, c := range []struct {
		name          string
		body          io.Reader
		change        func(*http.Request) *http.Request
		answer        func(int, call) *http.Response
		status        int
		calls, tokens int
	}{
		{"rfc6750 s3.1: invalid_token, no body", nil, plain, until("token-2"), 200, 2, 2},
		{"a body that can be had again", strings.NewReader("data"), plain, until("token-2"), 200, 2, 2},
		{"a body that is empty", http.NoBody, plain, until("token-2"), 200, 2, 2},
		{"no body, and a GetBody that has one", nil, func(r *http.Request) *http.Request {
			r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("data")), nil }
			return r
		}, until("token-2"), 200, 2, 2},
		{"GetBody fails", strings.NewReader("data"), func(r *http.Request) *http.Request {
			r.GetBody = func() (io.ReadCloser, error) { return nil, errors.New("gone") }
			return r
		}, until("token-2"), 401, 1, 2},
		{"the second answer is the last", nil, plain, until("never"), 401, 2, 2},
		{"403 is no reason", nil, plain, func(int, call) *http.Response {
			return answer(403, "", "", "WWW-Authenticate", `Bearer error="insufficient_scope"`)
		}, 403, 1, 1},
		{"403 with invalid_token is none either", nil, plain, func(int, call) *http.Response {
			return answer(403, "", "", "WWW-Authenticate", refusal)
		}, 403, 1, 1},
		{"rfc6750 s3.1: 401 without an error", nil, plain, func(int, call) *http.Response {
			return answer(401, "", "", "WWW-Authenticate", `Bearer realm="api"`)
		}, 401, 1, 1},
		{"401 without a challenge", nil, plain, func(int, call) *http.Response { return answer(401, "", "") }, 401, 1, 1},
		{"rfc9110 s11.6.1: several challenges", nil, plain, func(n int, _ call) *http.Response {
			if n == 2 {
				return answer(200, "", "ok")
			}
			return answer(401, "", "", "WWW-Authenticate", `Basic realm="x"`, "WWW-Authenticate", `Negotiate YQ==, `+refusal)
		}, 200, 2, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			i, a := &issuer{}, &api{answer: c.answer}
			s := i.source(t, nil)
			req, err := http.NewRequest(http.MethodPost, "https://api.example.com/", c.body)
			if err != nil {
				t.Fatal(err)
			}
			req.Header["X-Values"] = []string{"1", "2"}
			header := fmt.Sprint(req.Header)
			res := do(t, a.client(s), c.change(req))
			if res.StatusCode != c.status || len(a.got) != c.calls || i.count() != c.tokens {
				t.Errorf("HTTP %d, %d calls, %d token requests; want %d, %d, %d", res.StatusCode, len(a.got), i.count(), c.status, c.calls, c.tokens)
			}
			if a.got[0].body != a.got[len(a.got)-1].body {
				t.Errorf("the second body is %q, the first was %q", a.got[1].body, a.got[0].body)
			}
			if got := fmt.Sprint(req.Header); got != header {
				t.Errorf("RoundTripper: the request's header was changed to %s", got)
			}
			for n, b := range a.bodies {
				discarded := n < len(a.bodies)-1
				if b.closed != discarded || b.read > 32<<10 {
					t.Errorf("answer %d: closed %t, %d bytes read", n, b.closed, b.read)
				}
			}
		})
	}
}

// TestABodyThatCanBeReadOnce: the answer stands, and the next request has another token.
func TestABodyThatCanBeReadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, a := &issuer{}, &api{answer: until("token-2")}
		s := i.source(t, nil)
		client := a.client(s)
		upload := func() int {
			req, err := http.NewRequest(http.MethodPost, "https://api.example.com/", io.MultiReader(strings.NewReader("data")))
			if err != nil {
				t.Fatal(err)
			}
			return do(t, client, req).StatusCode
		}
		if status := upload(); status != 401 || len(a.got) != 1 {
			t.Errorf("HTTP %d after %d calls, want 401 after one", status, len(a.got))
		}
		synctest.Wait()
		if status := upload(); status != 200 {
			t.Errorf("HTTP %d: a program that only uploads is refused as long as the token lives", status)
		}
		a.answer = until("never")
		for range 100 {
			upload()
			synctest.Wait()
		}
		if stats := s.Stats(); i.count() != 2 || stats.ForcedRenewals != 1 || stats.Replays != 0 {
			t.Errorf("%d token requests, %+v; want 2, one of them forced, and nothing sent again", i.count(), stats)
		}
	})
}

func TestAnAPIThatAlwaysRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, a := &issuer{}, &api{answer: until("never")}
		s := i.source(t, func(cfg *clientcredentials.Config) { cfg.HTTPClient.Transport = i })
		client := a.client(s)
		for range 60 * 30 { // half an hour, ten callers a second
			var wg sync.WaitGroup
			for range 10 {
				wg.Go(func() { get(t, client, "https://api.example.com/") })
			}
			wg.Wait()
			time.Sleep(time.Second)
		}
		// The first one, and one for each window of five minutes.
		if n := i.count(); n > 7 || s.Stats().ForcedRenewals > 6 {
			t.Errorf("%d token requests in six windows, want at most the first and 6", n)
		}
	})
}

func TestARefusedTokenIsReplacedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, a := &issuer{delay: time.Second}, &api{answer: until("token-2")}
		s := i.source(t, nil)
		client := a.client(s)
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if res := get(t, client, "https://api.example.com/"); res.StatusCode != 200 {
					t.Errorf("HTTP %d", res.StatusCode)
				}
			})
		}
		wg.Wait()
		if stats := s.Stats(); i.count() != 2 || stats.ForcedRenewals != 1 || stats.Replays != 100 {
			t.Errorf("%d token requests, %+v; want 2, one of them forced", i.count(), stats)
		}
	})
}

func TestARefusedTokenAndAnIssuerThatIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, a := &issuer{}, &api{answer: until("never")}
		s := i.source(t, nil)
		token(t, s)
		i.set(func(int, request) *http.Response { return nil })
		client := a.client(s)
		for range 10 * 60 {
			if res := get(t, client, "https://api.example.com/"); res.StatusCode != 401 {
				t.Errorf("HTTP %d, want the API's own answer", res.StatusCode)
			}
			time.Sleep(time.Second)
		}
		// The pauses between attempts grow to a minute.
		if n := i.count(); n < 8 || n > 30 {
			t.Errorf("%d token requests in ten minutes, want a few", n)
		}
		a.answer = nil
		if res := get(t, client, "https://api.example.com/"); res.StatusCode != 200 {
			t.Errorf("HTTP %d, want the old token to stay in use", res.StatusCode)
		}
	})
}

func TestAnIssuerThatGivesTheSameTokenAgain(t *testing.T) {
	i := &issuer{answer: func(int, request) *http.Response { return granted("same", 3600) }}
	a := &api{answer: until("never")}
	get(t, a.client(i.source(t, nil)), "https://api.example.com/")
	if len(a.got) != 1 || i.count() != 2 {
		t.Errorf("%d calls and %d token requests, want 1 and 2: the same token gets the same answer", len(a.got), i.count())
	}
}

// TestABadTokenFromABadIssuer: the API refuses a token, and the issuer fails when it is asked for another. The token is
// replaced as soon as the issuer is back, and so is a second bad one that came with a renewal that was due.
func TestABadTokenFromABadIssuer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := map[string]bool{"token-1": true, "token-4": true}
		a := &api{answer: func(_ int, c call) *http.Response {
			if bad[strings.TrimPrefix(c.authorization, "Bearer ")] {
				return answer(401, "", "", "WWW-Authenticate", refusal)
			}
			return answer(200, "", "ok")
		}}
		i := &issuer{answer: func(n int, _ request) *http.Response {
			if n == 2 {
				return answer(500, "", "")
			}
			return granted(fmt.Sprintf("token-%d", n), 60)
		}}
		client := a.client(i.source(t, nil))
		for second := range 90 { // into the first renewal that is due
			if res := get(t, client, "https://api.example.com/"); res.StatusCode != 200 {
				t.Errorf("second %d: HTTP %d", second, res.StatusCode)
			}
			time.Sleep(time.Second)
		}
		if i.count() < 5 {
			t.Errorf("%d token requests: the second bad token never came", i.count())
		}
	})
}
