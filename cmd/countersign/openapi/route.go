package openapi

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/cmd/countersign/document"
)

// draft is an operation that is still to find its place among the patterns.
type draft struct {
	Operation
	base string                   // the server's path
	path map[string]pathParameter // by name
}

// source is where an operation stands, for [countersign.Route.Source]: a base name, as the lines of Go code have it.
func source(p document.Place) string {
	return fmt.Sprintf("%s:%d", path.Base(strings.ReplaceAll(p.File, `\`, "/")), p.Line)
}

var wildcard = regexp.MustCompile(`\{([^{}]*)\}`)

// place gives an operation its pattern of net/http, which is how package prove finds the route that serves a request. The two agree but
// for this: OpenAPI lets a parameter be part of a segment, and lets a path with a parameter overlap another one. Such a path
// stands with the examples of its parameters in it.
func (r *reader) place(d draft) {
	defer func() { r.out.Operations = append(r.out.Operations, d.Operation) }()
	if strings.ContainsAny(d.Template, "?#") {
		d.refuse("has a query or a fragment in its path, which no path has; write the query as parameters")
		return
	}
	if rest := wildcard.ReplaceAllString(d.Template, ""); strings.ContainsAny(rest, "{}") {
		r.failf(d.Place, "the path %s has a brace without its partner; write a parameter as {name}", document.Quote(d.Template))
		return
	}
	if d.NotJudged != "" {
		// Its pattern is taken all the same, so that no example of another operation is meant for this one.
		d.Route = d.route(false)
		r.register(d.Route.Pattern)
		return
	}
	rule := d.Route.Rule
	for _, literal := range []bool{false, true} {
		d.Route = d.route(literal)
		d.Route.Rule = rule
		if err := r.register(d.Route.Pattern); err == nil {
			return
		}
	}
	d.refuse("is the same path as another operation's, or none that a request can have")
}

func (d *draft) refuse(why string) {
	d.NotJudged, d.Route.Rule = why, countersign.Rule{}
}

// register adds a pattern. net/http panics where two overlap and neither is the narrower one.
func (r *reader) register(pattern string) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%v", v)
		}
	}()
	r.mux.Handle(pattern, http.NotFoundHandler())
	return nil
}

// route writes the pattern. Literal writes the examples in the place of all parameters.
func (d *draft) route(literal bool) countersign.Route {
	d.Example.Values, d.Example.Made = map[string]string{}, false
	segments := strings.Split(d.Template, "/")
	for i, segment := range segments {
		match := wildcard.FindString(segment)
		if match != "" && match == segment && !literal {
			p := d.path[match[1:len(match)-1]]
			name := d.wildcardName(match[1 : len(match)-1])
			d.Example.Values[name], segments[i] = p.first(), "{"+name+"}"
			d.Example.Made = d.Example.Made || !p.given
			continue
		}
		segments[i] = d.fill(segment)
	}
	p := d.base + strings.Join(segments, "/")
	if strings.HasSuffix(p, "/") {
		p += "{$}" // OpenAPI means this one path, net/http would mean all beneath it
	}
	route := d.Route
	route.Pattern, route.Path = route.Method+" "+p, p
	return route
}

// fill writes a segment with the examples of its parameters.
func (d *draft) fill(segment string) string {
	filled := wildcard.ReplaceAllStringFunc(segment, func(match string) string {
		p := d.path[match[1:len(match)-1]]
		d.Example.Made = d.Example.Made || !p.given
		return url.PathEscape(p.first())
	})
	if plain, err := url.PathUnescape(filled); err == nil {
		return url.PathEscape(plain)
	}
	return url.PathEscape(filled)
}

// wildcardName makes a name that net/http takes, and that the pattern has not yet.
func (d *draft) wildcardName(name string) string {
	clean := strings.Map(func(c rune) rune {
		if c != '_' && !unicode.IsLetter(c) && !unicode.IsDigit(c) {
			return '_'
		}
		return c
	}, name)
	if first, _ := utf8.DecodeRuneInString(clean); !unicode.IsLetter(first) {
		clean = "_" + clean
	}
	for {
		if _, taken := d.Example.Values[clean]; !taken {
			return clean
		}
		clean += "_"
	}
}

// settle gives the parameters of each route values with which a request is served by that route: /users/{id} with the example
// "me" is /users/me, and may be another operation.
func (r *reader) settle() {
	for i := range r.out.Operations {
		op := &r.out.Operations[i]
		if op.NotJudged != "" || len(op.Example.Values) == 0 || r.served(*op) {
			continue
		}
		first := op.Example.Values
		for _, other := range []string{"1", "example", "countersign-example", "00000000-0000-4000-8000-000000000000"} {
			op.Example.Values = map[string]string{}
			for name := range first {
				op.Example.Values[name] = other
			}
			if r.served(*op) {
				op.Example.Made = true
				break
			}
		}
	}
}

// path is the escaped path of the operation's example.
func (o Operation) path() string {
	return wildcard.ReplaceAllStringFunc(o.Route.Path, func(match string) string {
		return url.PathEscape(o.Example.Values[match[1:len(match)-1]]) // nothing for {$}
	})
}

// served says whether a request with the operation's values is the operation's.
func (r *reader) served(op Operation) bool {
	escaped := op.path()
	plain, err := url.PathUnescape(escaped)
	if err != nil {
		return false
	}
	_, found := r.mux.Handler(&http.Request{Method: op.Route.Method, URL: &url.URL{Path: plain, RawPath: escaped}})
	return found == op.Route.Pattern
}
