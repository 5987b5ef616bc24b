package tokenproxy

import (
	"context"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
)

// TestTheMachineSlept: the monotonic clock stood still meanwhile, and the token has ended all the same.
func TestTheMachineSlept(t *testing.T) {
	c := newCache(t.Context(), 10, 10, &counts{})
	now := time.Now()
	token := func(text string, ends time.Time) *clientcredentials.Token {
		return &clientcredentials.Token{AccessToken: text, Expiry: ends.Round(0)}
	}
	h := hold(token("old", now.Add(time.Hour)), now)
	h.token = token("old", now.Add(-time.Minute)) // what its wall clock says after the sleep
	c.held[key{}] = h
	got, left, err := c.get(t.Context(), key{}, false, func(context.Context) (*clientcredentials.Token, error) {
		return token("new", now.Add(time.Hour)), nil
	})
	if err != nil || got.AccessToken != "new" || left < 59*time.Minute {
		t.Errorf("%v, %v, %v", got, left, err)
	}
}

// A token of a day is not renewed hours ahead, and early enough for an outage of half an hour.
func TestALongLife(t *testing.T) {
	now := time.Now()
	for _, life := range []time.Duration{time.Hour, 24 * time.Hour} {
		for range 50 {
			h := hold(&clientcredentials.Token{Expiry: now.Add(life)}, now)
			early, counted := now.Add(life).Sub(h.renew), min(life, 4*time.Hour)
			if early < counted*14/100 || early > counted/2 {
				t.Errorf("one of %v is renewed %v before its end", life, early)
			}
		}
	}
}
