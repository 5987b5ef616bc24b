package countersign

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/internal/jose"
)

// failing fails the first n requests for the keys and answers the others.
func (f *fakeKeysIssuer) failing(n int) {
	f.answerKeys(func(r *http.Request) (*http.Response, error) {
		if n--; n >= 0 {
			return nil, errors.New("connection reset")
		}
		return answerText(200, f.jwkSet())(r)
	})
}

// A fetch that fails once or twice is repeated while the requests wait for it: 503 is for an issuer that stays away.
func TestAnOutageOfAMomentFailsNoRequest(t *testing.T) {
	for _, tt := range []struct {
		name   string
		fails  int
		before []string // published and fetched before the failures
		want   error
	}{
		{"first fetch, one failure", 1, nil, nil},
		{"first fetch, two failures", 2, nil, nil},
		{"first fetch, three failures", 3, nil, errKeysUnavailable},
		{"new key, one failure", 1, []string{"a"}, nil},
		{"new key, two failures", 2, []string{"a"}, nil},
		{"new key, three failures", 3, []string{"a"}, errKeysUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				issuer := newFakeKeysIssuer(tt.before...)
				if tt.before == nil {
					issuer.publish("new")
					issuer.failing(tt.fails)
				}
				k := startKeys(t, issuer)
				if tt.before != nil {
					k.want(t, "a", nil)
					issuer.publish("a", "new")
					issuer.failing(tt.fails)
				}
				start, fetches := time.Now(), issuer.fetches()
				var wg sync.WaitGroup
				for range 100 {
					wg.Go(func() { k.want(t, "new", tt.want) })
				}
				wg.Wait()
				if waited := time.Since(start); waited > maxKeyWait {
					t.Errorf("waited %v, want at most %v", waited, maxKeyWait)
				}
				if f := issuer.fetches() - fetches; f > patientFailures {
					t.Errorf("%d fetches: the requests asked for more than the timer's", f)
				}
			})
		})
	}
}

func TestAnOutageThatLastsHoldsNoRequest(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("a")
		k := startKeys(t, issuer)
		k.want(t, "a", nil)
		issuer.failing(1000)
		k.want(t, "new", errKeysUnavailable)
		start := time.Now()
		for range 1000 {
			k.want(t, "new", errKeysUnavailable)
		}
		if waited := time.Since(start); waited != 0 {
			t.Errorf("waited %v", waited)
		}
	})
}

// A request whose own time is over gets the time of an attempt as Retry-After, and not that of the timer's next refresh.
func TestRFC9110RetryAfterOfARequestThatCouldNotWait(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("a")
		k := startKeys(t, issuer)
		k.want(t, "a", nil)
		issuer.answerKeys(hang)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		start := time.Now()
		var unavailable *keysError
		if err := k.get(ctx, "new"); !errors.As(err, &unavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if waited := time.Since(start); waited != 300*time.Millisecond || unavailable.retryAfter != time.Second {
			t.Errorf("waited %v, to come back after %v", waited, unavailable.retryAfter)
		}
	})
}

// The HTTPClient is the user's. What ends one request elsewhere must not end the process, nor the fetching, here.
func TestAnHTTPClientThatDoesNotReturnIsAFailedFetch(t *testing.T) {
	for name, answer := range map[string]func(*http.Request) (*http.Response, error){
		"panics": func(*http.Request) (*http.Response, error) { panic("SECRET") },
		"exits":  func(*http.Request) (*http.Response, error) { runtime.Goexit(); return nil, nil },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				issuer := newFakeKeysIssuer("a")
				issuer.answerKeys(answer)
				k := startKeys(t, issuer)
				synctest.Wait()
				if s := k.state(); s.failures == 0 || s.lastError == nil || strings.Contains(s.lastError.Error(), "SECRET") {
					t.Errorf("state %+v", s)
				}
				issuer.answerKeys(nil)
				k.want(t, "a", nil)
			})
		})
	}
}

// However many callers there are, an outage holds no more than some of them: the others are told to come back.
func TestAnOutageOfAMomentHoldsNoMoreThanItsBound(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("a")
		k := startKeys(t, issuer)
		k.want(t, "a", nil)
		issuer.publish("a", "new")
		issuer.failing(2)
		var served, shed atomic.Int64
		var wg sync.WaitGroup
		for range 3 * maxWaiting {
			wg.Go(func() {
				if err := k.get(t.Context(), "new"); err == nil {
					served.Add(1)
				} else if errors.Is(err, errKeysUnavailable) {
					shed.Add(1)
				}
			})
		}
		wg.Wait()
		if n := served.Load(); n < maxWaiting || n > maxWaiting+1 || n+shed.Load() != 3*maxWaiting {
			t.Errorf("%d were served and %d told to come back, of %d", n, shed.Load(), 3*maxWaiting)
		}
		if k.refresh.waiting != 0 {
			t.Errorf("%d are counted as waiting, and nobody waits", k.refresh.waiting)
		}
	})
}

// Between a request's look and its miss a fetch may have brought the key.
func TestAKeyThatCameSinceTheLookCausesNoFetch(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("a")
		k := startKeys(t, issuer)
		k.want(t, "a", nil)
		attempt, err := k.miss("a", jose.EdDSA, time.Now(), false)
		if err != nil {
			t.Fatal(err)
		}
		<-attempt.done
		k.leave()
		synctest.Wait()
		if f := issuer.fetches(); f != 1 {
			t.Errorf("%d fetches, want 1", f)
		}
	})
}
