package clientcredentials

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/internal/oauth"
)

// maxHops bounds the walk back through a redirect chain; http.Client gives up after 10.
const maxHops = 64

// secure reports whether what is sent to u cannot be read on a wire: https, or http on the loopback.
func secure(u *url.URL) bool {
	return strings.EqualFold(u.Scheme, "https") || oauth.IsLoopback(u.Hostname())
}

// sameOrigin compares scheme, host and port as RFC 6454, Section 5 does.
func sameOrigin(a, b *url.URL) bool {
	return strings.EqualFold(a.Scheme, b.Scheme) && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if strings.EqualFold(u.Scheme, "http") {
		return "80"
	}
	return "443"
}

// mayHave reports whether the token may go to where req goes. An answer that redirects elsewhere must not take the token with
// it: the other server could use it wherever the token is good. Nor has a chain the token again that has been elsewhere and comes
// back, for then the other server says what is asked for with it; net/http treats a program's own Authorization alike.
func (s *Source) mayHave(req *http.Request) bool {
	hop := req
	for range maxHops {
		switch {
		case hop == nil || hop.URL == nil || !s.allows(hop.URL, req.URL):
			return false
		case hop.Response == nil:
			return true // the request that the program itself made
		}
		hop = hop.Response.Request
	}
	return false
}

// allows reports whether u is an origin that may have the token, in a chain of redirects that is at here.
func (s *Source) allows(u, here *url.URL) bool {
	if len(s.set.origins) == 0 {
		return u == here || sameOrigin(u, here)
	}
	return slices.ContainsFunc(s.set.origins, func(origin *url.URL) bool { return sameOrigin(u, origin) })
}
