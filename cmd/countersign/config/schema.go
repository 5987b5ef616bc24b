package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
)

// Schema is the JSON Schema (draft 2020-12) of the file, for editors. It knows every member, type, pattern and bound; what holds
// members to each other is said by [Load] alone. It is indented, in the order of the struct, and ends in a newline.
func Schema() []byte {
	s := root()
	file := ordered{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"title", "countersign.yaml"},
		{"description", "A microservice, its Cognito user pool, its scopes and clients, and where it runs."},
	}
	file = append(file, objectSchema(s, false)...)
	overlay := append(ordered{{"description", "what differs in this environment"}}, objectSchema(s, true)...)
	environments := ordered{
		{"type", "object"},
		{"description", "overlays, by the name of the environment: mappings merge, clients and scopes merge by name, other lists replace, null takes away"},
		{"propertyNames", textSchema(formatNamed("label"))},
		{"additionalProperties", withType(overlay, "object", true)},
	}
	properties, _ := file.get("properties").(ordered)
	file = file.set("properties", append(properties, pair{environmentsKey, environments}))
	// What is missing here may stand in the environments.
	file = append(file,
		pair{"if", ordered{{"not", ordered{{"required", []string{environmentsKey}}}}}},
		pair{"then", requiredSchema(s)})
	var out bytes.Buffer
	w := json.NewEncoder(&out)
	w.SetEscapeHTML(false)
	w.SetIndent("", "  ")
	if err := w.Encode(file); err != nil {
		panic("config: a schema that is no JSON: " + err.Error()) // it has texts, numbers and lists only
	}
	return out.Bytes()
}

// requiredSchema demands the members that a file without environments must have. Items of lists have theirs with them.
func requiredSchema(s *shape) ordered {
	var names []string
	var properties ordered
	for _, m := range s.members {
		if m.kind == kindObject {
			if inner := requiredSchema(m); inner != nil {
				names = append(names, m.key)
				properties = append(properties, pair{m.key, inner})
			}
		} else if m.required {
			names = append(names, m.key)
		}
	}
	if names == nil {
		return nil
	}
	out := ordered{{"required", names}}
	if properties != nil {
		out = append(out, pair{"properties", properties})
	}
	return out
}

func objectSchema(s *shape, overlay bool) ordered {
	var properties ordered
	for _, m := range s.members {
		properties = append(properties, pair{m.key, memberSchema(m, overlay)})
	}
	out := withType(nil, "object", overlay && s.path != "")
	out = append(out, pair{"properties", properties}, pair{"additionalProperties", false})
	if s.replaced && !overlay {
		out = append(out, pair{"maxProperties", 1})
	}
	return out
}

func memberSchema(s *shape, overlay bool) ordered {
	out := ordered{{"description", s.doc}}
	switch s.kind {
	case kindObject:
		return append(out, objectSchema(s, overlay)...)
	case kindList:
		out = append(withType(out, "array", overlay), listSchema(s, overlay)...)
	case kindTable:
		out = append(withType(out, "object", overlay), tableSchema(s, overlay)...)
	case kindNumber:
		out = append(withType(out, "integer", overlay), boundsSchema(s, "minimum", "maximum")...)
	case kindBool:
		out = withType(out, "boolean", overlay)
	case kindDuration:
		out = append(withType(out, "string", overlay), pair{"pattern", durationText.String()})
	default:
		out = append(withType(out, "string", overlay), textSchema(s.format)...)
		if s.enum != nil {
			out = append(out, pair{"enum", enumSchema(s.enum, overlay)})
		}
	}
	if value := s.literal(); value != nil && !overlay {
		out = append(out, pair{"default", value})
	}
	return out
}

func listSchema(s *shape, overlay bool) ordered {
	out := boundsSchema(s, "minItems", "maxItems")
	if s.element.kind != kindObject {
		item := append(ordered{{"type", "string"}}, textSchema(s.element.format)...)
		return append(out, pair{"uniqueItems", true}, pair{"items", item})
	}
	item := objectSchema(s.element, overlay).set("type", "object")
	var names []string
	for _, m := range s.element.members {
		if m.key == "name" || m.required && !overlay {
			names = append(names, m.key)
		}
	}
	return append(out, pair{"items", append(item, pair{"required", names})})
}

func tableSchema(s *shape, overlay bool) ordered {
	out := boundsSchema(s, "", "maxProperties")
	if s.keys != nil {
		out = append(out, pair{"propertyNames", textSchema(s.keys)})
	}
	return append(out, pair{"additionalProperties", append(withType(nil, "string", overlay), textSchema(s.element.format)...)})
}

func textSchema(f *format) ordered {
	if f == nil {
		return nil
	}
	out := ordered{}
	if f.pattern != nil {
		out = append(out, pair{"pattern", f.pattern.String()})
	}
	if f.max > 0 {
		out = append(out, pair{"maxLength", f.max})
	}
	return out
}

func enumSchema(words []string, overlay bool) []any {
	var all []any
	for _, word := range words {
		all = append(all, word)
	}
	if overlay {
		all = append(all, nil)
	}
	return all
}

func boundsSchema(s *shape, least, most string) ordered {
	var out ordered
	if n, bounded := number(s.min); bounded && least != "" {
		out = append(out, pair{least, n})
	}
	if n, bounded := number(s.max); bounded {
		out = append(out, pair{most, n})
	}
	return out
}

// withType sets the type, and in an overlay the null that takes the value away.
func withType(o ordered, name string, nullable bool) ordered {
	if nullable {
		return o.set("type", []string{name, "null"})
	}
	return o.set("type", name)
}

// literal is the default where it is a value.
func (s *shape) literal() any {
	switch {
	case s.fallback == "" || s.refers() || s.computed():
		return nil
	case s.kind == kindNumber:
		n, _ := strconv.Atoi(s.fallback) // a test holds the tags
		return n
	case s.kind == kindBool:
		return s.fallback == "true"
	case s.kind == kindList:
		return listDefault(s.fallback)
	}
	return s.fallback
}

// durationText are the durations that are written: those of Go, from hours to seconds.
var durationText = regexp.MustCompile(`^([0-9]{1,9}(\.[0-9]{1,9})?[hms]){1,3}$`)

// ordered is a JSON object whose members stay in their order.
type ordered []pair

type pair struct {
	key   string
	value any
}

func (o ordered) get(key string) any {
	for _, p := range o {
		if p.key == key {
			return p.value
		}
	}
	return nil
}

func (o ordered) set(key string, value any) ordered {
	for i := range o {
		if o[i].key == key {
			o[i].value = value
			return o
		}
	}
	return append(o, pair{key, value})
}

// MarshalJSON implements [json.Marshaler].
func (o ordered) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	w := json.NewEncoder(&out)
	w.SetEscapeHTML(false)
	out.WriteByte('{')
	for i, p := range o {
		if i > 0 {
			out.WriteByte(',')
		}
		for j, part := range []any{p.key, p.value} {
			if j > 0 {
				out.WriteByte(':')
			}
			if err := w.Encode(part); err != nil {
				return nil, fmt.Errorf("member %s: %w", p.key, err)
			}
		}
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}
