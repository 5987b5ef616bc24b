package clientcredentials

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net/http"
	"os"
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

// ask sends one token request and tells what came of it.
func (f *fetcher) ask(ctx context.Context, at endpoint, used, preferred Credential) (grant, *Error) {
	began := f.clock.mono()
	g, err := f.post(ctx, at, used)
	event := TokenRequestEvent{ClientID: used.ClientID, Granted: err == nil, Status: http.StatusOK, Duration: f.clock.mono() - began,
		Fallback: used != preferred, Generation: f.meter.generation.Load()}
	if err != nil {
		event.Code, event.Status = err.Code, err.Status
	}
	f.observer.TokenRequest(event)
	if err == nil {
		f.meter.granted.Add(1)
		if f.spent.add(f.clock.mono()) {
			f.warnOfBudget(used.ClientID)
		}
	}
	return g, err
}

// warnOfBudget warns and does no more: an API that is down costs more than a token.
func (f *fetcher) warnOfBudget(clientID string) {
	e := f.spent.event(clientID)
	f.meter.overBudget.Add(1)
	f.log.Warn("more token requests than the budget has", "client_id", clientID, "granted", e.Granted, "budget", e.Budget,
		"window", e.Window.String(), "cost", e.Cost, "currency", e.Currency)
	f.observer.OverBudget(e)
}

// proven returns c with what the token request shows of it.
func (f *fetcher) proven(c Credential, at endpoint) (Credential, error) {
	if c.signer == nil {
		return c, nil
	}
	// RFC 7523, Section 3: the issuer's identifier, or its token endpoint. The former names one issuer only.
	audience := f.set.issuer
	if audience == "" {
		audience = at.url
	}
	var err error
	c.assertion, err = c.signer.sign(audience, f.clock.wallTime().Add(f.issuerAhead))
	return c, err
}

// post sends one token request.
func (f *fetcher) post(ctx context.Context, at endpoint, c Credential) (grant, *Error) {
	d := doorFor(f.set.door, at.methods)
	c, err := f.proven(c, at)
	if err != nil {
		return grant{}, &Error{Err: fmt.Errorf("the client assertion cannot be signed: %w", err), temporary: true}
	}
	req, err := d.request(ctx, at.url, c, f.set)
	if err != nil {
		return grant{}, &Error{Err: errors.New("the token request cannot be built: " + err.Error())}
	}
	if f.again {
		// RFC 9111, Section 5.2.1.4: a cache in between must not answer with the token that was refused.
		req.Header.Set("Cache-Control", "no-cache")
	}
	f.meter.requests.Add(1)
	res, err := f.client.Do(req)
	if err != nil {
		return grant{}, &Error{Err: fmt.Errorf("token request: %w", cause(err, c)), temporary: !untrusted(err)}
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
	if res.StatusCode != http.StatusOK {
		return grant{}, f.refused(res, d.refusal(body))
	}
	if len(body) > maxAnswer {
		return grant{}, &Error{Status: res.StatusCode, Err: fmt.Errorf("the answer is over %d bytes", maxAnswer)}
	}
	g, err := d.grant(body)
	if err == nil {
		g.at = issuerTime(res.Header)
		return g, nil
	}
	if r := d.refusal(body); r.code != "" || r.temporary {
		return grant{}, f.refused(res, r) // some issuers refuse with 200
	}
	return grant{}, &Error{Status: res.StatusCode, Err: err}
}

// refused makes an Error of an answer that is not a token.
func (f *fetcher) refused(res *http.Response, r refusal) *Error {
	e := &Error{Code: r.code, Status: res.StatusCode, temporary: r.temporary, at: issuerTime(res.Header)}
	switch status := res.StatusCode; {
	case status >= 300 && status < 400:
		// A 307 would carry the secret to wherever the answer points.
		e.Err = errors.New("the token endpoint redirects, and a secret does not follow a redirect")
	case e.Code == "" && (status == http.StatusNotFound || status == http.StatusMethodNotAllowed || status == http.StatusGone):
		e.Err = errors.New("there is no token endpoint at this address; look at TokenEndpoint or Issuer")
	case status == http.StatusUnauthorized && e.Code == "":
		// RFC 6749, Section 5.2: 401 is for invalid_client alone.
		e.Code = InvalidClient
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status >= 500:
		e.Code, e.temporary = "", true
		e.Err = errors.New("the issuer is too busy or fails")
	}
	if e.Code == InvalidClient && f.set.socket != "" {
		e.Err = fmt.Errorf("the agent has no client of this name for user %d; look at its configuration", os.Getuid())
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
	} else if errors.Is(err, strconv.ErrRange) {
		d = maxRetryAfter
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
