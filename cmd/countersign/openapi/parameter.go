package openapi

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/document"
)

// unsent are the header fields that no example has. OpenAPI 3.1.0, Section 4.8.12.1: parameters named Accept, Content-Type and Authorization
// are ignored. The others are what is proved, or the connection's.
var unsent = []string{"accept", "content-type", "authorization", "proxy-authorization", "cookie", "host", "connection", "content-length",
	"transfer-encoding", "expect", "upgrade"}

// parameters are what the requests of an operation need beside a body.
type parameters struct {
	path   map[string]pathParameter
	query  url.Values
	header http.Header
}

// pathParameter is the value of one parameter of a path.
type pathParameter struct {
	value string
	given bool // by an example, a default or a list of values: it may name something that exists
}

// first is the value, or what package prove takes when nothing is known.
func (p pathParameter) first() string {
	if p.value == "" {
		return "1" // an empty segment would be another path
	}
	return p.value
}

// parameters reads those of the path and of the operation, which override them by name and place (OpenAPI 3.1.0, Section 4.8.10).
func (r *reader) parameters(lists ...*document.Node) parameters {
	out := parameters{path: map[string]pathParameter{}, query: url.Values{}, header: http.Header{}}
	byKey := map[string]*document.Node{}
	var order []string
	for _, list := range lists {
		if !r.is(list, document.Array, "parameters") || !r.spend(len(list.Items)) {
			continue
		}
		if len(list.Items) > maxParameters {
			r.failf(list.Place, "more than %d parameters", maxParameters)
			continue
		}
		for _, item := range list.Items {
			n := r.follow(item)
			if !r.is(n, document.Object, "a parameter") {
				continue
			}
			key := r.text(n.Get("in"), "in") + " " + r.text(n.Get("name"), "name")
			if byKey[key] == nil {
				order = append(order, key)
			}
			byKey[key] = n
		}
	}
	for _, key := range order {
		where, name, _ := strings.Cut(key, " ")
		r.parameter(&out, byKey[key], where, name)
	}
	return out
}

func (r *reader) parameter(out *parameters, n *document.Node, where, name string) {
	if name == "" {
		r.failf(n.Place, "the parameter has no name")
		return
	}
	switch where {
	case "path":
		value, given := r.parameterValue(n)
		out.path[name] = pathParameter{pathStyle(value, r.styleOf(n, "simple"), name), given}
	case "query":
		if r.flag(n.Get("required"), "required") {
			value, _ := r.parameterValue(n)
			addQuery(out.query, value, r.styleOf(n, "form"), name)
		}
	case "header":
		if r.flag(n.Get("required"), "required") && !slices.Contains(unsent, strings.ToLower(name)) {
			value, _ := r.parameterValue(n)
			if text := pathStyle(value, style{name: "simple"}, name); validHeader(name, text) {
				out.header.Set(name, text)
			}
		}
	case "cookie": // a session of a made-up value is none; package prove sends no cookies but its own
	default:
		p := n.Place
		if in := n.Get("in"); in != nil {
			p = in.Place
		}
		r.failf(p, "the parameter %s is in %s; write path, query, header or cookie", document.Quote(name), document.Quote(where))
	}
}

// validHeader says whether net/http would send the field. RFC 9110, Section 5.1: a name is a token; one line end in a value would begin
// another field.
func validHeader(name, value string) bool {
	token := !strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c) })
	return token && !strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f })
}

// parameterValue is an example of a parameter, and whether the document gives it.
func (r *reader) parameterValue(n *document.Node) (value *document.Node, given bool) {
	if value := r.example(n); value != nil {
		return value, true
	}
	schema := n.Get("schema")
	if content := n.Get("content"); content != nil && content.Kind == document.Object && len(content.Members) > 0 {
		media := content.Members[0]
		if value = r.example(media.Value); value == nil {
			value = r.sample(media.Value.Get("schema"))
		} else {
			given = true
		}
		if isJSON(media.Name) {
			if text, err := value.JSON(maxSample); err == nil {
				value = &document.Node{Place: value.Place, Kind: document.String, Text: string(text)}
			}
		}
		return value, given
	}
	return r.sample(schema), r.isGiven(schema)
}

// example is what stands beside a schema: example, or the first of examples (OpenAPI 3.1.0, Sections 4.8.12.2 and 4.8.14.1).
func (r *reader) example(n *document.Node) *document.Node {
	if value := n.Get("example"); value != nil && value.Kind != document.Null {
		return value
	}
	examples := n.Get("examples")
	if examples == nil || examples.Kind != document.Object {
		return nil
	}
	for _, m := range examples.Members {
		if value := r.follow(m.Value).Get("value"); value != nil {
			return value
		}
	}
	return nil
}

// style says how a value that is no single word is written.
type style struct {
	name    string
	explode bool
}

// styleOf reads style and explode. OpenAPI 3.1.0, Section 4.8.12.2: explode is true for form, and false for the others, unless stated.
func (r *reader) styleOf(n *document.Node, otherwise string) style {
	s := style{name: otherwise}
	if given := r.text(n.Get("style"), "style"); given != "" {
		s.name = given
	}
	s.explode = s.name == "form"
	if explode := n.Get("explode"); explode != nil {
		s.explode = r.flag(explode, "explode")
	}
	return s
}

// pathStyle writes a value into a path (OpenAPI 3.1.0, Section 4.8.12.3, styles simple, label and matrix).
func pathStyle(n *document.Node, s style, name string) string {
	words, pairs := wordsOf(n)
	separator, assign := ",", ","
	if s.explode {
		assign = "="
	}
	front := ""
	switch s.name {
	case "label":
		front = "."
		if s.explode {
			separator = "."
		}
	case "matrix":
		front = ";" + name + "="
		if s.explode && n.Kind == document.Array {
			separator = front
		}
		if s.explode && n.Kind == document.Object {
			front, separator = ";", ";"
		}
	}
	for _, pair := range pairs {
		words = append(words, pair[0]+assign+pair[1])
	}
	return front + strings.Join(words, separator)
}

// addQuery writes a value into a query (styles form, spaceDelimited, pipeDelimited and deepObject).
func addQuery(query url.Values, n *document.Node, s style, name string) {
	words, pairs := wordsOf(n)
	separator := map[string]string{"spaceDelimited": " ", "pipeDelimited": "|"}[s.name]
	if separator == "" {
		separator = ","
	}
	switch {
	case s.name == "deepObject":
		for _, pair := range pairs {
			query.Add(name+"["+pair[0]+"]", pair[1])
		}
	case s.explode && len(pairs) > 0:
		for _, pair := range pairs {
			query.Add(pair[0], pair[1])
		}
	case s.explode:
		query[name] = append(query[name], words...)
	default:
		for _, pair := range pairs {
			words = append(words, pair[0], pair[1])
		}
		query.Add(name, strings.Join(words, separator))
	}
}

// wordsOf takes a value apart: one word for a scalar, one for each item of an array, pairs for an object.
func wordsOf(n *document.Node) (words []string, pairs [][2]string) {
	switch n.Kind {
	case document.Array:
		for _, item := range n.Items {
			words = append(words, word(item))
		}
	case document.Object:
		for _, m := range n.Members {
			pairs = append(pairs, [2]string{m.Name, word(m.Value)})
		}
	default:
		words = []string{word(n)}
	}
	return words, pairs
}

// word is a scalar as text, and anything else as JSON.
func word(n *document.Node) string {
	if n.Kind == document.Array || n.Kind == document.Object {
		text, err := n.JSON(maxSample)
		if err != nil {
			return ""
		}
		return string(text)
	}
	return n.Text
}
