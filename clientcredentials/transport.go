package clientcredentials

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"strings"
)

// maxDrain is how much of a discarded answer is read, so that its connection can be used again.
const maxDrain = 16 << 10

// Transport returns a RoundTripper that sends requests with s's token through base; nil means
// [http.DefaultTransport]. It fits an [http.Client]:
//
//	client := &http.Client{Transport: source.Transport(nil)}
//
// The token goes to the origins of [Config].Origins only; without them, to the origin of the request that
// the program made and not to another one that an answer redirects to. Requests to elsewhere are sent as
// they are, and so are those of a redirect that has been elsewhere. A request over plain HTTP to another host than the loopback is an error, unless
// InsecureAllowHTTP is set or the origin is not one of Origins.
//
// A request that has an Authorization header already, or a user in its URL, is sent as it is: the program means it.
//
// When the API answers 401 with the challenge error="invalid_token" (RFC 6750, Section 3.1), another token is asked for
// and the request is sent once more, if its body can be: when it has none, or has GetBody. Otherwise the answer is
// returned as it came, and the next request has the other token. That costs at most one token request in five minutes;
// within them every answer is returned as it came. A 403 is never a reason to ask for a token: the same client would get
// the same scopes.
func (s *Source) Transport(base http.RoundTripper) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	return &transport{source: s, base: base}
}

type transport struct {
	source *Source
	base   http.RoundTripper
}

// errPlainHTTP is what a program gets that would show its token to the network.
var errPlainHTTP = errors.New("the request is over plain http and not to the loopback; use https, or say InsecureAllowHTTP")

// RoundTrip implements [http.RoundTripper].
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	s := t.source
	header := look(req.Header)
	if req.URL == nil || header.authorization {
		return t.base.RoundTrip(req)
	}
	if !s.mayHave(req) {
		s.log.DebugContext(req.Context(), "a request goes without the token: its origin is not allowed, or a redirect led there", "host", req.URL.Host)
		return t.base.RoundTrip(req)
	}
	if !s.set.plainHTTP && !secure(req.URL) {
		closeBody(req)
		return nil, &Error{Err: errPlainHTTP}
	}
	e, err := s.get(req.Context())
	if err != nil {
		closeBody(req)
		return nil, err
	}
	res, err := t.send(req, req.Body, e, header)
	if err != nil || !refusesToken(res) {
		return res, err
	}
	if !replayable(req) {
		_, _ = s.begin(e.token) // for the requests that come
		return res, nil
	}
	next := s.replace(req.Context(), e.token)
	if next == nil {
		return res, nil
	}
	body := req.Body
	if hasBody(req) {
		if body, err = req.GetBody(); err != nil {
			return res, nil
		}
	}
	_, _ = io.CopyN(io.Discard, res.Body, maxDrain)
	_ = res.Body.Close()
	s.meter.replays.Add(1)
	n := ResendCount(req.Context()) + 1
	s.observer.Resend(req.Context(), ResendEvent{Count: n, Method: req.Method, Host: req.URL.Host})
	res, err = t.send(req.WithContext(context.WithValue(req.Context(), resendKey{}, n)), body, next, header)
	if res != nil {
		res.Request = req
	}
	return res, err
}

// CloseIdleConnections is for [http.Client.CloseIdleConnections].
func (t *transport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// outgoing is a request and the value of its Authorization header in one piece of memory.
type outgoing struct {
	http.Request
	authorization [1]string
}

// send sends a copy of req that has the token: a RoundTripper must not modify the request. The values of the
// other headers are shared, capped so that appending to one copies it.
func (t *transport) send(req *http.Request, body io.ReadCloser, e *entry, seen headerLook) (*http.Response, error) {
	out := &outgoing{Request: *req, authorization: [1]string{e.header}}
	out.Body = body
	// Cloning the whole map costs a third of inserting its entries into a new one.
	out.Header = maps.Clone(req.Header)
	if out.Header == nil {
		out.Header = make(http.Header, 1)
	}
	if seen.spare {
		for name, values := range req.Header {
			out.Header[name] = values[:len(values):len(values)]
		}
	}
	// RFC 6750, Section 2.1: the Authorization request header field.
	out.Header["Authorization"] = out.authorization[:]
	res, err := t.base.RoundTrip(&out.Request)
	if res != nil {
		// The caller sees its own request: the copy has the token in it.
		res.Request = req
	}
	return res, err
}

// headerLook is what one walk over a request's header finds.
type headerLook struct {
	authorization bool // there is an Authorization, however it is spelt
	spare         bool // a value has room behind it, into which an append would write
}

func look(h http.Header) headerLook {
	var l headerLook
	for name, values := range h {
		l.spare = l.spare || len(values) < cap(values)
		l.authorization = l.authorization || len(name) == len("Authorization") && strings.EqualFold(name, "Authorization")
	}
	return l
}

func hasBody(req *http.Request) bool { return req.Body != nil && req.Body != http.NoBody }

func replayable(req *http.Request) bool { return !hasBody(req) || req.GetBody != nil }

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}
