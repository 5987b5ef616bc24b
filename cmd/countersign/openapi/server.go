package openapi

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/document"
)

// server is what one entry of servers says.
type server struct {
	written, url string // as in the document, and with its variables replaced
	host         string // empty when the URL is relative to where the document lies
	base         string // the path in front of every path; empty or as "/v1"
	place        document.Place
}

// chooseServer picks the entry that is meant. OpenAPI 3.1.0, Section 4.8.1: without servers, or with none of them, it is "/".
func (r *reader) chooseServer(n *document.Node, wanted string) server {
	if !r.is(n, document.Array, "servers") {
		return server{}
	}
	var all []server
	for _, item := range n.Items {
		if s, ok := r.readServer(item); ok {
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		return server{}
	}
	if wanted != "" {
		wanted = strings.TrimSuffix(wanted, "/")
		for _, s := range all {
			if strings.TrimSuffix(s.written, "/") == wanted || strings.TrimSuffix(s.url, "/") == wanted {
				return s
			}
		}
		r.failf(n.Place, "the server %s is none of these; take one of them, such as %s", document.Quote(wanted), document.Quote(all[0].url))
		return all[0]
	}
	if r.cfg.Target != nil {
		for _, s := range all {
			if s.host != "" && strings.EqualFold(s.host, r.cfg.Target.Host) {
				return s
			}
		}
	}
	if i := slices.IndexFunc(all, func(s server) bool { return s.base != all[0].base }); i >= 0 {
		r.notef(n.Place, "the paths are taken to stand behind %q, as of the first server; --server %s would be another", all[0].base+"/", document.Plain(all[i].url))
	}
	return all[0]
}

func (r *reader) readServer(n *document.Node) (server, bool) {
	if !r.members(n, "a server", []string{"url", "description", "variables"}) {
		return server{}, false
	}
	address := n.Get("url")
	if address == nil {
		r.failf(n.Place, "the server has no url; write one, such as https://api.example.com/v1")
		return server{}, false
	}
	s := server{written: r.text(address, "url"), place: address.Place}
	s.url = r.expand(s.written, n.Get("variables"))
	if host, path := cutHost(s.url); strings.ContainsAny(path, "{}") {
		name := variable.FindString(path)
		r.failf(address.Place, "the variable %s of the server's path has no value; write variables: {%s: {default: …}} beside url", document.Quote(name), document.Plain(strings.Trim(name, "{}")))
		return server{}, false
	} else if strings.ContainsAny(host, "{}") {
		// Where the service is comes from the command line; only the path counts.
		s.url = path
	}
	u, err := url.Parse(s.url)
	switch {
	case err != nil || u.Opaque != "" || u.Scheme != "" && u.Scheme != "https" && u.Scheme != "http" || u.Scheme != "" && u.Host == "":
		r.failf(address.Place, "the server %s is no web address; write one such as https://api.example.com/v1, or a path", document.Quote(s.url))
		return server{}, false
	case u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		r.failf(address.Place, "the server's url has more than scheme, host and path; write it as https://api.example.com/v1")
		return server{}, false
	}
	if s.host = u.Host; s.host != "" && !slices.Contains(r.out.Hosts, s.host) {
		r.out.Hosts = append(r.out.Hosts, s.host)
	}
	if s.base = strings.Trim(u.EscapedPath(), "/"); s.base == "." {
		s.base = ""
	}
	if s.base != "" {
		s.base = "/" + s.base
	}
	return s, true
}

var variable = regexp.MustCompile(`\{([^{}]*)\}`)

// expand replaces the variables of a server's URL by their defaults, which OpenAPI 3.1.0, Section 4.8.6.1, requires. One that has none stays.
func (r *reader) expand(text string, variables *document.Node) string {
	return variable.ReplaceAllStringFunc(text, func(match string) string {
		value := variables.Get(match[1 : len(match)-1]).Get("default")
		if value == nil || value.Kind == document.Array || value.Kind == document.Object {
			return match
		}
		return value.Text
	})
}

// cutHost cuts a URL behind its host. A URL without one is all path.
func cutHost(text string) (host, path string) {
	start := strings.Index(text, "//")
	if start < 0 {
		return "", text
	}
	if slash := strings.IndexByte(text[start+2:], '/'); slash >= 0 {
		return text[:start+2+slash], text[start+2+slash:]
	}
	return text, ""
}

// elsewhere says why an operation cannot be judged that another host than the proved one serves.
func (r *reader) elsewhere(at server) string {
	if at.host == "" || at.host == r.server.host || r.cfg.Target != nil && strings.EqualFold(at.host, r.cfg.Target.Host) {
		return ""
	}
	return "is served by " + document.Plain(at.url) + ": prove that address on its own"
}
