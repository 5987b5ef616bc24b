package prove

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign"
)

// errShadowed is for routes of which every example path is served by another route.
var errShadowed = errors.New("the example paths are all served by other routes; give its parameters values")

// finder knows which route of the policy serves a request. It is net/http's own mux over the patterns.
type finder struct {
	mux      http.ServeMux
	public   map[string]bool    // the patterns that let everyone in
	values   map[string]string  // of the wildcards
	examples map[string]Example // by pattern
	made     bool               // what has no value is made up
}

// example is what the requests of a route are made of.
func (f *finder) example(route countersign.Route) *Example {
	e := f.examples[route.Pattern]
	e.Made = e.Made || f.made && f.lacksValue(route, e)
	return &e
}

// lacksValue says whether a request of the route names something of which nobody said that it exists.
func (f *finder) lacksValue(route countersign.Route, e Example) bool {
	for _, m := range wildcards.FindAllStringSubmatch(route.Path, -1) {
		_, own := e.Values[m[1]]
		if _, given := f.values[m[1]]; !own && !given && m[1] != "$" {
			return true
		}
	}
	return strings.HasSuffix(route.Path, "/")
}

var wildcards = regexp.MustCompile(`\{([^{}]*?)(?:\.\.\.)?\}`)

func newFinder(p countersign.Policy, values map[string]string, examples map[string]Example) *finder {
	f := &finder{public: map[string]bool{}, values: values, examples: examples}
	for _, route := range p.Routes {
		f.add(route.Pattern)
		if isOpen(route.Rule) {
			f.public[route.Pattern] = true
		}
	}
	return f
}

// add leaves out what conflicts: the policy of two muxes may have one pattern twice.
func (f *finder) add(pattern string) {
	defer func() { _ = recover() }()
	f.mux.Handle(pattern, http.NotFoundHandler())
}

// serves says whether a request of the method to an example path is the route's.
func (f *finder) serves(method string, route countersign.Route) bool {
	_, err := f.path(method, route)
	return err == nil
}

// path is an example path of the route, escaped: one that no other route of the policy serves.
func (f *finder) path(method string, route countersign.Route) (string, error) {
	for _, example := range []string{"1", "example", "countersign-example"} {
		path := f.fill(route, example)
		u, err := pathURL(path)
		if err != nil {
			return "", err
		}
		r := &http.Request{Method: method, Host: route.Host, URL: u}
		if _, found := f.mux.Handler(r); found == route.Pattern {
			return path, nil
		}
	}
	return "", errShadowed
}

// fill writes values in the place of wildcards. A subtree is tried at its root, and below it when the root is another route's.
func (f *finder) fill(route countersign.Route, example string) string {
	segments := strings.Split(route.Path, "/")
	for i, segment := range segments {
		name, wild := strings.CutPrefix(segment, "{")
		name = strings.TrimSuffix(strings.TrimSuffix(name, "}"), "...")
		value, given := f.examples[route.Pattern].Values[name]
		if !given {
			value, given = f.values[name]
		}
		switch {
		case !wild:
			if value = segment; segment == "" && i == len(segments)-1 && example != "1" {
				value = example
			}
			if plain, err := url.PathUnescape(segment); err == nil && segment != "" {
				value = plain
			}
		case name == "$":
			value = ""
		case !given:
			value = example
		}
		segments[i] = url.PathEscape(value)
	}
	return strings.Join(segments, "/")
}

// request builds the request of a case around the token. What it must be admitted with looks like a real call: a JSON object where
// the method has a body. What must be refused has no body, so that a service which does not refuse it does least.
func (f *finder) request(ctx context.Context, c Case, token string) (*http.Request, error) {
	method, path, err := f.plain(c)
	if err != nil {
		return nil, err
	}
	d := detoured{method, path, http.Header{}}
	if c.detour != nil {
		c.detour.change(&d)
	}
	var body []byte
	if len(c.Answers) == 0 && !c.probe {
		if body = c.example.Body; body == nil && (method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch) {
			body = []byte("{}")
		}
	}
	r, err := http.NewRequestWithContext(ctx, d.method, "/", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if r.URL, err = pathURL(d.path); err != nil {
		return nil, err
	}
	r.Header, r.Host, r.URL.RawQuery = d.header, c.Route.Host, c.example.Query
	r.Header.Set("Accept", "*/*")
	for name, values := range c.example.Header {
		r.Header[http.CanonicalHeaderKey(name)] = slices.Clone(values)
	}
	if body != nil {
		r.Header.Set("Content-Type", cmp.Or(c.example.ContentType, "application/json"))
	}
	if c.probe {
		r.Header.Set(probeHeader, strings.Join(c.asked, " "))
	}
	send(r, c, token)
	return r, nil
}

// plain is the method and the escaped path of a case that says plainly which route it means.
func (f *finder) plain(c Case) (method, path string, err error) {
	err = errShadowed
	for _, method := range methods(cmp.Or(c.Method, c.Route.Method)) {
		if path, err = f.path(method, c.Route); err == nil {
			return method, path, nil
		}
	}
	return "", "", err
}

// methods are those to try for a route: a route for every method is asked with the first that no other route takes.
func methods(method string) []string {
	if method != "" {
		return []string{method}
	}
	return []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch}
}

// send puts the token where the recipe says.
func send(r *http.Request, c Case, token string) {
	fields := c.Make.Send
	if fields == nil && (c.Scopes != nil || c.Make.changes()) {
		fields = []string{"Authorization: Bearer {token}"}
	}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ":")
		r.Header.Add(name, strings.ReplaceAll(strings.TrimSpace(value), "{token}", token))
	}
	if c.Make.Query != "" {
		query := strings.ReplaceAll(c.Make.Query, "{token}", url.QueryEscape(token))
		r.URL.RawQuery = strings.TrimPrefix(r.URL.RawQuery+"&"+query, "&")
	}
}
