package aws

import (
	"errors"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
)

// newRetryer is the SDK's standard one, which also tries again what Cognito refuses because another change is under way.
func newRetryer(attempts int) sdk.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.MaxBackoff = 10 * time.Second
		o.Retryables = append(o.Retryables, retry.RetryableErrorCode{Codes: map[string]struct{}{"ConcurrentModificationException": {}}})
	})
}

// OnlyRefused narrows a retryer to what was certainly not done: a call that was throttled. It is for calls that make
// something new each time, as CreateUserPool does: when their answer is lost, trying again would make it twice.
func OnlyRefused(r sdk.Retryer) sdk.Retryer { return onlyRefused{r} }

type onlyRefused struct{ sdk.Retryer }

func (r onlyRefused) IsErrorRetryable(err error) bool {
	return isThrottle(err) && r.Retryer.IsErrorRetryable(err)
}

func isThrottle(err error) bool {
	var refused smithy.APIError
	if !errors.As(err, &refused) {
		return false
	}
	_, throttled := retry.DefaultThrottleErrorCodes[refused.ErrorCode()]
	return throttled
}

// MayHaveWorked says whether the call may have done its work although it failed: its answer was lost, or it came from a
// server in trouble.
func MayHaveWorked(err error) bool {
	if err == nil || isThrottle(err) {
		return false
	}
	var refused smithy.APIError
	if errors.As(err, &refused) {
		return refused.ErrorFault() == smithy.FaultServer || statusOf(err) >= 500
	}
	return !neverSent(err)
}
