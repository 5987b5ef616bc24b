package clientcredentials_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
)

const callers = 1000

// all calls Token from many goroutines at once and fails on the first error.
func all(t *testing.T, s *clientcredentials.Source) {
	t.Helper()
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			got, err := s.Token(t.Context())
			if err != nil {
				t.Error(err)
			} else if !time.Now().Before(got.Expiry) {
				t.Error("an expired token was given")
			}
		})
	}
	wg.Wait()
}

func TestSingleFlight(t *testing.T) {
	t.Run("five lives that each end before the next call cost five requests", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			i := &issuer{delay: time.Second}
			s := i.source(t, nil)
			for range 5 {
				all(t, s)
				time.Sleep(time.Hour)
			}
			if n := i.count(); n != 5 {
				t.Errorf("%d goroutines over 5 expiries made %d requests, want 5", callers, n)
			}
		})
	})
	t.Run("five renewals in use cost the first request and five", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			i := &issuer{delay: time.Second}
			s := i.source(t, nil)
			all(t, s)
			for range 5 {
				time.Sleep(55 * time.Minute) // past 85 % of the life
				all(t, s)                    // all get the old token, the first of them starts the renewal
				time.Sleep(2 * time.Second)
				all(t, s)
			}
			if n := i.count(); n != 6 {
				t.Errorf("%d goroutines over 5 renewals made %d requests, want 6", callers, n)
			}
		})
	})
	t.Run("a source that nobody asks asks nobody", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			i := &issuer{}
			s := i.source(t, nil)
			token(t, s)
			time.Sleep(24 * time.Hour)
			if n := i.count(); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
		})
	})
}

func TestRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{delay: 3 * time.Second}
		s := i.source(t, nil)
		first := token(t, s)
		start := time.Now()
		for i.count() == 1 {
			if got := token(t, s); got != first {
				t.Fatal("another token before the renewal was answered")
			}
			time.Sleep(time.Second)
		}
		at := time.Since(start) - i.delay
		if at < 38*time.Minute || at > 52*time.Minute {
			t.Errorf("renewed at %v of an hour, want 65 to 85 %%", at)
		}
		synctest.Wait()
		if got := token(t, s); got == first {
			t.Error("the new token is not in use")
		}
	})
}

// A token of many hours is not renewed hours ahead, and early enough for an outage of half an hour.
func TestRenewalOfALongLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 50 {
			i := &issuer{answer: func(n int, _ request) *http.Response { return granted("token-"+strconv.Itoa(n), 24*3600) }}
			s := i.source(t, nil)
			token(t, s)
			for _, look := range []struct {
				before   time.Duration // the end
				requests int
			}{{85 * time.Minute, 1}, {35 * time.Minute, 2}} {
				time.Sleep(time.Until(s.Stats().Expiry) - look.before)
				token(t, s)
				synctest.Wait()
				if n := i.count(); n != look.requests {
					t.Fatalf("%v before the end: %d requests, want %d", look.before, n, look.requests)
				}
			}
		}
	})
}

func TestRenewalIsJittered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// 200 programs that start together and live a day: no minute after the start may see them together.
		const programs, day = 200, 24 * time.Hour
		i := &issuer{}
		sources := make([]*clientcredentials.Source, programs)
		for n := range sources {
			sources[n] = i.source(t, nil)
		}
		minutes := make(map[int]int)
		for minute := range int(day / time.Minute) {
			before := i.count()
			for _, s := range sources {
				token(t, s)
			}
			synctest.Wait()
			minutes[minute] = i.count() - before
			time.Sleep(time.Minute)
		}
		peak := 0
		for minute, n := range minutes {
			if minute > 0 {
				peak = max(peak, n)
			}
		}
		t.Logf("%d programs, one day: %d token requests, at most %d a minute after the start", programs, i.count(), peak)
		if minutes[0] != programs || peak > 45 {
			t.Errorf("%d requests at the start and a peak of %d a minute, want %d and at most 45", minutes[0], peak, programs)
		}
		// One request each three quarters of an hour; 24 h / 0.65 h would be 37.
		if n := i.count() / programs; n < 28 || n > 37 {
			t.Errorf("%d requests a program and day", n)
		}
	})
}

func TestWaitersHonourTheirContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{delay: 5 * time.Second}
		s := i.source(t, nil)
		start := time.Now()
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := s.Token(short)
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
				t.Errorf("got %v after %v, want its deadline after 1s", err, time.Since(start))
			}
		})
		wg.Go(func() {
			token(t, s)
			if d := time.Since(start); d != 5*time.Second {
				t.Errorf("the patient caller waited %v, want 5s", d)
			}
		})
		wg.Wait()
		if n := i.count(); n != 1 {
			t.Errorf("%d requests, want 1: one caller's context must not end the request of all", n)
		}
	})
}

func TestNoRequestForAnEndedContext(t *testing.T) {
	i := &issuer{}
	s := i.source(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Token(ctx); !errors.Is(err, context.Canceled) || i.count() != 0 {
		t.Errorf("got %v and %d requests, want context.Canceled and none", err, i.count())
	}
}

func TestClose(t *testing.T) {
	t.Run("ends a request in the air and waits for it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			i := &issuer{delay: 5 * time.Second}
			s := i.source(t, nil)
			var wg sync.WaitGroup
			wg.Go(func() {
				if _, err := s.Token(t.Context()); !errors.Is(err, clientcredentials.ErrClosed) {
					t.Errorf("got %v, want ErrClosed", err)
				}
			})
			time.Sleep(time.Second)
			start := time.Now()
			_ = s.Close()
			if d := time.Since(start); d != 0 {
				t.Errorf("Close took %v", d)
			}
			wg.Wait()
			if _, err := s.Token(t.Context()); !errors.Is(err, clientcredentials.ErrClosed) {
				t.Errorf("got %v, want ErrClosed", err)
			}
		})
	})
	t.Run("leaves a good token in use", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			i := &issuer{}
			s := i.source(t, nil)
			first := token(t, s)
			_ = s.Close()
			time.Sleep(55 * time.Minute)
			if got := token(t, s); got != first {
				t.Error("another token after Close")
			}
			time.Sleep(5 * time.Minute)
			if _, err := s.Token(t.Context()); !errors.Is(err, clientcredentials.ErrClosed) || i.count() != 1 {
				t.Errorf("got %v and %d requests, want ErrClosed and 1", err, i.count())
			}
		})
	})
}

func TestTheTokenRequest(t *testing.T) {
	for _, c := range []struct {
		name, id, secret string
		scopes           []string
		door             clientcredentials.Door
		basic, body      string
	}{
		{"rfc6749 s4.4.2: grant_type and scope", "reader", "s3cret", []string{"a/b", "c/d"}, "",
			"Basic cmVhZGVyOnMzY3JldA==", "grant_type=client_credentials&scope=a%2Fb+c%2Fd"},
		{"rfc6749 s4.4.2: scope is optional", "reader", "s3cret", nil, clientcredentials.ClientSecretBasic,
			"Basic cmVhZGVyOnMzY3JldA==", "grant_type=client_credentials"},
		{"rfc6749 s2.3.1: both halves are form-encoded", "re:ader", "s3 cret+%", nil, "",
			"Basic cmUlM0FhZGVyOnMzK2NyZXQlMkIlMjU=", "grant_type=client_credentials"},
		{"rfc6749 s2.3.1: client_secret_post", "reader", "s3&cret", nil, clientcredentials.ClientSecretPost,
			"", "client_id=reader&client_secret=s3%26cret&grant_type=client_credentials"},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := &issuer{}
			s := i.source(t, func(cfg *clientcredentials.Config) {
				cfg.Credentials, cfg.Scopes, cfg.Door = clientcredentials.Static(c.id, c.secret), c.scopes, c.door
			})
			token(t, s)
			got := i.last()
			if got.method != http.MethodPost || got.url != endpoint || got.body != c.body || got.header.Get("Authorization") != c.basic {
				t.Errorf("%s %s\n%s\n%s", got.method, got.url, got.header.Get("Authorization"), got.body)
			}
			if got := got.header.Get("Content-Type"); got != "application/x-www-form-urlencoded" {
				t.Errorf("Content-Type is %q", got)
			}
		})
	}
}

// TestItsOwnTransportIsMadeTheDefault: a program that gives every request its token has not given one to the token request.
func TestItsOwnTransportIsMadeTheDefault(t *testing.T) {
	before := http.DefaultTransport
	defer func() { http.DefaultTransport = before }()
	i := &issuer{}
	http.DefaultTransport = i
	s := i.source(t, func(cfg *clientcredentials.Config) {
		cfg.HTTPClient, cfg.Door = &http.Client{}, clientcredentials.ClientSecretPost
	})
	http.DefaultTransport = s.Transport(nil)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := s.Token(ctx); err != nil || i.count() != 1 {
		t.Errorf("%v after %d requests", err, i.count())
	}
}
