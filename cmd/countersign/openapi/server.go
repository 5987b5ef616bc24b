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
}

// documentServer picks the server of the document. Every entry has to be right: a path that is not there would be missing from all routes.
func (r *reader) documentServer(n *document.Node) server {
	all, problems := r.readServers(n)
	for _, problem := range problems {
		r.fail(problem)
	}
	wanted := strings.TrimSuffix(r.cfg.Server, "/")
	switch {
	case wanted != "" && len(all) == 0:
		r.failf(r.library.start, "the document names no server, and %s is asked for; leave it out", document.Quote(wanted))
	case wanted != "":
		for _, s := range all {
			if strings.TrimSuffix(s.written, "/") == wanted || strings.TrimSuffix(s.url, "/") == wanted {
				return s
			}
		}
		r.failf(n.Place, "the server %s is none of these; take one of them, such as %s", document.Quote(wanted), document.Quote(all[0].url))
	}
	s, chosen := r.choose(all)
	if i := slices.IndexFunc(all, func(other server) bool { return other.base != s.base }); i >= 0 && !chosen && wanted == "" {
		r.notef(n.Place, "the paths are taken to stand behind %q, as of the first server; --server %s would be another", s.base+"/", document.Plain(all[i].url))
	}
	return s
}

// ownServer picks the server of an operation, or says why the operation cannot be judged: another host than the proved one serves it.
func (r *reader) ownServer(n *document.Node) (s server, why string) {
	all, _ := r.readServers(n)
	if len(all) == 0 && n.Kind == document.Array && len(n.Items) > 0 {
		return server{}, "is served at an address that its servers do not say"
	}
	s, chosen := r.choose(all)
	if s.host != "" && !chosen && s.host != r.server.host {
		return s, "is served by " + document.Plain(s.url) + ": prove that address on its own"
	}
	return s, ""
}

// choose prefers the server at the proved address to the first one. OpenAPI 3.1.0, Section 4.8.1: without any it is "/".
func (r *reader) choose(all []server) (s server, chosen bool) {
	if len(all) == 0 {
		return server{}, false
	}
	for _, s := range all {
		if r.cfg.Target != nil && s.host != "" && strings.EqualFold(s.host, r.cfg.Target.Host) {
			return s, true
		}
	}
	return all[0], false
}

func (r *reader) readServers(n *document.Node) (all []server, problems []error) {
	if !r.is(n, document.Array, "servers") || !r.spend(lookUps*len(n.Items)) {
		return nil, nil
	}
	for _, item := range n.Items {
		if !r.members(item, "a server", []string{"url", "description", "variables"}) {
			continue
		}
		s, err := r.readServer(item)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		if s.host != "" && !r.hosts[s.host] {
			r.hosts[s.host] = true
			r.out.Hosts = append(r.out.Hosts, s.host)
		}
		all = append(all, s)
	}
	return all, problems
}

func (r *reader) readServer(n *document.Node) (server, error) {
	address := n.Get("url")
	if address == nil || address.Kind != document.String {
		return server{}, n.Place.Errorf("the server has no url; write one, such as https://api.example.com/v1")
	}
	s := server{written: address.Text}
	s.url = r.expand(s.written, n.Get("variables"))
	if host, path := cutHost(s.url); strings.ContainsAny(path, "{}") {
		name := variable.FindString(path)
		return server{}, address.Place.Errorf("the variable %s of the server's path has no value; write variables: {%s: {default: …}} beside url",
			document.Quote(name), document.Plain(strings.Trim(name, "{}")))
	} else if strings.ContainsAny(host, "{}") {
		// Where the service is comes from the command line; only the path counts.
		s.url = path
	}
	u, err := url.Parse(s.url)
	switch {
	case err != nil || u.Opaque != "" || u.Scheme != "" && u.Scheme != "https" && u.Scheme != "http" || u.Scheme != "" && u.Host == "":
		return server{}, address.Place.Errorf("the server %s is no web address; write one such as https://api.example.com/v1, or a path", document.Quote(s.url))
	case u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return server{}, address.Place.Errorf("the server's url has more than scheme, host and path; write it as https://api.example.com/v1")
	}
	s.host = u.Host
	if s.base = strings.Trim(u.EscapedPath(), "/"); s.base == "." {
		s.base = ""
	}
	if s.base != "" {
		s.base = "/" + s.base
	}
	return s, nil
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
