package clientcredentials

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// maxHops bounds the walk back through a redirect chain; http.Client gives up after 10.
const maxHops = 64

// secure reports whether what is sent to u cannot be read on a wire: https, or http on the loopback.
func secure(u *url.URL) bool {
	if strings.EqualFold(u.Scheme, "https") {
		return true
	}
	host := u.Hostname()
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
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

// firstOf returns the request that the program itself made, of which req may be a redirect.
func firstOf(req *http.Request) *http.Request {
	first := req
	for range maxHops {
		if first.Response == nil || first.Response.Request == nil {
			return first
		}
		first = first.Response.Request
	}
	return first
}

// mayHave reports whether the token may go to where req goes. An answer that redirects elsewhere must not
// take the token with it: the other server could use it wherever the token is good.
func (s *Source) mayHave(req *http.Request) bool {
	if len(s.set.origins) == 0 {
		return req.Response == nil || sameOrigin(req.URL, firstOf(req).URL)
	}
	for _, origin := range s.set.origins {
		if sameOrigin(req.URL, origin) {
			return true
		}
	}
	return false
}
