package tokenproxy_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/tokenproxy"
)

func TestOneTokenForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{delay: time.Second}
		p := newProxy(t, u, nil)
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() {
				if g := ask(p, right, "a", "b"); g.Token != "token-1" || g.Left < 3598 {
					t.Errorf("%+v", g)
				}
			})
		}
		wg.Wait()
		time.Sleep(30 * time.Minute)
		g := ask(p, right, "b", "a", "b") // the order of scopes means nothing
		if g.Token != "token-1" || g.Left < 1795 || g.Left > 1800 {
			t.Errorf("after half an hour: %+v", g)
		}
		if g.header.Get("Cache-Control") != "no-store" || g.header.Get("Pragma") != "no-cache" {
			t.Errorf("rfc6749 s5.1: %v", g.header)
		}
		if u.count() != 1 {
			t.Errorf("%d requests, want 1", u.count())
		}
	})
}

func TestWhatIsKeptApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		p := newProxy(t, u, nil)
		ask(p, right, "a")
		for name, g := range map[string]got{
			"another scope":      ask(p, right, "b"),
			"both scopes":        ask(p, right, "a", "b"),
			"no scope":           ask(p, right),
			"scopes that join":   ask(p, right, "ab"),
			"the secret by post": post(p, "grant_type=client_credentials&client_id=reader&scope=c&client_secret="+right),
			"another client":     post(p, "grant_type=client_credentials&client_id=reade&scope=a&client_secret="+right),
		} {
			if g.status != 200 || g.Token == "token-1" {
				t.Errorf("%s: %+v", name, g)
			}
		}
		if g := ask(p, wrong, "a"); g.status != 400 || g.Error != "invalid_client" || g.Token != "" {
			t.Errorf("the wrong secret: %+v", g)
		}
		if g := post(p, "grant_type=client_credentials&client_id=reader&scope=a"); g.Error != "invalid_client" {
			t.Errorf("no secret: %+v", g)
		}
		// Id and secret do not run together.
		if g := post(p, "grant_type=client_credentials&client_id=readert&scope=a&client_secret="+right[1:]); g.Error != "invalid_client" {
			t.Errorf("another division of id and secret: %+v", g)
		}
	})
}

func TestRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{delay: time.Second}
		p := newProxy(t, u, nil)
		ask(p, right)
		for u.count() == 1 {
			time.Sleep(time.Minute)
			if g := ask(p, right); g.Token != "token-1" {
				t.Fatalf("%+v while the renewal is under way", g)
			}
			time.Sleep(2 * time.Second)
		}
		if g := ask(p, right); g.Token != "token-2" || g.Left < 3500 {
			t.Errorf("%+v", g)
		}
	})
}

// TestOutage: the old token is served as long as it is good, and then the failure passes on as one that passes.
func TestOutage(t *testing.T) {
	for name, answer := range map[string]func(int) *http.Response{
		"503": func(int) *http.Response { return response(503, "{}") },
		"429": func(int) *http.Response { return response(429, "{}") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &upstream{}
				p := newProxy(t, u, nil)
				ask(p, right)
				u.set(answer)
				for range 59 {
					time.Sleep(time.Minute)
					if g := ask(p, right); g.status != 200 || g.Token != "token-1" {
						t.Fatalf("%+v", g)
					}
				}
				if u.count() > 400 {
					t.Errorf("%d requests in the outage", u.count())
				}
				time.Sleep(time.Minute)
				g := ask(p, right)
				if g.status != 503 || g.Error != "temporarily_unavailable" || g.header.Get("Retry-After") == "" {
					t.Errorf("%+v", g)
				}
				u.set(nil)
				if g := ask(p, right); g.status != 200 {
					t.Errorf("after the outage: %+v; an outage must not be remembered", g)
				}
			})
		})
	}
}

func TestRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		p := newProxy(t, u, nil)
		for range 100 {
			if g := ask(p, wrong); g.Error != "invalid_client" {
				t.Fatalf("%+v", g)
			}
		}
		if u.count() != 1 {
			t.Errorf("%d requests for one wrong secret", u.count())
		}
		if g := ask(p, right); g.status != 200 {
			t.Errorf("the wrong secret locks out the right one: %+v", g)
		}
		time.Sleep(6 * time.Second)
		u.mu.Lock()
		u.secret = wrong // it has just become the right one
		u.mu.Unlock()
		if g := ask(p, wrong); g.status != 200 {
			t.Errorf("a secret that is new: %+v", g)
		}
		// The other one was taken away: it is good until its token is due, and never afterwards.
		time.Sleep(52 * time.Minute)
		ask(p, right)
		synctest.Wait()
		if g := ask(p, right); g.Error != "invalid_client" {
			t.Errorf("a secret that was taken away: %+v", g)
		}
	})
}

func TestAFloodOfStrangers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		p := newProxy(t, u, func(cfg *tokenproxy.Config) { cfg.MaxEntries = 100 })
		ask(p, right, "a")
		limited := 0
		for n := range 5000 {
			if g := ask(p, fmt.Sprint(wrong, n)); g.status == 429 {
				limited++
			}
		}
		if u.count() > 150 || limited < 4800 {
			t.Errorf("%d requests to the issuer, %d limited", u.count(), limited)
		}
		if g := ask(p, right, "a"); g.Token != "token-1" {
			t.Errorf("the flood drove out a token: %+v", g)
		}
		time.Sleep(52 * time.Minute)
		for n := range 5000 {
			ask(p, fmt.Sprint(wrong, n))
		}
		ask(p, right, "a")
		synctest.Wait()
		if g := ask(p, right, "a"); g.Token == "token-1" || g.status != 200 {
			t.Errorf("the flood stopped a renewal: %+v", g)
		}
	})
}

func TestEntriesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		p := newProxy(t, u, func(cfg *tokenproxy.Config) { cfg.MaxEntries = 10 })
		for n := range 50 {
			if g := ask(p, right, fmt.Sprint("scope-", n)); g.status != 200 {
				t.Fatalf("%+v", g)
			}
			time.Sleep(time.Second)
		}
		if text := metrics(p); !strings.Contains(text, "countersign_tokenproxy_tokens 10\n") || !strings.Contains(text, "evicted_total 40\n") {
			t.Error(text)
		}
	})
}

// TestAFullCacheRenews: a renewal takes the place of the old token, and nobody else's.
func TestAFullCacheRenews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		p := newProxy(t, u, func(cfg *tokenproxy.Config) { cfg.MaxEntries = 3 })
		for range 20 {
			for n := range 3 {
				ask(p, right, fmt.Sprint("scope-", n))
				synctest.Wait()
			}
			time.Sleep(17 * time.Minute)
		}
		if text := metrics(p); !strings.Contains(text, "countersign_tokenproxy_tokens 3\n") || !strings.Contains(text, "evicted_total 0\n") {
			t.Error(text)
		}
	})
}

// TestASlowRate: less than one stranger a second is some, and not none.
func TestASlowRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		p := newProxy(t, u, func(cfg *tokenproxy.Config) { cfg.StrangerRate = 0.1 })
		for n := range 3 {
			if g := ask(p, right, fmt.Sprint("scope-", n)); g.status != 200 {
				t.Fatalf("%d: %+v", n, g)
			}
			if g := ask(p, right, "one-more"); g.status != 429 {
				t.Errorf("at once: %+v", g)
			}
			time.Sleep(10 * time.Second)
		}
	})
	for _, rate := range []float64{-1, math.NaN(), math.Inf(1)} {
		if _, err := tokenproxy.New(tokenproxy.Config{Upstream: "https://auth.example.com/oauth2/token", StrangerRate: rate}); err == nil {
			t.Errorf("a rate of %v is taken", rate)
		}
	}
}

// TestARefusedToken: rfc9111 s5.2.1.4: no-cache asks the issuer, once in five minutes.
func TestARefusedToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		p := newProxy(t, u, nil)
		ask(p, right)
		again := func() got {
			return post(p, "grant_type=client_credentials&client_id=reader&client_secret="+right, "Cache-Control", "no-cache")
		}
		ask(p, right)
		if g := again(); g.Token != "token-2" {
			t.Errorf("%+v", g)
		}
		for range 100 {
			if g := again(); g.Token != "token-2" {
				t.Fatalf("%+v", g)
			}
		}
		time.Sleep(5 * time.Minute)
		if g := again(); g.Token != "token-3" {
			t.Errorf("after the window: %+v", g)
		}
		// An issuer that fails meanwhile does not make the caller wait for the next window.
		time.Sleep(5 * time.Minute)
		u.set(func(int) *http.Response { return response(503, "{}") })
		if g := again(); g.Token != "token-3" {
			t.Errorf("in an outage: %+v", g)
		}
		u.set(nil)
		time.Sleep(time.Minute)
		if g := again(); g.status != 200 || g.Token == "token-3" {
			t.Errorf("after the outage: %+v", g)
		}
	})
}

func TestWhatIsNoTokenRequest(t *testing.T) {
	u := &upstream{}
	p := newProxy(t, u, nil)
	secret := "&client_id=reader&client_secret=" + right
	for _, c := range []struct{ name, form, want string }{
		{"rfc6749 s4.1.3: another grant", "grant_type=authorization_code" + secret, "unsupported_grant_type"},
		{"rfc6749 s3.2: a parameter twice", "grant_type=client_credentials&scope=a&scope=b" + secret, "invalid_request"},
		{"Cognito: aws_client_metadata", "grant_type=client_credentials&aws_client_metadata=%7B%7D" + secret, "invalid_request"},
		{"rfc7523 s2.2: an assertion", "grant_type=client_credentials&client_assertion=a.b.c", "invalid_request"},
		{"no form", "%zz", "invalid_request"},
		{"rfc6749 s5.2: no grant_type", "scope=a" + secret, "invalid_request"},
		{"rfc6749 s5.2: a malformed scope", "grant_type=client_credentials&scope=a%22b" + secret, "invalid_scope"},
		{"too long", "grant_type=client_credentials&scope=" + strings.Repeat("a", 20<<10) + secret, "invalid_request"},
		{"rfc6749 s2.3: two ways at once", "grant_type=client_credentials" + secret, "invalid_request"},
	} {
		var header []string
		if strings.Contains(c.name, "two ways") {
			header = []string{"Authorization", "Basic cmVhZGVyOmE="}
		}
		if g := post(p, c.form, header...); g.status != 400 || g.Error != c.want {
			t.Errorf("%s: %+v, want %s", c.name, g, c.want)
		}
	}
	req := httptest.NewRequest(http.MethodPost, "/oauth2/token?client_secret="+right, strings.NewReader("grant_type=client_credentials"+secret))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res := httptest.NewRecorder()
	p.ServeHTTP(res, req)
	if res.Code != 400 || u.count() != 0 {
		t.Errorf("rfc6749 s2.3.1: parameters in the URL: %d, %d requests", res.Code, u.count())
	}
}

// TestNoSecretIsHeld walks over all that the proxy holds, and reads its log and its metrics.
func TestNoSecretIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, out := &upstream{}, &bytes.Buffer{}
		p := newProxy(t, u, func(cfg *tokenproxy.Config) { cfg.Logger = slog.New(slog.NewJSONHandler(out, nil)) })
		ask(p, right, "a")
		ask(p, wrong, "a")
		ask(p, right+"\n")
		post(p, "grant_type=client_credentials&client_id=reader&scope="+url.QueryEscape(`"`+wrong)+"&client_secret="+right)
		synctest.Wait()
		found, strs := false, 0
		walk(reflect.ValueOf(p), map[uintptr]bool{}, func(text string) {
			strs++
			found = found || strings.Contains(text, right) || strings.Contains(text, wrong)
		})
		if found || strs < 5 {
			t.Errorf("a secret is held: %v, among %d texts", found, strs)
		}
		for _, secret := range []string{right, wrong, "token-1"} {
			if text := out.String() + metrics(p) + fmt.Sprintf("%+v", p); strings.Contains(text, secret) {
				t.Errorf("%s is told: %s", secret, text)
			}
		}
	})
}
