package gateway

import (
	"bufio"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"
)

// FuzzUnambiguous reads each accepted target as services of several kinds do; all must see the path that the edge routed.
func FuzzUnambiguous(f *testing.F) {
	for _, target := range []string{
		"/api/demo/protectedRole/sample-username", "/a/%2e%2e/b", "/a/..;x/b", "//a", "/a%2fb", `/a\b`, "/a%252f..%252fb",
		"/a%00b", "/%C3%A4", "/100%25", "/a%25zz", "/a;v=1/b", "/a/", "/a?x=1;y", "http://localhost/a", "/a%25%32%66b", "*", "/%2E%2e",
	} {
		f.Add(target)
	}
	f.Fuzz(func(t *testing.T, target string) {
		if strings.ContainsAny(target, " \r\n") {
			return // a line or a field of its own, and no part of the target
		}
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n")))
		if err != nil || !unambiguous(r.URL) {
			return
		}
		routed := r.URL.Path
		// A service that cleans its paths, as net/http's ServeMux does.
		if clean := path.Clean(routed); clean != strings.TrimSuffix(routed, "/") && clean != routed {
			t.Errorf("%q: cleaned to %q", routed, clean)
		}
		// One that takes a backslash for a slash, and drops path parameters.
		if strings.Contains(routed, `\`) {
			t.Errorf("%q: has a backslash", routed)
		}
		var bare []string
		for _, s := range strings.Split(routed, "/") {
			name, _, _ := strings.Cut(s, ";")
			bare = append(bare, name)
		}
		if p := strings.Join(bare, "/"); strings.Contains(p+"/", "/../") || strings.Contains(p+"/", "/./") || strings.Contains(p, "//") {
			t.Errorf("%q: without parameters it is %q", routed, p)
		}
		// One that decodes what it was sent once more than it should.
		if twice, err := url.PathUnescape(routed); err == nil && twice != routed {
			t.Errorf("%q: decoded again it is %q", routed, twice)
		}
		// What is sent is what was received, byte for byte.
		sent := (&url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath}).EscapedPath()
		received, _, _ := strings.Cut(target, "?")
		if strings.HasPrefix(target, "/") && sent != received {
			t.Errorf("received %q, sent %q", received, sent)
		}
	})
}
