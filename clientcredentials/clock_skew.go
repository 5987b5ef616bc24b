package clientcredentials

import (
	"net/http"
	"strconv"
	"time"
)

const (
	// minAdjustment is how far the issuer's clock must be from the one that an assertion was signed by, for another assertion to
	// be worth a request.
	minAdjustment = assertionPast

	// maxAdjustment bounds it: whoever has seen an assertion that is good in a month could use it then.
	maxAdjustment = 24 * time.Hour

	// toldSkew is from which difference on the log has that the clocks differ.
	toldSkew = time.Minute
)

// issuerTime is the issuer's clock, as its answer shows it. RFC 9110, Section 6.6.1: Date is when the answer was made; RFC 9111,
// Section 5.1: Age is how long ago that was, when it comes from a cache. Zero when nobody says.
func issuerTime(h http.Header) time.Time {
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	if age := h.Get("Age"); age != "" {
		seconds, err := strconv.ParseUint(age, 10, 31)
		if err != nil {
			return time.Time{}
		}
		at = at.Add(time.Duration(seconds) * time.Second)
	}
	return at
}

// adjust learns from the refusal of an assertion what time the issuer has, and reports whether an assertion with that time would
// be another one.
func (f *fetcher) adjust(at time.Time) bool {
	ahead := at.Sub(f.clock.wallTime())
	if at.IsZero() || ahead.Abs() > maxAdjustment || (ahead-f.issuerAhead).Abs() <= minAdjustment {
		return false
	}
	f.issuerAhead = ahead
	return true
}

// noteClock says once that this machine's clock and the issuer's differ: tokens then seem to end too early, and a service on this
// machine refuses those of others.
func (f *fetcher) noteClock(at time.Time) {
	if at.IsZero() {
		return
	}
	ahead := f.clock.wallTime().Sub(at)
	differ := ahead.Abs() > toldSkew
	if differ && !f.clockTold {
		f.log.Warn("this machine's clock and the issuer's differ", "ahead", ahead.Round(time.Second).String())
	}
	f.clockTold = differ
}
