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
