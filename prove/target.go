package prove

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxBody bounds what is read of an answer: its status and header are what counts.
const maxBody = 64 << 10

// idleTimeout ends the connections of a run that is over.
const idleTimeout = 10 * time.Second

// Target answers requests. A request has the escaped path and query of its URL, and Host if the route names one; scheme and
// address are the target's business. The answer's body has been read up to a bound, and nothing is left to close: ContentLength
// is how much of it was read.
type Target interface {
	Do(r *http.Request) (*http.Response, error)
	String() string // for the report
}

// URL is a target at an address, such as https://api.example.com; a path of it is put in front of every route's. Redirects are
// answers and are not followed. A nil client is [http.DefaultTransport] with the bounds of [Config].
func URL(base string, client *http.Client) (Target, error) {
	u, err := url.Parse(base)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("prove: %q is no address; write one such as https://api.example.com", base)
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
}

func (t *remote) String() string { return t.base.String() }

func (t *remote) Do(r *http.Request) (*http.Response, error) {
	u, err := pathURL(strings.TrimSuffix(t.base.EscapedPath(), "/") + r.URL.EscapedPath())
	if err != nil {
		return nil, err
	}
	u.Scheme, u.Host, u.RawQuery = t.base.Scheme, t.base.Host, r.URL.RawQuery
	r.URL = u
	res, err := t.client.Do(r)
	if err != nil {
		// The text of a url.Error has the address, and one of the cases has a token in it.
		var with *url.Error
		if errors.As(err, &with) {
			err = with.Err
		}
		return nil, err
	}
	defer res.Body.Close()
	// The answer came: a body that breaks off or never ends, as a stream's, does not make it another one.
	n, _ := io.Copy(io.Discard, io.LimitReader(res.Body, maxBody))
	res.Body, res.ContentLength = http.NoBody, n
	return res, nil
}
