package prove

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"time"
)

// maxBody bounds what is read of an answer: its status and header are what counts.
const maxBody = 64 << 10

// idleTimeout ends the connections of a run that is over.
const idleTimeout = 10 * time.Second

// bodyTime is how long a body of unknown length is read: a second tells an answer from a stream.
const bodyTime = time.Second

// streamTime is bodyTime, and none for what says of itself that it has no end.
func streamTime(h http.Header) time.Duration {
	if isEventStream(h) {
		return 0
	}
	return bodyTime
}

// isEventStream knows server-sent events (HTML, Section 9.2).
func isEventStream(h http.Header) bool {
	media, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && media == "text/event-stream"
}

// Target answers requests. A request has the escaped path and query of its URL, and Host if the route names one; scheme and
// address are the target's business. The answer's body has been read up to a bound, and nothing is left to close: ContentLength
// is how much of it was read.
type Target interface {
	Do(r *http.Request) (*http.Response, error)
	String() string // for the report
}

// noScheme matches an address of this machine whose scheme somebody left out.
var noScheme = regexp.MustCompile(`^(localhost|127\.0\.0\.1):\d+(/|$)`)

// URL is a target at an address, such as https://api.example.com; a path of it is put in front of every route's. Redirects are
// answers and are not followed. A nil client is [http.DefaultTransport] with the bounds of [Config].
func URL(base string, client *http.Client) (Target, error) {
	u, err := url.Parse(base)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		like := "https://api.example.com"
		if noScheme.MatchString(base) {
			like = "http://" + base
		}
		return nil, fmt.Errorf("prove: %q is no address; write one such as %s", base, like)
	}
	if u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("prove: the address %s has more than scheme, host and path", u.Redacted())
	}
	t := &remote{base: u}
	if client != nil {
		t.client = *client
	}
	t.client.Transport = keepAlive(t.client.Transport)
	// A redirect would carry the token to where it points, and hide the status that is asked about.
	t.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	t.client.Jar = nil // a cookie of one case must not help the next
	return t, nil
}

// keepAlive keeps as many connections as requests are under way. net/http keeps two for a host, and would open a new one for
// most of the requests.
func keepAlive(rt http.RoundTripper) http.RoundTripper {
	if rt == nil {
		rt = http.DefaultTransport
	}
	base, ok := rt.(*http.Transport)
	if !ok || base.MaxIdleConnsPerHost != 0 {
		return rt
	}
	own := base.Clone()
	own.MaxIdleConnsPerHost, own.MaxIdleConns, own.IdleConnTimeout = maxConcurrency, 0, idleTimeout
	return own
}

type remote struct {
	base   *url.URL
	client http.Client
	again  atomic.Int32 // requests that were sent once more
}

func (t *remote) String() string { return t.base.String() }

func (t *remote) Do(r *http.Request) (*http.Response, error) {
	u, err := pathURL(strings.TrimSuffix(t.base.EscapedPath(), "/") + r.URL.EscapedPath())
	if err != nil {
		return nil, err
	}
	u.Scheme, u.Host, u.RawQuery = t.base.Scheme, t.base.Host, r.URL.RawQuery
	r.URL = u
	for tries := 1; ; tries++ {
		res, err := t.once(r)
		if err != nil || tries == maxTries || !mayRepeat(r, res) || !t.waitAgain(r.Context(), res, tries) {
			return res, err
		}
		if r.GetBody != nil {
			if r.Body, err = r.GetBody(); err != nil {
				return res, nil
			}
		}
	}
}

// once sends the request.
func (t *remote) once(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	res, err := t.client.Do(r.WithContext(ctx))
	if err != nil {
		// The text of a url.Error has the address, and one of the cases has a token in it.
		var with *url.Error
		if errors.As(err, &with) {
			err = with.Err
		}
		return nil, err
	}
	defer res.Body.Close()
	// The answer came: a body that breaks off or never ends, as a stream's, does not make it another one, and is not waited for.
	if res.ContentLength < 0 {
		defer time.AfterFunc(streamTime(res.Header), cancel).Stop()
	}
	n, _ := io.Copy(io.Discard, io.LimitReader(res.Body, maxBody))
	if n == 0 && isEventStream(res.Header) {
		n = -1 // what comes is not known, but something does
	}
	res.Body, res.ContentLength = http.NoBody, n
	return res, nil
}
