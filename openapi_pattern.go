package countersign

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// openAPIMethods are the fixed fields of a Path Item Object, in the order of the specification
// (OpenAPI 3.1.0, Section 4.8.9.1).
var openAPIMethods = []string{
	http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete,
	http.MethodOptions, http.MethodHead, http.MethodPatch, http.MethodTrace,
}

// routePattern is a pattern of [http.ServeMux] taken apart, and what OpenAPI calls the same thing.
type routePattern struct {
	text               string // as it was registered
	method, host, path string
	template           string   // the path as OpenAPI writes it
	names              []string // of the wildcards, in the order of the path
}

// parseRoutePattern takes a pattern apart. It asks net/http whether the pattern is one, so that there is one grammar.
func parseRoutePattern(text string) (p routePattern, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("not a pattern of net/http: %v", r)
		}
	}()
	http.NewServeMux().Handle(text, http.NotFoundHandler())
	p.text = text
	rest := text
	if i := strings.IndexAny(text, " \t"); i >= 0 {
		p.method, rest = text[:i], strings.TrimLeft(text[i+1:], " \t")
	}
	slash := strings.IndexByte(rest, '/')
	p.host, p.path = rest[:slash], rest[slash:]
	p.template, p.names = pathTemplate(p.path)
	return p, nil
}

// pathTemplate writes the path of a pattern as a path of OpenAPI: {rest...} becomes {rest}, /x/{$} becomes /x/.
func pathTemplate(path string) (template string, names []string) {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if !strings.HasPrefix(segment, "{") {
			segments[i] = escapeLiteral.Replace(segment)
			continue
		}
		name := strings.TrimSuffix(strings.Trim(segment, "{}"), "...")
		if name == "$" {
			segments[i] = ""
			continue
		}
		segments[i] = "{" + name + "}"
		names = append(names, name)
	}
	return strings.Join(segments, "/"), names
}

// A literal segment that holds one of these would be read as the end of the path, or as a parameter.
var escapeLiteral = strings.NewReplacer("{", "%7B", "}", "%7D", "?", "%3F", "#", "%23")

// shape is the template without the names of its wildcards. OpenAPI forbids two paths of one shape
// (OpenAPI 3.1.0, Section 4.8.8.2): they share a Path Item.
func (p routePattern) shape() string { return shapeOf(p.template) }

func shapeOf(template string) string {
	segments := strings.Split(template, "/")
	for i, segment := range segments {
		if strings.HasPrefix(segment, "{") {
			segments[i] = "{}"
		}
	}
	return strings.Join(segments, "/")
}

// plainPattern is the pattern that a bare operation of OpenAPI stands for. A path that ends in a slash is
// that one path in OpenAPI and a whole subtree in net/http, hence the {$}.
func plainPattern(method, template string) string {
	if strings.HasSuffix(template, "/") {
		template += "{$}"
	}
	return method + " " + template
}

// fits says whether the pattern can stand at this place of a document: a file that shows one path
// to its reviewer and means another must not be read.
func (p routePattern) fits(method, template string) bool {
	return p.shape() == shapeOf(template) && (p.method == "" || p.method == method)
}

// operations are the methods under which OpenAPI lists the pattern; none when it has no word for its method.
func (p routePattern) operations() []string {
	if p.method == "" {
		return openAPIMethods
	}
	if slices.Contains(openAPIMethods, p.method) {
		return []string{p.method}
	}
	return nil
}
