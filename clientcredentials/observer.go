package clientcredentials

import (
	"context"
	"time"
)

// Observer is told what a [Source] does, for metrics and traces. Its methods must return at once: they run on
// the goroutine that asks the issuer, or on the caller's for Resend. No event has a token, a secret or a text of the issuer's.
type Observer interface {
	// TokenRequest is called after each token request, whether it was granted or not.
	TokenRequest(event TokenRequestEvent)
	// OverBudget is called once in each window of [Budget] in which more was granted than it has.
	OverBudget(event OverBudgetEvent)
	// Resend is called before the Transport sends a request again.
	Resend(ctx context.Context, event ResendEvent)
}

// TokenRequestEvent is one token request.
type TokenRequestEvent struct {
	ClientID   string        // as configured
	Granted    bool          // a token came; this is what an issuer bills
	Code       string        // of a refusal, one of this package's constants; empty for another reason or none
	Status     int           // HTTP status of the answer; 0 without one
	Duration   time.Duration // from the request to the end of the answer
	Fallback   bool          // not with the preferred credential
	Generation int64         // of the credential, as in [Stats.SecretGeneration], before this request
}

// OverBudgetEvent says that more tokens were granted than a [Budget] has. Nothing is refused because of it.
type OverBudgetEvent struct {
	ClientID string        // as configured
	Granted  int64         // token requests in the window so far
	Budget   int64         // what the window has
	Window   time.Duration // length of the window
	Cost     float64       // of Granted, at the budget's price
	Currency string        // of Cost
}

// ResendEvent is an API request that is sent again because its token was refused.
type ResendEvent struct {
	Count  int    // OpenTelemetry's http.request.resend_count: 1 for the first time
	Method string // of the request
	Host   string // of the request's URL
}

type resendKey struct{}

// ResendCount returns how often the request of ctx has been sent before by a [Source.Transport]. It is the value
// of OpenTelemetry's attribute http.request.resend_count, which counts a resend whatever its reason; a transport beneath
// that makes spans reads it from the context of the request it is given.
func ResendCount(ctx context.Context) int {
	n, _ := ctx.Value(resendKey{}).(int)
	return n
}

// noObserver is the Observer of who has none.
type noObserver struct{}

func (noObserver) TokenRequest(TokenRequestEvent)      {}
func (noObserver) OverBudget(OverBudgetEvent)          {}
func (noObserver) Resend(context.Context, ResendEvent) {}
