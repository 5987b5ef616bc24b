package clientcredentials_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
)

func TestOutageWithAGoodToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		i := &issuer{}
		s := i.source(t, func(cfg *clientcredentials.Config) { cfg.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
		first := token(t, s)
		i.set(func(int, request) *http.Response { return nil })
		end := first.Expiry.Add(-10 * time.Second)
		for time.Now().Before(end) {
			if got := token(t, s); got != first {
				t.Fatal("another token during the outage")
			}
			time.Sleep(time.Second)
		}
		synctest.Wait()
		// At most 21 minutes, a pause of half a minute to a minute at the end.
		if n := i.count(); n < 8 || n > 60 {
			t.Errorf("%d requests during the outage", n)
		}
		warned := strings.Count(log.String(), "level=WARN")
		if warned != i.count()-1 {
			t.Errorf("%d warnings for %d failed renewals", warned, i.count()-1)
		}
		var e *clientcredentials.Error
		for range 60 { // into the next attempts
			if _, err := s.Token(t.Context()); !errors.As(err, &e) || e.Code != "" || !e.Temporary() || e.Attempt < 8 {
				t.Errorf("got %v, want a temporary error with its attempts counted", err)
			}
			time.Sleep(time.Second)
		}
		if n := strings.Count(log.String(), "the old one stays in use"); n != warned {
			t.Error("of a token that has ended the log says that it stays in use")
		}
		i.set(nil)
		time.Sleep(time.Minute)
		token(t, s)
	})
}

func TestColdStart(t *testing.T) {
	t.Run("callers wait through a short failure", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			i := &issuer{answer: func(n int, _ request) *http.Response {
				if n < 3 {
					return answer(503, "text/html", "<h1>busy</h1>")
				}
				return granted("token", 3600)
			}}
			s := i.source(t, nil)
			start := time.Now()
			token(t, s)
			if d := time.Since(start); d < 750*time.Millisecond || d > 1500*time.Millisecond {
				t.Errorf("two retries took %v, want half to whole of 0.5 s and 1 s", d)
			}
		})
	})
	t.Run("a long failure is an error, and fails fast until the next try", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			i := &issuer{answer: func(int, request) *http.Response { return answer(502, "", "") }}
			s := i.source(t, nil)
			var e *clientcredentials.Error
			if _, err := s.Token(t.Context()); !errors.As(err, &e) || e.Status != 502 || e.Attempt != 4 {
				t.Fatalf("got %v, want HTTP 502 at attempt 4", err)
			}
			for time.Now().Before(e.NextTry.Add(-time.Millisecond)) {
				if _, err := s.Token(t.Context()); err == nil || i.count() != 4 {
					t.Fatalf("%d requests before the next try", i.count())
				}
				time.Sleep(100 * time.Millisecond)
			}
			time.Sleep(100 * time.Millisecond)
			if _, err := s.Token(t.Context()); err == nil || i.count() != 5 {
				t.Errorf("%d requests after the pause, want 5", i.count())
			}
		})
	})
	t.Run("an issuer that never answers is a temporary error", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			i := &issuer{delay: time.Hour}
			s := i.source(t, nil)
			start := time.Now()
			var e *clientcredentials.Error
			if _, err := s.Token(t.Context()); !errors.As(err, &e) || !e.Temporary() {
				t.Errorf("got %v, want a temporary error", err)
			}
			if d := time.Since(start); d > time.Minute {
				t.Errorf("it took %v, want under a minute", d)
			}
		})
	})
}

func TestRetryAfter(t *testing.T) {
	for _, c := range []struct {
		name, value string
		least, most time.Duration
	}{
		{"rfc9110 s10.2.3: seconds", "120", 120 * time.Second, 150 * time.Second},
		{"rfc9110 s10.2.3: date", "Sat, 01 Jan 2000 00:02:00 GMT", 119 * time.Second, 150 * time.Second},
		{"a year is bounded", "31536000", 15 * time.Minute, 19 * time.Minute},
		{"rfc9110 s10.2.3: more seconds than there are numbers for", "99999999999999999999999", 15 * time.Minute, 19 * time.Minute},
		{"seconds below zero are nonsense", "-120", 250 * time.Millisecond, 10 * time.Second},
		{"nonsense is our own pace", "soon", 250 * time.Millisecond, 10 * time.Second},
		{"the past is our own pace", "Sat, 01 Jan 1999 00:00:00 GMT", 250 * time.Millisecond, 10 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // starts at 2000-01-01 00:00:00 UTC
				i := &issuer{answer: func(n int, _ request) *http.Response { return refused(429, "", "Retry-After", c.value) }}
				s := i.source(t, nil)
				_, err := s.Token(t.Context())
				var e *clientcredentials.Error
				if !errors.As(err, &e) || e.Status != 429 || !e.Temporary() {
					t.Fatalf("got %v, want HTTP 429", err)
				}
				if d := time.Until(e.NextTry); d < c.least-8*time.Second || d < 0 || d > c.most {
					t.Errorf("next try in %v, want %v to %v", d, c.least, c.most)
				}
				n := i.count()
				for time.Now().Before(e.NextTry.Add(-time.Second)) {
					_, _ = s.Token(t.Context())
					time.Sleep(500 * time.Millisecond)
				}
				if i.count() != n {
					t.Errorf("%d requests before the time", i.count()-n)
				}
			})
		})
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name      string
		answer    *http.Response
		code      string
		status    int
		temporary bool
	}{
		{"rfc6749 s5.2: invalid_request", refused(400, "invalid_request"), clientcredentials.InvalidRequest, 400, false},
		{"rfc6749 s5.2: invalid_client at 400, as Cognito", refused(400, "invalid_client"), clientcredentials.InvalidClient, 400, false},
		{"rfc6749 s5.2: invalid_client at 401", refused(401, "invalid_client"), clientcredentials.InvalidClient, 401, false},
		{"rfc6749 s5.2: 401 alone is invalid_client", answer(401, "text/html", "no"), clientcredentials.InvalidClient, 401, false},
		{"rfc6749 s5.2: invalid_grant", refused(400, "invalid_grant"), clientcredentials.InvalidGrant, 400, false},
		{"rfc6749 s5.2: unauthorized_client", refused(400, "unauthorized_client"), clientcredentials.UnauthorizedClient, 400, false},
		{"rfc6749 s5.2: unsupported_grant_type", refused(400, "unsupported_grant_type"), clientcredentials.UnsupportedGrantType, 400, false},
		{"rfc6749 s5.2: invalid_scope", refused(400, "invalid_scope"), clientcredentials.InvalidScope, 400, false},
		{"a code of nobody's", refused(400, "s3cret"), "", 400, false},
		{"an error page", answer(403, "text/html", "<h1>WAF</h1>"), "", 403, false},
		{"temporarily_unavailable", refused(400, "temporarily_unavailable"), "", 400, true},
		{"server error with a code", refused(500, "invalid_client"), "", 500, true},
		{"rfc6749 s5.2 has 400, and some send 200", refused(200, "invalid_client"), clientcredentials.InvalidClient, 200, false},
		{"redirect", answer(307, "", "", "Location", "https://evil.example/"), "", 307, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				body, err := io.ReadAll(c.answer.Body)
				if err != nil {
					t.Fatal(err)
				}
				i := &issuer{answer: func(int, request) *http.Response {
					res := *c.answer
					res.Body = io.NopCloser(bytes.NewReader(body))
					return &res
				}}
				_, err = i.source(t, nil).Token(t.Context())
				var e *clientcredentials.Error
				if !errors.As(err, &e) || e.Status != c.status || e.Temporary() != c.temporary {
					t.Fatalf("got %v, want HTTP %d, temporary %t", err, c.status, c.temporary)
				}
				if !c.temporary && (e.Code != c.code || i.count() != 1) {
					t.Errorf("code %q after %d requests, want %q after 1", e.Code, i.count(), c.code)
				}
				if c.code != "" && !errors.Is(err, &clientcredentials.Error{Code: c.code}) {
					t.Error("errors.Is does not know the code")
				}
				if strings.Contains(err.Error(), "s3cret") {
					t.Error("the error repeats the issuer's answer")
				}
			})
		})
	}
}

// TestAFixedSecretIsFound: a secret that is put right is in use within a minute.
func TestAFixedSecretIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{answer: func(int, request) *http.Response { return refused(400, "invalid_client") }}
		s := i.source(t, nil)
		for range 600 {
			if _, err := s.Token(t.Context()); !errors.Is(err, &clientcredentials.Error{Code: clientcredentials.InvalidClient}) {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if n := i.count(); n > 25 {
			t.Errorf("%d requests in ten minutes with a wrong secret", n)
		}
		i.set(nil)
		time.Sleep(time.Minute)
		token(t, s)
	})
}

// checkError compares an Error; one that is not temporary must have cost one request, or two with another secret.
func checkError(t *testing.T, err error, code string, status int, temporary bool, requests int) {
	t.Helper()
	var e *clientcredentials.Error
	switch {
	case !errors.As(err, &e):
		t.Errorf("got %v, want an *Error", err)
	case temporary != (requests > 1):
		t.Errorf("%d requests for %v", requests, err)
	case !temporary && (e.Code != code || e.Status != status || e.Temporary()):
		t.Errorf("got %+v, want %q and HTTP %d", e, code, status)
	}
	if strings.Contains(err.Error(), "s3cret") {
		t.Error("the error repeats the issuer's answer")
	}
}

// TestTheWordsForAWrongAddress: it is the mistake that is made most, and the status alone does not tell where.
func TestTheWordsForAWrongAddress(t *testing.T) {
	for _, status := range []int{404, 405, 410} {
		i := &issuer{answer: func(int, request) *http.Response { return answer(status, "text/html", "<h1>no</h1>") }}
		_, err := i.source(t, nil).Token(t.Context())
		if err == nil || !strings.Contains(err.Error(), "no token endpoint at this address; look at TokenEndpoint or Issuer") {
			t.Errorf("%d: %v", status, err)
		}
	}
}
