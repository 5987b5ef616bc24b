package clientcredentials

import (
	"errors"
	"time"
)

// Price is what a granted token request costs.
type Price struct {
	PerThousand float64 // of granted requests, before any tier's discount
	Currency    string  // as in ISO 4217
	AsOf        string  // the day or month at which somebody looked it up
}

// CognitoPrice returns the first tier of Amazon Cognito's price of M2M token requests. Only granted requests are
// billed; an app client may have a monthly fee beside it. Prices change and differ by region: look yours up.
func CognitoPrice() Price {
	return Price{PerThousand: 2.25, Currency: "USD", AsOf: "2025-04"}
}

// Cost returns what n granted requests cost.
func (p Price) Cost(n int64) float64 { return float64(n) * p.PerThousand / 1000 }

// Budget is how many token requests a [Source] is expected to be granted. When there are more, the Logger is
// warned and the [Observer] told, once in a window; no request is ever held back because of it, for an API that is down costs
// more than a token.
type Budget struct {
	Requests int64         // granted in a window; 0 means no budget
	Window   time.Duration // 0 means 24 hours
	Price    Price         // of a request; the zero Price counts and does not cost
}

const defaultWindow = 24 * time.Hour

func (b Budget) check() error {
	switch {
	case b.Requests < 0 || b.Window < 0 || b.Price.PerThousand < 0:
		return errors.New("has a negative number")
	case b.Requests == 0 && b.Window > 0:
		return errors.New("has a Window and no Requests")
	}
	return nil
}

// spending counts what was granted in the window under way. It belongs to the flight that is in the air.
type spending struct {
	budget  Budget
	started bool
	since   time.Duration // monotonic
	granted int64
}

// add counts a granted request, and reports whether it is the first over the budget of its window.
func (s *spending) add(now time.Duration) bool {
	window := s.budget.Window
	if window == 0 {
		window = defaultWindow
	}
	if !s.started || now-s.since >= window {
		s.started, s.since, s.granted = true, now, 0
	}
	s.granted++
	return s.budget.Requests > 0 && s.granted == s.budget.Requests+1
}

func (s *spending) event(clientID string) OverBudgetEvent {
	e := OverBudgetEvent{ClientID: clientID, Granted: s.granted, Budget: s.budget.Requests, Window: s.budget.Window,
		Cost: s.budget.Price.Cost(s.granted), Currency: s.budget.Price.Currency}
	if e.Window == 0 {
		e.Window = defaultWindow
	}
	return e
}
