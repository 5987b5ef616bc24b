package countersign

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/internal/jose"
)

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
