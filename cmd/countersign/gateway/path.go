package gateway

import (
	"net/netip"
	"net/url"
	"strings"
)

// match returns the route of an unescaped path, or nil.
func (g *Gateway) match(path string) *route {
	for i, rt := range g.routes {
		rest, ok := strings.CutPrefix(path, rt.prefix)
		// A prefix ends at a segment's end: "/api/demo" must not open "/api/demo-internal".
		if ok && (rest == "" || rest[0] == '/' || rt.prefix == "/") {
			return &g.routes[i]
		}
	}
	return nil
}

// unambiguous reports whether the edge and every service read u's path and query alike.
//
// RFC 3986, Section 6.2.2 allows a reader to remove dot segments and to decode escapes at different moments. An attacker who
// finds two readers that differ asks the edge for a public path and the service for a private one.
func unambiguous(u *url.URL) bool {
	if !strings.HasPrefix(u.Path, "/") {
		return false
	}
	// What was received must be what is sent: a path that Go would write differently is not forwarded at all.
	if u.RawPath != "" && u.RawPath != u.EscapedPath() {
		return false
	}
	if hasEscapedSlash(u.RawPath) || strings.ContainsFunc(u.Path, isControlOrBackslash) {
		return false
	}
	segments := strings.Split(u.Path[1:], "/")
	for i, s := range segments {
		if s == "" && i < len(segments)-1 {
			return false // Readers merge "//" or do not. One slash at the end is an ordinary path.
		}
		// Some readers cut path parameters before they look for dots: "..;x" is ".." to them.
		name, _, _ := strings.Cut(s, ";")
		if name == "." || name == ".." || name == "" && s != "" || isEscapedTwice(s) {
			return false
		}
	}
	// The proxy drops parameters that do not parse. A request is refused rather than repaired.
	_, err := url.ParseQuery(u.RawQuery)
	return err == nil
}

func hasEscapedSlash(raw string) bool {
	return strings.Contains(raw, "%2f") || strings.Contains(raw, "%2F")
}

func isControlOrBackslash(r rune) bool { return r < 0x20 || r == 0x7f || r == '\\' }

// isEscapedTwice reports whether an unescaped segment still holds an escape. RFC 3986, Section 2.4 forbids to decode a second
// time; a service that does would find the slash that the edge could not see.
func isEscapedTwice(s string) bool {
	for i := 0; i+2 < len(s); i++ {
		if s[i] == '%' && isHex(s[i+1]) && isHex(s[i+2]) {
			return true
		}
	}
	return false
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// hostname returns the name in a Host header, without its port, in lower case; an IPv6 address without its brackets.
func hostname(host string) string {
	return strings.ToLower((&url.URL{Host: host}).Hostname())
}

// mayPin reports whether a browser may be told to use only TLS for host.
//
// RFC 6797, Section 8.1.1: an address cannot be pinned. localhost could, but a pin holds for a host with all its ports, and it
// would lock a developer out of every plain service of the machine, this program's own API and console first.
func mayPin(host string) bool {
	_, err := netip.ParseAddr(host)
	return err != nil && host != "" && host != "localhost" && !strings.HasSuffix(host, ".localhost")
}
