package openapi

import (
	"fmt"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/document"
)

// The bounds of what is made from a schema.
const (
	maxSample      = 64 << 10 // bytes, as JSON
	maxSampleDepth = 12       // of a schema that contains itself
	maxSampleItems = 1000     // values of one sample
	maxPatterns    = 500      // different ones of a document
	enoughDepth    = 3        // from which on an array may be empty: it may be of what contains it
)

// A sampler makes one value from a schema. A schema is a rule and not a recipe: what it makes fits the keywords that say what kind of
// value is meant, and is a plain one where they say more than that.
type sampler struct {
	r    *reader
	left int // values that may still be made
}

// sample makes a value; never nil.
func (r *reader) sample(schema *document.Node) *document.Node {
	s := &sampler{r: r, left: maxSampleItems}
	if n := s.value(schema, 0); n != nil {
		return n
	}
	return word1(document.Place{}, "1")
}

// isGiven says whether a schema names a value, so that none was made up.
func (r *reader) isGiven(schema *document.Node) bool {
	s := &sampler{r: r, left: maxSampleItems}
	return given(s.flatten(schema)) != nil
}

func word1(p document.Place, text string) *document.Node {
	return &document.Node{Place: p, Kind: document.String, Text: text}
}

// value makes a value of a schema, or nil if there is nothing to say.
func (s *sampler) value(schema *document.Node, depth int) *document.Node {
	if s.left--; s.left < 0 || depth > maxSampleDepth || schema == nil {
		return nil
	}
	parts := s.flatten(schema)
	if n := given(parts); n != nil {
		return n
	}
	switch p := schema.Place; typeOf(parts) {
	case "object":
		return s.object(p, parts, depth)
	case "array":
		return s.array(p, parts, depth)
	case "integer":
		return &document.Node{Place: p, Kind: document.Number, Text: number(parts, true)}
	case "number":
		return &document.Node{Place: p, Kind: document.Number, Text: number(parts, false)}
	case "boolean":
		return &document.Node{Place: p, Kind: document.Bool, Text: "true"}
	case "null":
		return &document.Node{Place: p, Kind: document.Null}
	default:
		return word1(p, s.text(parts))
	}
}

// flatten is a schema with those of its allOf, and the first of its anyOf and oneOf: all of them hold for the value.
func (s *sampler) flatten(schema *document.Node) []*document.Node {
	var parts []*document.Node
	var add func(n *document.Node, depth int)
	add = func(n *document.Node, depth int) {
		if n = s.r.follow(n); n == nil || n.Kind != document.Object || depth > maxSampleDepth || slices.Contains(parts, n) || len(parts) > maxSampleItems {
			return
		}
		if !s.r.spend(lookUps*len(n.Members) + len(parts)) {
			return
		}
		parts = append(parts, n)
		if all := n.Get("allOf"); all != nil {
			for _, sub := range all.Items {
				add(sub, depth+1)
			}
		}
		for _, word := range []string{"anyOf", "oneOf"} {
			if some := n.Get(word); some != nil {
				add(s.firstUseful(some.Items), depth+1)
			}
		}
	}
	add(schema, 0)
	return parts
}

// firstUseful passes over {"type": "null"}, which is how OpenAPI 3.1 says that a value may be missing.
func (s *sampler) firstUseful(schemas []*document.Node) *document.Node {
	for _, n := range schemas {
		if kind := s.r.follow(n).Get("type"); kind == nil || kind.Text != "null" {
			return n
		}
	}
	return nil
}

// keyword is the first of the schemas' members of that name.
func keyword(parts []*document.Node, name string) *document.Node {
	for _, n := range parts {
		if value := n.Get(name); value != nil {
			return value
		}
	}
	return nil
}

// given is a value that the schema names.
func given(parts []*document.Node) *document.Node {
	for _, name := range []string{"example", "examples", "default", "const", "enum"} {
		value := keyword(parts, name)
		if value != nil && (name == "examples" || name == "enum") {
			if value.Kind != document.Array || len(value.Items) == 0 {
				continue
			}
			value = value.Items[0]
		}
		if value != nil && value.Kind != document.Null {
			return value
		}
	}
	return nil
}

// typeOf is the type, or the one that the other keywords are about.
func typeOf(parts []*document.Node) string {
	if n := keyword(parts, "type"); n != nil {
		if n.Kind == document.String {
			return n.Text
		}
		for _, item := range n.Items { // JSON Schema 2020-12: a list of types
			if item.Kind == document.String && item.Text != "null" {
				return item.Text
			}
		}
	}
	for _, about := range []struct {
		kind  string
		words []string
	}{
		{"object", []string{"properties", "additionalProperties", "required"}},
		{"array", []string{"items", "minItems", "prefixItems"}},
		{"number", []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}},
	} {
		for _, name := range about.words {
			if keyword(parts, name) != nil {
				return about.kind
			}
		}
	}
	return "string"
}

// object has the properties that are required and that a request may have.
func (s *sampler) object(p document.Place, parts []*document.Node, depth int) *document.Node {
	out := &document.Node{Place: p, Kind: document.Object}
	var required []string
	for _, n := range parts {
		if list := n.Get("required"); list != nil && list.Kind == document.Array {
			for _, item := range list.Items {
				if len(required) < maxSampleItems && !slices.Contains(required, item.Text) {
					required = append(required, item.Text)
				}
			}
		}
	}
	for _, name := range required {
		var property *document.Node
		for _, n := range parts {
			properties := n.Get("properties")
			if properties == nil || !s.r.spend(len(properties.Members)) {
				continue
			}
			if property = properties.Get(name); property != nil {
				break
			}
		}
		// OpenAPI 3.0.3, Section 4.7.24.2: a readOnly property SHOULD NOT be sent as part of the request.
		if only := s.r.follow(property).Get("readOnly"); only != nil && only.Text == "true" {
			continue
		}
		value := s.value(property, depth+1)
		if value == nil {
			value = word1(p, "example")
		}
		out.Members = append(out.Members, document.Member{Name: name, Place: p, Value: value})
	}
	return out
}

func (s *sampler) array(p document.Place, parts []*document.Node, depth int) *document.Node {
	out := &document.Node{Place: p, Kind: document.Array}
	least, _ := size(keyword(parts, "minItems"))
	if depth < enoughDepth {
		least = max(least, 1)
	}
	if most, ok := size(keyword(parts, "maxItems")); ok {
		least = min(least, most)
	}
	for range least {
		value := s.value(keyword(parts, "items"), depth+1)
		if value == nil {
			break
		}
		out.Items = append(out.Items, value)
	}
	return out
}

// text makes a string that fits pattern or format, and the lengths.
func (s *sampler) text(parts []*document.Node) string {
	least, _ := size(keyword(parts, "minLength"))
	most, bounded := size(keyword(parts, "maxLength"))
	if pattern := keyword(parts, "pattern"); pattern != nil && pattern.Kind == document.String {
		if text := s.r.matching(pattern, least); text != "" {
			return text
		}
	}
	text := "example"
	if format := keyword(parts, "format"); format != nil && format.Kind == document.String {
		if formatted, known := formats[format.Text]; known {
			return formatted
		}
	}
	if len(text) < least {
		text += strings.Repeat("x", min(least, maxSample)-len(text))
	}
	if bounded && len(text) > most {
		text = text[:most]
	}
	return text
}

// matching is a text for a pattern, or empty with a note that there is none.
func (r *reader) matching(pattern *document.Node, least int) string {
	key := fmt.Sprint(least, " ", pattern.Text)
	text, known := r.matches[key]
	if !known && len(r.matches) < maxPatterns {
		text, _ = matching(pattern.Text, least)
		r.matches[key] = text
	}
	if text == "" {
		r.notef(pattern.Place, "no value is made for this pattern; write an example beside it")
	}
	return text
}

// formats are examples of the formats of OpenAPI and of JSON Schema. What they name is set aside for documentation.
var formats = map[string]string{
	"uuid":                  "00000000-0000-4000-8000-000000000000",
	"date":                  "2024-01-31",
	"date-time":             "2024-01-31T12:00:00Z",
	"time":                  "12:00:00Z",
	"duration":              "P1D",
	"email":                 "someone@example.com",
	"idn-email":             "someone@example.com",
	"hostname":              "www.example.com",
	"idn-hostname":          "www.example.com",
	"ipv4":                  "192.0.2.1",
	"ipv6":                  "2001:db8::1",
	"uri":                   "https://www.example.com/",
	"url":                   "https://www.example.com/",
	"iri":                   "https://www.example.com/",
	"uri-reference":         "/example",
	"iri-reference":         "/example",
	"json-pointer":          "/example",
	"relative-json-pointer": "0",
	"byte":                  "ZXhhbXBsZQ==",
	"int32":                 "1",
	"int64":                 "1",
	"float":                 "1",
	"double":                "1",
}
