package clientcredentials_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
)

// dated is an answer with the time that it was made at, RFC 9110, Section 6.6.1.
func dated(res *http.Response, at time.Time) *http.Response {
	res.Header.Set("Date", at.UTC().Format(http.TimeFormat))
	return res
}

// TestClockThatIsWrong: what a token's exp says is read on the issuer's clock where this machine's leaves nothing of its life.
func TestClockThatIsWrong(t *testing.T) {
	life := func(issued time.Duration) string { // of an hour, counted on the issuer's clock
		at := time.Now().Add(issued)
		return jwt(map[string]any{"iat": at.Unix(), "exp": at.Add(time.Hour).Unix()})
	}
	now := func(res *http.Response) *http.Response { return dated(res, time.Now()) }
	for _, c := range []struct {
		name        string
		ahead       time.Duration // of this machine
		answer      func() *http.Response
		least, most time.Duration // of the token's life; 0: there is none
	}{
		{"ahead by three hours", 3 * time.Hour, func() *http.Response { return now(granted(life(0), 3600)) }, time.Hour - time.Second, time.Hour},
		{"ahead by the life but for seconds", time.Hour - 5*time.Second, func() *http.Response { return now(granted(life(0), 3600)) }, time.Hour - time.Second, time.Hour},
		{"ahead by half of the life", 30 * time.Minute, func() *http.Response { return now(granted(life(0), 3600)) }, 30 * time.Minute, 30 * time.Minute},
		{"behind by three hours", -3 * time.Hour, func() *http.Response { return now(granted(life(0), 3600)) }, time.Hour, time.Hour},
		{"ahead, and the issuer does not say the time", 3 * time.Hour, func() *http.Response { return granted(life(0), 3600) }, 0, 0},
		{"a token that has ended, of a cache with a date of its own", 0, func() *http.Response { return now(granted(life(-2*time.Hour), 3600)) }, 0, 0},
		{"rfc9111 s5.1: a token that has ended, of a cache that says how old its answer is", 0, func() *http.Response {
			res := dated(granted(life(-2*time.Hour), 3600), time.Now().Add(-2*time.Hour))
			res.Header.Set("Age", strconv.Itoa(2*3600))
			return res
		}, 0, 0},
		{"ahead, and a cache's token has half an hour", 3 * time.Hour, func() *http.Response { return now(granted(life(-30*time.Minute), 3600)) }, 30*time.Minute - time.Second, 30 * time.Minute},
		{"an Age that is no number", 3 * time.Hour, func() *http.Response {
			res := now(granted(life(0), 3600))
			res.Header.Set("Age", "old")
			return res
		}, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clock := func() time.Time { return time.Now().Add(c.ahead) }
				i := &issuer{answer: func(int, request) *http.Response { return c.answer() }}
				s := i.source(t, func(cfg *clientcredentials.Config) { cfg.Now = clock })
				got, err := s.Token(t.Context())
				if c.most == 0 {
					if err == nil || !strings.Contains(err.Error(), "look at the clock") {
						t.Errorf("got %v, %v", got, err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if left := got.Expiry.Sub(clock()); left < c.least || left > c.most {
					t.Errorf("it lives %v, want %v to %v", left, c.least, c.most)
				}
				time.Sleep(c.least * 6 / 10)
				if token(t, s) != got {
					t.Error("it was not kept")
				}
			})
		})
	}
}

// A clock that is off is said once, and once more when it was right meanwhile.
func TestClockThatIsOffIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var ahead time.Duration
		i := &issuer{answer: func(int, request) *http.Response { return dated(granted("opaque", 60), time.Now()) }}
		s := i.source(t, func(cfg *clientcredentials.Config) {
			cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
			cfg.Now = func() time.Time { return time.Now().Add(ahead) }
		})
		for _, turn := range []struct {
			ahead time.Duration
			said  int
		}{{30 * time.Second, 0}, {2 * time.Minute, 1}, {2 * time.Minute, 1}, {0, 1}, {-2 * time.Minute, 2}} {
			ahead = turn.ahead
			token(t, s)
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			if n := strings.Count(log.String(), "clock"); n != turn.said {
				t.Errorf("%v ahead: said %d times, want %d\n%s", turn.ahead, n, turn.said, log.String())
			}
		}
	})
}

// payload is what a JWT claims.
func payload(compact string) (claims map[string]any) {
	parts := strings.Split(compact, ".")
	if data, err := base64.RawURLEncoding.DecodeString(parts[min(1, len(parts)-1)]); err != nil || json.Unmarshal(data, &claims) != nil {
		panic("no JWT")
	}
	return claims
}

// strict refuses an assertion that is of the future or has ended, as issuers without any leeway do.
func strict(req request, header ...string) *http.Response {
	form, _ := url.ParseQuery(req.body)
	claims := payload(form.Get("client_assertion"))
	now := float64(time.Now().UnixNano()) / 1e9
	if claims["iat"].(float64) > now || claims["exp"].(float64) <= now {
		return refused(400, "invalid_client", header...)
	}
	return granted("opaque", 3600)
}

func TestAssertionsOfAClockThatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name     string
		ahead    time.Duration
		date     bool
		requests int  // for the first token
		granted  bool // whether it comes
	}{
		{"ahead by two seconds", 2 * time.Second, true, 1, true},
		{"behind by half a minute", -30 * time.Second, true, 1, true},
		{"ahead by ten minutes", 10 * time.Minute, true, 2, true},
		{"behind by ten minutes", -10 * time.Minute, true, 2, true},
		{"ahead by ten minutes, and the issuer does not say the time", 10 * time.Minute, false, 1, false},
		{"ahead by a month: no assertion is made that far from now", 30 * 24 * time.Hour, true, 1, false},
	} {
		t.Run("rfc7523 s3: "+c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i := &issuer{answer: func(_ int, req request) *http.Response {
					res := strict(req)
					if c.date {
						dated(res, time.Now())
					}
					return res
				}}
				s := i.source(t, func(cfg *clientcredentials.Config) {
					cfg.Credentials = clientcredentials.PrivateKeyJWT(clientcredentials.PrivateKey{ClientID: "reader", Signer: edKey})
					cfg.Now = func() time.Time { return time.Now().Add(c.ahead) }
				})
				_, err := s.Token(t.Context())
				if (err == nil) != c.granted || i.count() != c.requests {
					t.Fatalf("%d requests, %v", i.count(), err)
				}
				if err != nil {
					if !errors.Is(err, &clientcredentials.Error{Code: clientcredentials.InvalidClient}) {
						t.Error(err)
					}
					return
				}
				time.Sleep(55 * time.Minute)
				token(t, s)
				synctest.Wait()
				if i.count() != c.requests+1 {
					t.Errorf("the second token took %d requests: what was learnt is forgotten", i.count()-c.requests)
				}
			})
		})
	}
}

// A clock that somebody puts right is no reason to go without a token.
func TestClockThatIsPutRight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ahead := 10 * time.Minute
		i := &issuer{answer: func(_ int, req request) *http.Response { return dated(strict(req), time.Now()) }}
		s := i.source(t, func(cfg *clientcredentials.Config) {
			cfg.Credentials = clientcredentials.PrivateKeyJWT(clientcredentials.PrivateKey{ClientID: "reader", Signer: edKey})
			cfg.Now = func() time.Time { return time.Now().Add(ahead) }
		})
		token(t, s)
		ahead = 0
		time.Sleep(2 * time.Hour)
		token(t, s)
		if n := i.count(); n != 4 {
			t.Errorf("%d requests, want two and two", n)
		}
	})
}

// A secret that is refused is not tried twice because of a clock.
func TestSecretsDoNotDependOnTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{answer: func(int, request) *http.Response { return dated(refused(401, "invalid_client"), time.Now()) }}
		s := i.source(t, func(cfg *clientcredentials.Config) {
			cfg.Now = func() time.Time { return time.Now().Add(time.Hour) }
		})
		if _, err := s.Token(t.Context()); err == nil || i.count() != 1 {
			t.Errorf("%d requests, %v", i.count(), err)
		}
	})
}
