package countersign

import (
	"context"
	"errors"
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
	for _, tt := range []struct {
		patience, want time.Duration
		cause          error
	}{
		{time.Second, time.Second, context.DeadlineExceeded},
		{time.Hour, maxKeyWait, errKeysSlow},
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
			if waited := time.Since(start); waited != tt.want || !errors.Is(err, errKeysUnavailable) || !errors.Is(err, tt.cause) {
				t.Errorf("patience %v: waited %v, want %v: %v, want %v", tt.patience, waited, tt.want, err, tt.cause)
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
		issuer: "https://issuer.test", keysURL: "http://issuer.test/keys", lastGoodFile: "/nowhere/at/all/keys",
	})
	for _, word := range []string{"KeysURL", "LastGoodFile /nowhere/at/all/keys"} {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("error does not name %s: %v", word, err)
		}
	}
}
