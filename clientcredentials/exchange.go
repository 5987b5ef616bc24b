package clientcredentials

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net/http"
	"strconv"
	"time"
)

const (
	attemptTimeout = 10 * time.Second
	maxAnswer      = 256 << 10        // bytes of an issuer's answer that are read
	maxRetryAfter  = 15 * time.Minute // a Retry-After beyond it would let one bad header stop a fleet for long

	firstPause        = 500 * time.Millisecond
	firstRefusalPause = 5 * time.Second // somebody has to put something right
	longestPause      = time.Minute
)

// post sends one token request.
func (f *fetcher) post(ctx context.Context, at endpoint, c Credential) (grant, *Error) {
	d := doorFor(f.set.door, at.methods)
	req, err := d.request(ctx, at.url, c, f.set.scopes)
	if err != nil {
		return grant{}, &Error{Err: errors.New("the token request cannot be built")}
	}
	f.meter.requests.Add(1)
	res, err := f.client.Do(req)
	if err != nil {
		return grant{}, &Error{Err: fmt.Errorf("token request: %w", cause(err, c)), temporary: true}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return grant{}, &Error{Status: res.StatusCode, Err: fmt.Errorf("token answer: %w", cause(err, c)), temporary: true}
	}
	if !hasMediaType(res.Header, d.mediaType()) {
		if res.StatusCode == http.StatusOK {
			return grant{}, &Error{Status: res.StatusCode, Err: errors.New("the answer's Content-Type is not " + d.mediaType())}
		}
		body = nil // an error page of something in between
	}
	if res.StatusCode != http.StatusOK || len(body) > maxAnswer {
		return grant{}, f.refused(res, d.refusal(body))
	}
	g, err := d.grant(body)
	if err != nil {
		return grant{}, &Error{Status: res.StatusCode, Err: err}
	}
	return g, nil
}

// refused makes an Error of an answer that is not a token.
func (f *fetcher) refused(res *http.Response, r refusal) *Error {
	e := &Error{Code: r.code, Status: res.StatusCode, temporary: r.temporary}
	switch status := res.StatusCode; {
	case status == http.StatusOK:
		e.Err = fmt.Errorf("the answer is over %d bytes", maxAnswer)
	case status >= 300 && status < 400:
		// A 307 would carry the secret to wherever the answer points.
		e.Err = errors.New("the token endpoint redirects, and a secret does not follow a redirect")
	case status == http.StatusUnauthorized && e.Code == "":
		// RFC 6749, Section 5.2: 401 is for invalid_client alone.
		e.Code = InvalidClient
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status >= 500:
		e.Code, e.temporary = "", true
		e.Err = errors.New("the issuer is too busy or fails")
	}
	if e.Err == nil {
		reason, known := reasons[e.Code]
		if !known {
			reason = "the issuer refuses the request and does not say why"
		}
		e.Err = errors.New(reason)
	}
	e.retryAfter = retryAfter(res.Header.Get("Retry-After"), f.clock.wallTime())
	return e
}

// retryAfter reads RFC 9110, Section 10.2.3: a number of seconds or a date.
func retryAfter(value string, now time.Time) time.Duration {
	var d time.Duration
	if n, err := strconv.ParseUint(value, 10, 31); err == nil {
		d = time.Duration(n) * time.Second
	} else if date, err := http.ParseTime(value); err == nil {
		d = date.Sub(now)
	}
	return min(max(d, 0), maxRetryAfter)
}

// backoff is how long to wait after the n-th failed attempt in a row. Jitter spreads a fleet that failed
// together; without it all come back together.
func backoff(n int, e *Error) time.Duration {
	wait := firstPause
	if !e.temporary {
		wait = firstRefusalPause
	}
	for ; n > 1 && wait < longestPause; n-- {
		wait *= 2
	}
	wait = min(wait, longestPause)
	wait = wait/2 + rand.N(wait/2)
	if e.retryAfter > wait {
		wait = e.retryAfter + rand.N(e.retryAfter/4+1)
	}
	return wait
}

func hasMediaType(h http.Header, want string) bool {
	got, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && got == want
}
