package countersign

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/internal/jose"
)

func TestManyFirstRequestsShareOneDiscoveryAndOneFetch(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("a")
		issuer.answerKeys(func(r *http.Request) (*http.Response, error) {
			time.Sleep(200 * time.Millisecond)
			return answerText(200, issuer.jwkSet())(r)
		})
		k := startKeys(t, issuer)
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() { k.want(t, "a", nil) })
		}
		wg.Wait()
		if d, f := issuer.requests("/pool/.well-known/openid-configuration"), issuer.fetches(); d != 1 || f != 1 {
			t.Errorf("%d discoveries and %d fetches, want 1 and 1", d, f)
		}
	})
}

func TestNewKeySourceDoesNotWaitForTheNetwork(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("a")
		issuer.answerDiscovery(hang)
		start := time.Now()
		startKeys(t, issuer)
		if waited := time.Since(start); waited != 0 {
			t.Errorf("waited %v", waited)
		}
	})
}

func TestACancelledFirstRequestDoesNotPoisonLaterOnes(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("a")
		issuer.answerDiscovery(func(r *http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			return answerText(200, `{"issuer":"`+keysIssuer+`","jwks_uri":"`+keysURI+`"}`)(r)
		})
		k := startKeys(t, issuer)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if err := k.get(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, errKeysUnavailable) {
			t.Errorf("cancelled request: %v", err)
		}
		k.want(t, "a", nil)
		if f := issuer.fetches(); f != 1 {
			t.Errorf("%d fetches, want the one that the cancelled request waited for", f)
		}
	})
}

func TestAFirstRequestWaitsItsOwnContextAndAtMostTheBound(t *testing.T) {
	for _, tt := range []struct{ patience, want time.Duration }{
		{time.Second, time.Second},
		{time.Hour, maxKeyWait},
	} {
		inBubble(t, func(t *testing.T) {
			issuer := newFakeKeysIssuer("a")
			issuer.answerDiscovery(func(r *http.Request) (*http.Response, error) {
				time.Sleep(3 * time.Second)
				return answerText(200, `{"issuer":"`+keysIssuer+`","jwks_uri":"`+keysURI+`"}`)(r)
			})
			issuer.answerKeys(hang)
			k := startKeys(t, issuer)
			ctx, cancel := context.WithTimeout(t.Context(), tt.patience)
			defer cancel()
			start := time.Now()
			err := k.get(ctx, "a")
			if waited := time.Since(start); waited != tt.want || !errors.Is(err, errKeysUnavailable) {
				t.Errorf("patience %v: waited %v, want %v: %v", tt.patience, waited, tt.want, err)
			}
		})
	}
}

func TestARequestThatIsOverCausesNoFetch(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("a")
		k := startKeys(t, issuer)
		k.want(t, "a", nil)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := k.get(ctx, "junk"); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		synctest.Wait()
		if f := issuer.fetches(); f != 1 {
			t.Errorf("%d fetches, want 1", f)
		}
	})
}

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
			if waited := time.Since(start); waited != 0 {
				t.Fatalf("waited %v between two attempts", waited)
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

func TestTheSetIsRefreshedByTheTimerAtMostAtHalfItsAge(t *testing.T) {
	for _, tt := range []struct {
		cacheControl string
		age          time.Duration
	}{
		{"", defaultKeyAge}, {"no-store", defaultKeyAge}, {"max-age=x", defaultKeyAge}, {"max-age=-5", defaultKeyAge},
		{"max-age=0", minKeyAge}, {"max-age=30", minKeyAge}, {"public, Max-Age=\"300\"", 5 * time.Minute},
		{"max-age=86400", maxKeyAge}, {"max-age=99999999999999999999999", maxKeyAge},
	} {
		t.Run("rfc9111 s5.2.2.1: "+tt.cacheControl, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				issuer := newFakeKeysIssuer("a")
				issuer.answerKeys(func(r *http.Request) (*http.Response, error) {
					return answerText(200, issuer.jwkSet(), "Cache-Control", tt.cacheControl)(r)
				})
				startKeys(t, issuer)
				const rounds = 100
				time.Sleep(rounds * tt.age / 2)
				// One at the start, and then one each 40 to 50 percent of the age.
				if f := issuer.fetches(); f < rounds || f > rounds*5/4+1 {
					t.Errorf("%d fetches in %d half ages", f, rounds)
				}
			})
		})
	}
}

func TestAWithdrawnKeyServesForItsGraceAndNoLonger(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("old", "new")
		k := startKeys(t, issuer)
		k.want(t, "old", nil)
		before := k.generation()
		issuer.publish("new")
		k.want(t, "x", errUnknownKey) // a refresh that need not be waited for
		time.Sleep(withdrawnGrace - time.Nanosecond)
		synctest.Wait()
		k.want(t, "old", nil)
		if k.generation() != before {
			t.Error("the generation changed in the grace")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if k.generation() == before {
			t.Error("the generation did not change: cached verdicts would outlive the key")
		}
		k.want(t, "old", errUnknownKey)
		k.want(t, "new", nil)
		if n := k.events.of(KeysWithdrawn); n != 1 {
			t.Errorf("%d withdrawn events, want 1", n)
		}
	})
}

func TestAKeyThatComesBackInItsGraceWasNeverGone(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("a", "b")
		k := startKeys(t, issuer)
		k.want(t, "a", nil)
		before := k.generation()
		key := issuer.keys["a"]
		issuer.publish("b")
		k.want(t, "x", errUnknownKey)
		issuer.mu.Lock()
		issuer.keys["a"] = key
		issuer.mu.Unlock()
		k.want(t, "y", errUnknownKey)
		time.Sleep(time.Hour)
		k.want(t, "a", nil)
		if k.generation() != before {
			t.Error("the generation changed")
		}
	})
}

func TestAKeyReplacedUnderItsKidIsDroppedAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("a")
		k := startKeys(t, issuer)
		old, err := k.key(t.Context(), "a", jose.EdDSA)
		if err != nil {
			t.Fatal(err)
		}
		before := k.generation()
		issuer.publish()
		issuer.publish("a")
		k.want(t, "x", errUnknownKey)
		replaced, err := k.key(t.Context(), "a", jose.EdDSA)
		if err != nil || replaced.Equal(old) {
			t.Errorf("the key is still the old one: %v", err)
		}
		if k.generation() == before {
			t.Error("the generation did not change: verdicts under the old key would live on")
		}
	})
}

func TestAKeyReplacedInItsGraceIsDroppedAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("a", "b")
		k := startKeys(t, issuer)
		k.want(t, "a", nil)
		before := k.generation()
		issuer.publish("b")
		k.want(t, "x", errUnknownKey)
		issuer.publish("a", "b") // another key under the kid
		k.want(t, "y", errUnknownKey)
		if k.generation() == before {
			t.Error("the generation did not change: verdicts under the old key would live on")
		}
	})
}

func TestAKeyThatWasTooOldToServeGetsNoGraceWhenTheIssuerIsBackWithoutIt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("a", "b")
		k := startKeys(t, issuer, func(cfg *keySourceConfig) { cfg.maxStale = time.Hour })
		k.want(t, "a", nil)
		issuer.answerKeys(hang)
		time.Sleep(2 * time.Hour)
		issuer.answerKeys(nil)
		issuer.publish("b")
		time.Sleep(maxBackoff + fetchTimeout)
		synctest.Wait()
		k.want(t, "b", nil)
		k.want(t, "a", errUnknownKey)
	})
}

func TestAKeyWithoutKidIsDroppedWhenItIsNoLongerListed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("")
		k := startKeys(t, issuer)
		k.want(t, "", nil)
		before := k.generation()
		issuer.publish("b")
		k.want(t, "b", nil)
		if k.generation() == before {
			t.Error("the generation did not change: verdicts under the nameless key would live on")
		}
	})
}

// The goroutine that retires keys is prompt, and still no look-up depends on it.
func TestASnapshotGivesNoKeyAfterItsTimeEvenIfNobodyRetiresIt(t *testing.T) {
	set, err := jose.ParseKeySet([]byte(newFakeKeysIssuer("a", "b").jwkSet()))
	if err != nil {
		t.Fatal(err)
	}
	rest, err := jose.ParseKeySet([]byte(newFakeKeysIssuer("c").jwkSet()))
	if err != nil {
		t.Fatal(err)
	}
	start := time.Unix(1_000_000, 0)
	first, _ := (&keySnapshot{}).replace(set, start, start, time.Hour)
	if key, _ := first.find("a", jose.EdDSA, start.Add(time.Hour-1)); key == nil {
		t.Error("no key before MaxStale")
	}
	if key, known := first.find("a", jose.EdDSA, start.Add(time.Hour)); key != nil || known {
		t.Error("a key after MaxStale")
	}
	second, _ := first.replace(rest, start, start, time.Hour)
	if key, _ := second.find("a", jose.EdDSA, start.Add(withdrawnGrace-1)); key == nil {
		t.Error("no key in its grace")
	}
	if key, known := second.find("a", jose.EdDSA, start.Add(withdrawnGrace)); key != nil || known {
		t.Error("a key after its grace")
	}
}

func TestATokenWithoutKidFindsTheOnlyKey(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("a")
		k := startKeys(t, issuer)
		k.want(t, "", nil)
		issuer.publish("a", "b")
		k.want(t, "b", nil)
		fetches := issuer.fetches()
		k.want(t, "", errUnknownKey)
		if f := issuer.fetches(); f != fetches {
			t.Errorf("a token without kid caused %d fetches", f-fetches)
		}
	})
}

func TestRFC8725S31AKeyOfAnotherAlgorithmIsNotGivenAndCausesNoFetch(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("a")
		k := startKeys(t, issuer)
		k.want(t, "a", nil)
		for range 20 {
			if _, err := k.key(t.Context(), "a", jose.RS256); !errors.Is(err, errUnknownKey) {
				t.Errorf("EdDSA key for RS256: %v", err)
			}
		}
		if f := issuer.fetches(); f != 1 {
			t.Errorf("%d fetches, want 1", f)
		}
	})
}

func TestCloseWaitsAndReleasesThoseWhoWait(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("a")
		ended := false
		issuer.answerKeys(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			time.Sleep(time.Second) // a transport that takes its time to let go
			ended = true
			return nil, r.Context().Err()
		})
		k := startKeys(t, issuer)
		released := make(chan error)
		go func() { released <- k.get(t.Context(), "a") }()
		synctest.Wait()
		closed := make(chan error)
		go func() { closed <- k.Close() }()
		if err := <-released; !errors.Is(err, errKeysUnavailable) || !errors.Is(err, errKeysClosed) {
			t.Errorf("released with %v", err)
		}
		if err := <-closed; err != nil || !ended {
			t.Errorf("Close returned %v, fetch ended: %v", err, ended)
		}
		if err := k.get(t.Context(), "a"); !errors.Is(err, errKeysClosed) {
			t.Errorf("after Close: %v", err)
		}
		if err := k.Close(); err != nil {
			t.Errorf("second Close: %v", err)
		}
	})
}

func TestAfterCloseTheSetAtHandServes(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		k := startKeys(t, newFakeKeysIssuer("a"))
		k.want(t, "a", nil)
		k.Close()
		k.want(t, "a", nil)
		k.want(t, "b", errKeysUnavailable)
	})
}

func TestNewKeySourceReportsEveryProblemAtOnce(t *testing.T) {
	_, err := newKeySource(keySourceConfig{
		issuer: "https://issuer.test", keysURL: "http://issuer.test/keys", maxStale: time.Second, lastGoodFile: "/nowhere/at/all/keys",
	})
	for _, word := range []string{"KeysURL", "MaxStale", "LastGoodFile /nowhere/at/all/keys"} {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("error does not name %s: %v", word, err)
		}
	}
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
