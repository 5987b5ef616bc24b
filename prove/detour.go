package prove

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/countersign-dev/countersign"
)

// A detour is a request without a token that means a route and does not say so plainly: where a gateway or a router and the guard
// read it differently, it reaches the handler past the guard. It must not be admitted; redirects and 404 are as good as 401.
type detour struct {
	name string
	// change makes the request from a plain one: its path is escaped. It says whether there is anything to change.
	change func(d *detoured) bool
}

// detoured is what a detour may change.
type detoured struct {
	method, path string
	header       http.Header
}

var detours = []detour{
	{"double slash", func(d *detoured) bool { d.path = "/" + d.path; return true }},
	{"slash at the end", func(d *detoured) bool { d.path += "/"; return !strings.HasSuffix(d.path, "//") }},
	{"dot segment", func(d *detoured) bool { d.path = "/." + d.path; return true }},
	{"dot dot segment", func(d *detoured) bool { d.path = "/countersign/.." + d.path; return true }},
	{"path parameter", func(d *detoured) bool { d.path += ";a=b"; return true }},
	{"encoded slash", func(d *detoured) bool {
		first, rest, more := strings.Cut(d.path[1:], "/")
		d.path = "/" + first + "%2F" + rest
		return more && first != "" && rest != ""
	}},
	{"encoded letter", func(d *detoured) bool {
		i := strings.IndexFunc(d.path, func(c rune) bool { return c >= 'a' && c <= 'z' })
		if i < 0 || strings.Contains(d.path[:i], "%") {
			return false
		}
		d.path = d.path[:i] + "%" + strings.ToUpper(hexByte(d.path[i])) + d.path[i+1:]
		return true
	}},
	{"path in capitals", func(d *detoured) bool {
		plain := d.path
		d.path = strings.ToUpper(d.path)
		return d.path != plain && !strings.Contains(d.path, "%")
	}},
	{"method in lower case", func(d *detoured) bool { d.method = strings.ToLower(d.method); return true }},
	{"method override", func(d *detoured) bool {
		d.header.Set("X-HTTP-Method-Override", d.method)
		d.header.Set("X-Method-Override", d.method)
		if d.method == http.MethodGet {
			d.method = http.MethodPost
		} else {
			d.method = http.MethodGet
		}
		return true
	}},
	{"path in a header", func(d *detoured) bool {
		d.header.Set("X-Original-URL", d.path)
		d.header.Set("X-Rewrite-URL", d.path)
		d.path = "/countersign-nowhere"
		return true
	}},
}

func hexByte(b byte) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[b>>4], digits[b&15]})
}

// detourCases are the detours to a route that do not lead to a public one: what is open may be reached in any spelling.
func detourCases(base Case, finder *finder) []Case {
	var cases []Case
	for n := range detours {
		c := base
		c.Kind, c.Name, c.Clause, c.detour = KindDetour, "no token, "+detours[n].name, "RFC 9110, Section 7.1", &detours[n]
		c.Answers = []Answer{notAdmittedAnswer}
		if d, ok := finder.detour(c); ok && !finder.open(d) {
			cases = append(cases, c)
		}
	}
	return cases
}

// detour is the changed request of a case.
func (f *finder) detour(c Case) (detoured, bool) {
	method, path, err := f.plain(c)
	if err != nil {
		return detoured{}, false
	}
	d := detoured{method, path, http.Header{}}
	return d, c.detour.change(&d)
}

// open says whether the policy lets everyone in where the request leads.
func (f *finder) open(d detoured) bool {
	u, err := pathURL(d.path)
	if err != nil {
		return true // what cannot be sent needs no case
	}
	_, pattern := f.mux.Handler(&http.Request{Method: d.method, URL: u})
	return f.public[pattern]
}

// pathURL is a URL that has only this escaped path. url.Parse would take "//orders" for a host.
func pathURL(escaped string) (*url.URL, error) {
	plain, err := url.PathUnescape(escaped)
	if err != nil {
		return nil, err
	}
	return &url.URL{Path: plain, RawPath: escaped}, nil
}

// isOpen says whether a rule lets everyone in.
func isOpen(r countersign.Rule) bool { return r.IsPublic() || r.IsReport() }
