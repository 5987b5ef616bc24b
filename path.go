package countersign

import (
	"net/http"
	"net/url"
	"path"
	"strings"
)

// twoReadings reports whether the handler could read the request's path as one of another rule, or as one that no route has.
//
// net/http chooses the route by the path as it was sent, and does not clean the path of a CONNECT. Handlers read
// [url.URL.Path], which is decoded; file servers and proxies clean it, too. To them "/public/%2e%2e/private" is /private, as it is to
// RFC 3986, Sections 6.2.2.2 and 6.2.2.3, and RFC 9110, Section 4.2.3; and so is "/public/..%2fprivate", where the RFCs leave the
// slash alone. Without this check the rule of /public/ would decide who may read /private.
//
// An escaped slash is good where the path with a plain one leads to no other rule: "/files/a%2Fb" for "/files/{name}".
func (h *guarded) twoReadings(r *http.Request) bool {
	// Behind Require the router is not known: of the path is asked what holds for every router.
	if h.mux == nil {
		return hasDots(r.URL.Path)
	}
	// The usual path is not escaped, or as net/url would escape it: it has one reading, and net/http has cleaned it by a redirect.
	if r.URL.RawPath == "" && r.Method != http.MethodConnect {
		return false
	}
	if hasDots(r.URL.Path) {
		return true
	}
	read := path.Clean("/" + r.URL.Path)
	if strings.HasSuffix(r.URL.Path, "/") && read != "/" {
		read += "/"
	}
	other, pattern := h.mux.mux.Handler(&http.Request{Method: r.Method, Host: r.Host, URL: &url.URL{Host: r.URL.Host, Path: read}})
	route, ours := other.(*guarded)
	return pattern != "" && !(ours && route.route.Rule.String() == h.route.Rule.String())
}

// hasDots reports whether the path has a segment that stands for another one.
func hasDots(p string) bool {
	if !strings.Contains(p, "/.") && !strings.HasPrefix(p, ".") {
		return false
	}
	for segment := range strings.SplitSeq(p, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}
