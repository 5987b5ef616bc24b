package countersign

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A flood of unknown kids during a rotation: the fetches are the budget's, and the new key is accepted within one
// interval of the budget, whoever caused the fetch that brought it.
func TestAHundredThousandRandomKidsCauseABoundedNumberOfFetchesAndTheNewKeyIsAcceptedInTime(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("old")
		issuer.answerKeys(func(r *http.Request) (*http.Response, error) {
			time.Sleep(50 * time.Millisecond)
			return answerText(200, issuer.jwkSet())(r)
		})
		k := startKeys(t, issuer)
		k.want(t, "old", nil)
		start := time.Now()

		var rotated, accepted time.Time
		for second := range 100 {
			if second == 50 {
				issuer.publish("old", "new")
				rotated = time.Now()
			}
			var wg sync.WaitGroup
			for n := range 1000 {
				wg.Go(func() { k.want(t, fmt.Sprintf("%d-%d", second, n), errUnknownKey) })
			}
			if second >= 50 && accepted.IsZero() && k.get(t.Context(), "new") == nil {
				accepted = time.Now()
			}
			k.want(t, "old", nil)
			wg.Wait()
			time.Sleep(time.Second)
		}
		took := time.Since(start)
		if most := 1 + missBurst + int(took/missInterval) + 1; issuer.fetches() > most {
			t.Errorf("%d fetches in %v, want at most %d", issuer.fetches(), took, most)
		}
		if wait := accepted.Sub(rotated); accepted.IsZero() || wait > missInterval+2*time.Second {
			t.Errorf("the new key was accepted after %v, want within %v and a fetch", wait, missInterval)
		}
		if k.events.of(KeysSuppressed) == 0 || k.events.of(KeysUnknownKid) == 0 {
			t.Error("the flood was not reported")
		}
		if n := len(k.refresh.absent.young) + len(k.refresh.absent.old); n > 2*maxAbsent {
			t.Errorf("%d absent kids are remembered, want at most %d", n, 2*maxAbsent)
		}
	})
}

func TestANewKeyIsAcceptedAfterASuppressedMissEvenIfNoTokenComesAgain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("old")
		k := startKeys(t, issuer)
		k.want(t, "old", nil)
		for n := range missBurst {
			k.want(t, fmt.Sprint("junk", n), errUnknownKey)
		}
		issuer.publish("old", "new")
		k.want(t, "new", errUnknownKey) // the budget is used up
		time.Sleep(missInterval)
		synctest.Wait()
		fetches := issuer.fetches()
		k.want(t, "new", nil)
		if f := issuer.fetches(); f != fetches || f != 1+missBurst+1 {
			t.Errorf("%d fetches, want %d and none for the second token", f, 1+missBurst+1)
		}
	})
}

func TestTheFirstTokenOfANewKeyIsAcceptedAndAllItsWaitersShareOneFetch(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("old")
		k := startKeys(t, issuer)
		k.want(t, "old", nil)
		issuer.publish("old", "new")
		issuer.answerKeys(func(r *http.Request) (*http.Response, error) {
			time.Sleep(50 * time.Millisecond)
			return answerText(200, issuer.jwkSet())(r)
		})
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() { k.want(t, "new", nil) })
		}
		wg.Wait()
		if f := issuer.fetches(); f != 2 {
			t.Errorf("%d fetches, want the first and one for the new key", f)
		}
	})
}

func TestOneStaleTokenInALoopDoesNotUseUpTheBudget(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("a")
		k := startKeys(t, issuer, func(cfg *keySourceConfig) {})
		k.want(t, "a", nil)
		for range 290 {
			k.want(t, "stale", errUnknownKey)
			time.Sleep(100 * time.Millisecond)
		}
		if f := issuer.fetches(); f != 2 {
			t.Errorf("%d fetches in 29 s, want the first and one for the stale kid", f)
		}
		issuer.publish("a", "new")
		k.want(t, "new", nil)
	})
}

func TestATokenAheadOfItsPublicationIsAcceptedWithinTheTimeOfAnAbsentKid(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("a")
		k := startKeys(t, issuer)
		k.want(t, "early", errUnknownKey)
		issuer.publish("a", "early")
		time.Sleep(absentFor)
		k.want(t, "early", nil)
	})
}

func TestAnAnswerThatWasOnItsWaySaysNothingAboutATokenThatCameAfterTheQuestion(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("a")
		k := startKeys(t, issuer)
		k.want(t, "a", nil)
		issuer.answerKeys(func(r *http.Request) (*http.Response, error) {
			set := issuer.jwkSet()
			time.Sleep(time.Second)
			return answerText(200, set)(r)
		})
		go k.get(t.Context(), "junk")
		time.Sleep(time.Millisecond)
		issuer.publish("a", "new")
		k.want(t, "new", nil) // the answer on its way is the old one, and the next is asked for
		if f := issuer.fetches(); f != 3 {
			t.Errorf("%d fetches, want the first, the one on its way and one more", f)
		}
	})
}

// Neither misses nor their failures can keep the timer from its refresh.
func TestAFloodDoesNotStarveTheTimer(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("a")
		k := startKeys(t, issuer)
		k.want(t, "a", nil)
		for n := range 3600 {
			k.get(t.Context(), fmt.Sprint("junk", n))
			if age := k.state().age; age > defaultKeyAge/2 {
				t.Fatalf("after %d s the set is %v old, want at most half of %v", n, age, defaultKeyAge)
			}
			time.Sleep(time.Second)
		}
		if f, most := issuer.fetches(), 1+missBurst+3600/15+1; f > most {
			t.Errorf("%d fetches in an hour, want at most %d", f, most)
		}
	})
}

func TestAFloodDuringAnOutageCausesNoFetchOfItsOwn(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("a")
		k := startKeys(t, issuer)
		k.want(t, "a", nil)
		issuer.answerKeys(answerText(500, ""))
		k.want(t, "first", errKeysUnavailable)
		fetches := issuer.fetches()
		for n := range 100_000 {
			k.get(t.Context(), fmt.Sprint("junk", n))
		}
		k.want(t, "a", nil)
		if f := issuer.fetches(); f != fetches {
			t.Errorf("the flood caused %d fetches", f-fetches)
		}
	})
}

func TestAMissDoesNotWaitForAHangingIssuerLongerThanTheBoundAndOnlyAtFirst(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("a")
		k := startKeys(t, issuer)
		k.want(t, "a", nil)
		issuer.answerKeys(hang)
		start := time.Now()
		for range 10 {
			if k.state().failures >= patientFailures {
				break
			}
			began := time.Now()
			k.want(t, "junk", errKeysUnavailable)
			if waited := time.Since(began); waited > maxKeyWait {
				t.Errorf("a miss waited %v", waited)
			}
		}
		if waited := time.Since(start); waited > (patientFailures+1)*maxKeyWait {
			t.Errorf("misses waited for %v", waited)
		}
		start = time.Now()
		for n := range 1000 {
			k.want(t, fmt.Sprint("junk", n), errKeysUnavailable)
		}
		if waited := time.Since(start); waited != 0 {
			t.Errorf("later misses waited %v while the issuer is known to fail", waited)
		}
	})
}

func TestAKidThatIsTooLongIsUnknownWithoutAFetch(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newFakeKeysIssuer("a")
		k := startKeys(t, issuer)
		k.want(t, "a", nil)
		k.want(t, strings.Repeat("k", maxKeyID+1), errUnknownKey)
		if f := issuer.fetches(); f != 1 {
			t.Errorf("%d fetches", f)
		}
	})
}

func TestTheMissBudgetGivesItsBurstAndThenOneAnInterval(t *testing.T) {
	var budget missBudget
	now := time.Unix(1_000_000, 0)
	taken := func() (n int) {
		for {
			if ok, next := budget.take(now); !ok {
				if !next.After(now) || next.After(now.Add(missInterval)) {
					t.Errorf("next at %v, now is %v", next, now)
				}
				return n
			}
			n++
		}
	}
	if n := taken(); n != missBurst {
		t.Errorf("burst of %d, want %d", n, missBurst)
	}
	now = now.Add(missInterval)
	if n := taken(); n != 1 {
		t.Errorf("%d after one interval, want 1", n)
	}
	now = now.Add(24 * time.Hour)
	if n := taken(); n != missBurst {
		t.Errorf("%d after a day, want %d", n, missBurst)
	}
}
