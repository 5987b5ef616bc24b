package prove

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The bounds of asking again.
const (
	maxTries     = 3  // requests for one answer
	maxAgain     = 60 // requests of a target that are sent again
	firstWait    = 200 * time.Millisecond
	longestAfter = 5 * time.Second // that a Retry-After may ask for
)

// passing is why an answer is about this moment, and neither about the request nor about the service; empty if it is not. Whoever starts behind a load balancer,
// or is asked a hundred times in a second, answers so without a fault in its authorization.
func passing(status int) string {
	switch status {
	case http.StatusTooManyRequests: // RFC 6585, Section 4
		return "a rate limit answered before the service did: ask more slowly"
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return "a gateway answered, which did not reach the service"
	case http.StatusServiceUnavailable: // RFC 9110, Section 15.6.4
		return "the service is not available now"
	}
	return ""
}

// mayRepeat says whether a request that got such an answer may be sent once more. Only the refusals of 429 and of 503 with Retry-After say that nothing
// was done. After the others a request may have changed things, unless it does so once however often it comes (RFC 9110, Section 9.2.2), or
// is one that must be refused: that has no body, nor the type of one.
func mayRepeat(r *http.Request, res *http.Response) bool {
	switch {
	case passing(res.StatusCode) == "" || r.Body != nil && r.Body != http.NoBody && r.GetBody == nil:
		return false
	case res.StatusCode == http.StatusTooManyRequests:
		return true
	case res.StatusCode == http.StatusServiceUnavailable && res.Header.Get("Retry-After") != "":
		return true
	}
	switch method := strings.ToUpper(r.Method); method {
	case http.MethodPost, http.MethodPatch:
		return r.ContentLength == 0 && r.Header.Get("Content-Type") == ""
	default:
		return !changesThings(method) || method == http.MethodPut || method == http.MethodDelete
	}
}

// waitAgain waits as long as the answer asks for, and says whether there is a next time: not after a wait that is longer than anybody
// would be patient, nor after the end of the request's own time.
func (t *remote) waitAgain(ctx context.Context, res *http.Response, tries int) bool {
	wait := firstWait << (2 * (tries - 1))
	// RFC 9110, Section 10.2.3: seconds, or a date.
	if text := res.Header.Get("Retry-After"); text != "" {
		if seconds, err := strconv.ParseUint(text, 10, 16); err == nil {
			wait = max(wait, time.Duration(seconds)*time.Second)
		} else if date, err := http.ParseTime(text); err == nil {
			wait = max(wait, time.Until(date))
		}
	}
	if deadline, ok := ctx.Deadline(); wait > longestAfter || ok && time.Until(deadline) <= wait || t.again.Add(1) > maxAgain {
		return false
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
