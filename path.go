package countersign

import (
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
)

// twoReadings reports whether the handler could read the request's path as one of another rule, or as one that no route has.
//
// net/http chooses the route by the path as it was sent, and does not clean the path of a CONNECT. Handlers read
// [url.URL.Path], which is decoded; file servers and proxies clean it, too. To them "/public/%2e%2e/private" is /private, as it is to
// RFC 3986, Sections 6.2.2.2 and 6.2.2.3, and RFC 9110, Section 4.2.3; and so is "/public/..%2fprivate", where the RFCs leave the
// slash alone. Without this check the rule of /public/ would decide who may read /private. See bare for what is behind a proxy.
//
// An escaped slash is good where the path with a plain one leads to no other rule, or to a public one: "/files/a%2Fb" for "/files/{name}".
func (h *guarded) twoReadings(r *http.Request) bool {
	sent := r.URL.Path
	if hasDots(sent) {
		return true
	}
	// Behind Require the router is not known: of the path is asked what holds for every router.
	if h.mux == nil {
		return false
	}
	// The usual path is not escaped, or as net/url would escape it: it has one reading, and net/http has cleaned it by a redirect.
	if r.URL.RawPath == "" && r.Method != http.MethodConnect && isBare(sent) {
		return false
	}
	return h.isOfAnother(r, sent) || !isBare(sent) && h.isOfAnother(r, bare(sent))
}

// isOfAnother reports whether the path, clean, leads to a route of another rule. What everybody may read is nobody's secret: a page below "/"
// does not make a slash in a parameter ambiguous.
func (h *guarded) isOfAnother(r *http.Request, read string) bool {
	clean := path.Clean("/" + read)
	if strings.HasSuffix(read, "/") && clean != "/" {
		clean += "/"
	}
	other, pattern := h.mux.mux.Handler(&http.Request{Method: r.Method, Host: r.Host, URL: &url.URL{Host: r.URL.Host, Path: clean}})
	route, ours := other.(*guarded)
	return pattern != "" && !(ours && (route.route.Rule.IsPublic() || route.route.Rule.String() == h.route.Rule.String()))
}

// hasDots reports whether the path has a segment that stands for another one.
func hasDots(p string) bool {
	if strings.IndexByte(p, '.') < 0 {
		return false
	}
	for segment := range strings.SplitSeq(bare(p), "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// isBare reports whether bare changes nothing, as nearly always.
func isBare(p string) bool { return strings.IndexByte(p, ';') < 0 && strings.IndexByte(p, '\\') < 0 }

var parameters = regexp.MustCompile(`;[^/]*`)

// bare is the path without parameters, and with slashes for backslashes. A proxy passes on "/public/..;x/private" and "/private;x", which
// net/http takes for names. To a servlet container both are /private: it cuts parameters off (RFC 3986, Section 3.3) before it looks for
// dots and chooses a route. Servers on Windows take a backslash for a slash.
func bare(p string) string {
	if isBare(p) {
		return p
	}
	return parameters.ReplaceAllString(strings.ReplaceAll(p, `\`, "/"), "")
}
