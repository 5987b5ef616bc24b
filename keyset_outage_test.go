package countersign

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestADownIssuerIsNotHammeredAndRetryAfterIsTheNextAttempt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("a")
		issuer.answerKeys(answerText(500, "SECRET-BODY"))
		k := startKeys(t, issuer)
		for range 3600 {
			synctest.Wait()
			start := time.Now()
			err := k.get(t.Context(), "a")
			var unavailable *keysError
			if !errors.As(err, &unavailable) {
				t.Fatalf("during the outage: %v", err)
			}
			if waited := time.Since(start); waited > maxKeyWait || waited != 0 && k.state().failures > patientFailures {
				t.Fatalf("waited %v between two attempts, after %d", waited, k.state().failures)
			}
			if after := unavailable.retryAfter; after < time.Second || after > maxBackoff {
				t.Fatalf("retry after %v", after)
			}
			time.Sleep(time.Second)
		}
		// 1, 2, 4, 8, 16 s and then 30 s, each shortened by up to a half: at least 15 s apart in the end.
		if f := issuer.fetches(); f < 3600/30 || f > 3600/15+6 {
			t.Errorf("%d fetches in an hour of outage", f)
		}
		issuer.answerKeys(nil)
		time.Sleep(maxBackoff)
		synctest.Wait()
		k.want(t, "a", nil)
	})
}

func TestRFC9110RetryAfterOfTheIssuerIsHonouredWithinTheBound(t *testing.T) {
	for _, tt := range []struct {
		header string
		least  time.Duration
	}{{"20", 20 * time.Second}, {"999999999999999999999", maxBackoff}, {"-1", 0}, {"soon", 0}} {
		inBubble(t, func(t *testing.T) {
			issuer := newFakeKeysIssuer("a")
			issuer.answerKeys(answerText(503, "", "Retry-After", tt.header))
			k := startKeys(t, issuer)
			synctest.Wait()
			if next := time.Until(k.state().nextAttempt); next < tt.least || next > maxBackoff {
				t.Errorf("Retry-After %q: next attempt in %v", tt.header, next)
			}
		})
	}
}

// outages are the ways in which an issuer fails, each of which leaves the last good set in service.
func outages() map[string]func(*http.Request) (*http.Response, error) {
	read := 0
	return map[string]func(*http.Request) (*http.Response, error){
		"answers 500":                    answerText(500, `{"keys":[]}`),
		"answers 404":                    answerText(404, "gone"),
		"answers 204":                    answerText(204, ""),
		"is not reached":                 func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") },
		"hangs":                          hang,
		"drips a body":                   drip,
		"sends 64 MB":                    func(r *http.Request) (*http.Response, error) { return answerBody(r, 200, endless{&read}), nil },
		"sends an empty set":             answerText(200, `{"keys":[]}`),
		"sends an object without keys":   answerText(200, `{}`),
		"sends nothing":                  answerText(200, ``),
		"sends HTML":                     answerText(200, `<!doctype html><title>SECRET-BODY</title>`),
		"sends half a set":               answerText(200, `{"keys":[{"kty":"OKP","crv":"Ed25519"`),
		"sends keys that cannot be used": answerText(200, `{"keys":[{"kty":"oct","k":"AAAA","kid":"a"},{"kty":"AKP","kid":"b"}]}`),
		"redirects to another host":      answerText(302, "", "Location", "https://evil.test/jwks.json"),
		"redirects to plain http":        answerText(302, "", "Location", "http://issuer.test/pool/.well-known/jwks.json"),
		"redirects to another port":      answerText(307, "", "Location", "https://issuer.test:8443/jwks.json"),
		"redirects for ever":             answerText(308, "", "Location", keysURI),
	}
}

func TestAnOutageServesTheLastGoodSetAtOnceAndTellsTheCallerOfANewKeyToComeBack(t *testing.T) {
	for name, answer := range outages() {
		t.Run("issuer "+name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				issuer := newFakeKeysIssuer("a")
				k := startKeys(t, issuer)
				k.want(t, "a", nil)
				before := k.generation()
				issuer.answerKeys(answer)
				for range 40 {
					time.Sleep(time.Minute)
					start := time.Now()
					k.want(t, "a", nil)
					if waited := time.Since(start); waited != 0 {
						t.Fatalf("a good token waited %v", waited)
					}
				}
				k.want(t, "new", errKeysUnavailable)
				if after := k.generation(); after != before {
					t.Errorf("generation %d became %d: the outage dropped good verdicts", before, after)
				}
				if n := strings.Count(k.log.String(), "could not be fetched"); n != 1 {
					t.Errorf("the outage was logged %d times: %s", n, k.log)
				}
				if s := k.state(); s.failures == 0 || s.lastError == nil || s.age < 39*time.Minute || s.keys != 1 {
					t.Errorf("state %+v", s)
				}
			})
		})
	}
}

func TestKeysServeUpToMaxStaleAndNoLonger(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("a")
		k := startKeys(t, issuer, func(cfg *keySourceConfig) { cfg.maxStale = time.Hour })
		k.want(t, "a", nil)
		confirmed, before := k.state().confirmed, k.generation()
		issuer.answerKeys(answerText(500, ""))
		// Good answers are over; the last one may have been before this moment only.
		time.Sleep(time.Until(confirmed.Add(time.Hour - time.Nanosecond)))
		synctest.Wait()
		k.want(t, "a", nil)
		if after := k.generation(); after != before {
			t.Errorf("generation changed from %d to %d before MaxStale", before, after)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		k.want(t, "a", errKeysUnavailable)
		if after := k.generation(); after == before {
			t.Error("the generation did not change: cached verdicts would outlive MaxStale")
		}
		if k.events.of(KeysStale) != 1 {
			t.Errorf("%d stale events, want 1", k.events.of(KeysStale))
		}
		issuer.answerKeys(nil)
		time.Sleep(maxBackoff)
		synctest.Wait()
		k.want(t, "a", nil)
	})
}

func TestErrorsNameIssuerAndCauseAndNeverTheBody(t *testing.T) {
	for name, answer := range outages() {
		inBubble(t, func(t *testing.T) {
			issuer := newFakeKeysIssuer("a")
			issuer.answerKeys(answer)
			k := startKeys(t, issuer)
			time.Sleep(2 * maxKeyWait)
			synctest.Wait()
			text := fmt.Sprint(k.get(t.Context(), "a")) + k.log.String()
			if !strings.Contains(text, keysIssuer) || strings.Contains(text, "SECRET-BODY") || strings.Contains(text, "evil.test") {
				t.Errorf("issuer %s: %s", name, text)
			}
		})
	}
}
