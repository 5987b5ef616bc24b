package clientcredentials_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
)

func TestExpiry(t *testing.T) {
	at := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	for _, c := range []struct {
		name   string
		answer func() (accessToken, expiresIn string)
		want   time.Duration // 0: the token is refused
	}{
		{"expires_in of an opaque token", func() (string, string) { return "opaque", `3600` }, time.Hour},
		{"expires_in as a string", func() (string, string) { return "opaque", `"3600"` }, time.Hour},
		{"expires_in with an exponent", func() (string, string) { return "opaque", `3.6e3` }, time.Hour},
		{"rfc6749 s5.1: no expires_in is not forever", func() (string, string) { return "opaque", `` }, 5 * time.Minute},
		{"no expires_in and an exp claim", func() (string, string) {
			return jwt(map[string]any{"exp": at(time.Hour)}), ``
		}, time.Hour},
		{"exp before expires_in", func() (string, string) {
			return jwt(map[string]any{"exp": at(10 * time.Minute), "iat": at(-50 * time.Minute)}), `3600`
		}, 10 * time.Minute},
		{"exp after expires_in", func() (string, string) {
			return jwt(map[string]any{"exp": at(time.Hour), "iat": at(0)}), `600`
		}, 10 * time.Minute},
		{"exp far away by a clock that is behind", func() (string, string) {
			return jwt(map[string]any{"exp": at(3 * time.Hour), "iat": at(2 * time.Hour)}), ``
		}, time.Hour},
		{"exp in the past", func() (string, string) { return jwt(map[string]any{"exp": at(-time.Second)}), `3600` }, 0},
		{"exp this very moment", func() (string, string) {
			return jwt(map[string]any{"exp": at(0), "iat": at(-time.Hour)}), `3600`
		}, 0},
		{"expires_in under a nanosecond", func() (string, string) { return "opaque", `1e-12` }, 0},
		{"exp of 1970", func() (string, string) { return jwt(map[string]any{"exp": 0}), `3600` }, 0},
		{"exp that is no number", func() (string, string) { return jwt(map[string]any{"exp": "soon"}), `3600` }, time.Hour},
		{"exp beyond all numbers", func() (string, string) { return jwt(map[string]any{"exp": 1e300}), `3600` }, time.Hour},
		{"three parts that are no JWT", func() (string, string) { return "a.b.c", `3600` }, time.Hour},
		{"expires_in beyond all numbers", func() (string, string) { return "opaque", `1e300` }, 365 * 24 * time.Hour},
		{"expires_in without end", func() (string, string) { return "opaque", `"Infinity"` }, 0},
		{"expires_in of zero", func() (string, string) { return "opaque", `0` }, 0},
		{"expires_in below zero", func() (string, string) { return "opaque", `-1` }, 0},
		{"expires_in of null", func() (string, string) { return "opaque", `null` }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i := &issuer{answer: func(int, request) *http.Response {
					accessToken, expiresIn := c.answer()
					body := fmt.Sprintf(`{"access_token":%q,"token_type":"bearer"`, accessToken)
					if expiresIn != "" {
						body += `,"expires_in":` + expiresIn
					}
					return answer(200, "application/json", body+"}")
				}}
				s := i.source(t, nil)
				got, err := s.Token(t.Context())
				switch {
				case c.want == 0 && err == nil:
					t.Errorf("got a token that lives %v", time.Until(got.Expiry))
				case c.want != 0 && err != nil:
					t.Error(err)
				case c.want != 0 && time.Until(got.Expiry) != c.want:
					t.Errorf("it lives %v, want %v", time.Until(got.Expiry), c.want)
				}
			})
		})
	}
}

// TestStaleCache: a cache in front of the issuer repeats a stored answer for an hour, expires_in and all.
func TestStaleCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stored string
		var until time.Time
		i := &issuer{answer: func(int, request) *http.Response {
			if !time.Now().Before(until) {
				until = time.Now().Add(time.Hour)
				stored = jwt(map[string]any{"exp": until.Unix(), "iat": time.Now().Unix()})
			}
			return granted(stored, 3600)
		}}
		time.Sleep(time.Nanosecond) // exp is in whole seconds
		s := i.source(t, nil)
		token(t, s) // fills the cache
		time.Sleep(50 * time.Minute)
		other := i.source(t, nil)
		failures := 0
		for range 3 * 3600 {
			got, err := other.Token(t.Context())
			if err != nil {
				failures++ // the cache has no good token at the end of the hour
			} else if !time.Now().Before(got.Expiry) {
				t.Fatal("an expired token was given")
			}
			time.Sleep(time.Second)
		}
		if n := i.count(); n > 80 || failures > 90 {
			t.Errorf("%d requests and %d failed calls in three hours", n, failures)
		}
	})
}

func TestClockGoesBackward(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var offset time.Duration
		i := &issuer{}
		s := i.source(t, func(cfg *clientcredentials.Config) {
			cfg.Now = func() time.Time { return time.Now().Add(offset).Round(0) }
		})
		first := token(t, s)
		offset = -12 * time.Hour
		time.Sleep(time.Hour - 5*time.Second)
		if got := token(t, s); got == first || i.count() != 2 {
			t.Error("a clock that was set back made a token live longer")
		}
	})
}

func TestClockGoesForward(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// As after the sleep of a machine: the wall clock has gone on, the monotonic one has not.
		var offset time.Duration
		i := &issuer{}
		s := i.source(t, func(cfg *clientcredentials.Config) {
			cfg.Now = func() time.Time { return time.Now().Add(offset).Round(0) }
		})
		first := token(t, s)
		offset = time.Hour
		if got := token(t, s); got == first {
			t.Error("an expired token was given")
		}
	})
}

func TestGrantedScopes(t *testing.T) {
	const read, write = "https://api.example.com/demo.read", "https://api.example.com/demo.write"
	for _, c := range []struct {
		name, scope, claim string
		want               []string
		lacking            bool
	}{
		{"rfc6749 s5.1: no scope means as requested", "", "", []string{read, write}, false},
		{"rfc6749 s5.1: scope of the answer", read, write, []string{read}, true},
		{"Cognito: an inactive scope is only missing in the claim", "", write, []string{write}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := &issuer{answer: func(int, request) *http.Response {
				claims := map[string]any{}
				if c.claim != "" {
					claims["scope"] = c.claim
				}
				body := fmt.Sprintf(`{"access_token":%q,"token_type":"Bearer","expires_in":3600,"scope":%q}`, jwt(claims), c.scope)
				return answer(200, "application/json", body)
			}}
			log := &logBuffer{}
			s := i.source(t, func(cfg *clientcredentials.Config) {
				cfg.Scopes, cfg.Logger = []string{read, write}, log.logger()
			})
			if got := token(t, s).Scopes; !slices.Equal(got, c.want) {
				t.Errorf("scopes are %q, want %q", got, c.want)
			}
			if warned := strings.Contains(log.String(), "not grant all scopes"); warned != c.lacking {
				t.Errorf("warned: %t, want %t", warned, c.lacking)
			}
		})
	}
}

func TestTheAnswerIsChecked(t *testing.T) {
	good := `{"access_token":"abc","token_type":"Bearer","expires_in":3600}`
	for _, c := range []struct {
		name string
		ok   bool
		res  func() *http.Response
	}{
		{"good", true, func() *http.Response { return answer(200, "application/json", good) }},
		{"rfc6749 s5.1: token_type is case insensitive", true, func() *http.Response {
			return answer(200, "application/json", strings.Replace(good, "Bearer", "BEARER", 1))
		}},
		{"rfc6749 s5.1: unknown members are ignored", true, func() *http.Response {
			return answer(200, "application/json", strings.Replace(good, "{", `{"Access_Token":"x","id_token":null,`, 1))
		}},
		{"rfc6749 s5.1: the media type is application/json", false, func() *http.Response { return answer(200, "text/html", good) }},
		{"no media type", false, func() *http.Response { return answer(200, "", good) }},
		{"rfc6749 s5.1: token_type is REQUIRED", false, func() *http.Response {
			return answer(200, "application/json", `{"access_token":"abc","expires_in":3600}`)
		}},
		{"rfc6749 s7.1: a token_type that is not understood", false, func() *http.Response {
			return answer(200, "application/json", strings.Replace(good, "Bearer", "DPoP", 1))
		}},
		{"rfc6749 s5.1: access_token is REQUIRED", false, func() *http.Response {
			return answer(200, "application/json", `{"token_type":"Bearer","expires_in":3600}`)
		}},
		{"rfc6750 s2.1: a line end in the token", false, func() *http.Response {
			return answer(200, "application/json", strings.Replace(good, "abc", `abc\r\nX-Evil: 1`, 1))
		}},
		{"rfc6750 s2.1: a space in the token", false, func() *http.Response {
			return answer(200, "application/json", strings.Replace(good, "abc", `a c`, 1))
		}},
		{"a token that no header holds", false, func() *http.Response {
			return answer(200, "application/json", strings.Replace(good, "abc", strings.Repeat("a", 17<<10), 1))
		}},
		{"a member twice", false, func() *http.Response {
			return answer(200, "application/json", strings.Replace(good, "{", `{"access_token":"x",`, 1))
		}},
		{"something after the object", false, func() *http.Response { return answer(200, "application/json", good+good) }},
		{"a brace after the object", false, func() *http.Response { return answer(200, "application/json", good+"}") }},
		{"an answer without end", false, func() *http.Response {
			return answer(200, "application/json", good+strings.Repeat(" ", 1<<20))
		}},
		{"an array", false, func() *http.Response { return answer(200, "application/json", "["+good+"]") }},
		{"nothing", false, func() *http.Response { return answer(200, "application/json", "") }},
		{"201", false, func() *http.Response { return answer(201, "application/json", good) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := &issuer{answer: func(int, request) *http.Response { return c.res() }}
			got, err := i.source(t, nil).Token(t.Context())
			var e *clientcredentials.Error
			if c.ok && (err != nil || got.AccessToken != "abc" || got.Type != "Bearer") {
				t.Errorf("got %v, %v", got, err)
			}
			if !c.ok && (!errors.As(err, &e) || e.Code != "" || e.Temporary()) {
				t.Errorf("got %v, %v, want an error without a code", got, err)
			}
		})
	}
}

func TestNoRedirectIsFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		i := &issuer{answer: func(int, request) *http.Response {
			return answer(status, "", "", "Location", "https://evil.example/token")
		}}
		s := i.source(t, func(cfg *clientcredentials.Config) {
			cfg.HTTPClient.CheckRedirect = func(*http.Request, []*http.Request) error { return nil }
		})
		if _, err := s.Token(t.Context()); err == nil || i.count() != 1 {
			t.Errorf("%d: got %v and %d requests, want an error and 1", status, err, i.count())
		}
	}
}
