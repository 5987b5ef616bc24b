package cognito

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// A shape is a type of the cognito-idp API model: what JSON it is written as, and its constraints.
type shape struct {
	kind      kind
	min, max  int // of a string's or list's length, or of an integer; noLimit is none
	pattern   *pattern
	enum      []string
	sensitive bool // the value is left out of validation errors
	members   []member
	key, elem *shape
}

type kind string

const (
	kindString  kind = "string"
	kindInteger kind = "32-bit integer"
	kindBoolean kind = "boolean"
	kindList    kind = "list"
	kindObject  kind = "structure"
	kindMap     kind = "map"
)

const noLimit = -1

// A member is a named part of a structure. Names are case-sensitive, and unknown members are ignored, as AWS does.
type member struct {
	name     string
	shape    *shape
	required bool
}

func text(minLength, maxLength int, p *pattern) *shape {
	return &shape{kind: kindString, min: minLength, max: maxLength, pattern: p}
}

func secretText(minLength, maxLength int, p *pattern) *shape {
	s := text(minLength, maxLength, p)
	s.sensitive = true
	return s
}

func oneOf(values ...string) *shape {
	return &shape{kind: kindString, min: noLimit, max: noLimit, enum: values}
}

func integer(minimum, maximum int) *shape {
	return &shape{kind: kindInteger, min: minimum, max: maximum}
}

func boolean() *shape { return &shape{kind: kindBoolean} }

func list(minLength, maxLength int, elem *shape) *shape {
	return &shape{kind: kindList, min: minLength, max: maxLength, elem: elem}
}

func mapOf(key, value *shape) *shape { return &shape{kind: kindMap, key: key, elem: value} }

func object(members ...member) *shape { return &shape{kind: kindObject, members: members} }

func required(name string, s *shape) member { return member{name, s, true} }
func optional(name string, s *shape) member { return member{name, s, false} }

// A pattern is a regular expression that the whole value must match. It is compiled when it is first used: a program
// that only issues tokens needs none.
type pattern struct {
	text    string
	compile func() *regexp.Regexp
}

func matching(text string) *pattern {
	return &pattern{text, sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\A(?:` + text + `)\z`) })}
}

// check holds the input of a typed operation to its shape.
func check(s *shape, input any) error {
	raw, err := json.Marshal(reveal(input))
	if err != nil {
		return &APIError{Code: CodeSerialization, Message: "a setting is not JSON", Status: 400}
	}
	_, err = s.read(raw)
	return err
}

// read decodes JSON of this shape and returns it without what the shape does not know. The error says everything that
// is wrong with it, in AWS's words.
func (s *shape) read(raw []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return nil, apiError(CodeSerialization, "the request body is not JSON")
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, apiError(CodeSerialization, "the request body has more than one JSON value")
	}
	r := reader{}
	known := r.value(s, value, "", "")
	if r.mismatch != nil {
		return nil, r.mismatch
	}
	return known, r.found.asError()
}

// A reader walks a value along its shape.
type reader struct {
	mismatch error // the first value of a wrong type
	found    violations
}

// value reads v at a path, which has two spellings: the caller's (Scopes[0].ScopeName) and that of AWS's validation
// errors (scopes.1.member.scopeName).
func (r *reader) value(s *shape, v any, path, awsPath string) any {
	switch s.kind {
	case kindObject:
		return r.object(s, v, path, awsPath)
	case kindList:
		return r.list(s, v, path, awsPath)
	case kindMap:
		return r.mapping(s, v, path, awsPath)
	case kindString:
		if _, ok := v.(string); !ok {
			return r.wrongType(s, v, path)
		}
	case kindBoolean:
		if _, ok := v.(bool); !ok {
			return r.wrongType(s, v, path)
		}
	case kindInteger:
		// The model's integers have 32 bits.
		n, ok := v.(json.Number)
		if _, err := strconv.ParseInt(n.String(), 10, 32); !ok || err != nil {
			return r.wrongType(s, v, path)
		}
	}
	r.constrain(s, v, awsPath)
	return v
}

func (r *reader) object(s *shape, v any, path, awsPath string) any {
	given, ok := v.(map[string]any)
	if !ok {
		return r.wrongType(s, v, path)
	}
	known := make(map[string]any, len(given))
	for _, m := range s.members {
		at, awsAt := join(path, m.name), join(awsPath, strings.ToLower(m.name[:1])+m.name[1:])
		switch value := given[m.name]; {
		case value != nil: // null is the same as absent
			known[m.name] = r.value(m.shape, value, at, awsAt)
		case m.required:
			r.found.add("null", awsAt, "Member must not be null")
		}
	}
	return known
}

func (r *reader) list(s *shape, v any, path, awsPath string) any {
	given, ok := v.([]any)
	if !ok {
		return r.wrongType(s, v, path)
	}
	r.constrain(s, v, awsPath)
	known, bad := make([]any, 0, len(given)), false
	for i, value := range given {
		inner := reader{}
		n := strconv.Itoa
		known = append(known, inner.value(s.elem, value, path+"["+n(i)+"]", awsPath+"."+n(i+1)+".member"))
		if r.mismatch == nil {
			r.mismatch = inner.mismatch
		}
		// AWS: a list of plain values has one violation for all its values together.
		if s.elem.members == nil && len(inner.found) > 0 {
			bad = true
		} else {
			r.found = append(r.found, inner.found...)
		}
	}
	if bad {
		r.found.add(s.elem.show(v), awsPath, "Member must satisfy constraint: ["+strings.Join(s.elem.rules(), ", ")+"]")
	}
	return known
}

func (r *reader) mapping(s *shape, v any, path, awsPath string) any {
	given, ok := v.(map[string]any)
	if !ok {
		return r.wrongType(s, v, path)
	}
	badKey, badValue := false, false
	for name, value := range given {
		inner := reader{}
		inner.constrain(s.key, name, "")
		badKey = badKey || len(inner.found) > 0
		inner = reader{}
		inner.value(s.elem, value, path+"["+strconv.Quote(clip(name))+"]", "")
		badValue = badValue || len(inner.found) > 0
		if r.mismatch == nil {
			r.mismatch = inner.mismatch
		}
	}
	if badKey {
		r.found.add(s.show(v), awsPath, "Map keys must satisfy constraint: ["+strings.Join(s.key.rules(), ", ")+"]")
	}
	if badValue {
		r.found.add(s.show(v), awsPath, "Map value must satisfy constraint: ["+strings.Join(s.elem.rules(), ", ")+"]")
	}
	return given
}

// constrain holds a value of the right type to the shape's constraints.
func (r *reader) constrain(s *shape, v any, awsPath string) {
	switch v := v.(type) {
	case string:
		n := utf8.RuneCountInString(v)
		r.limit(s, v, awsPath, n)
		if s.pattern != nil && !s.pattern.compile().MatchString(v) {
			r.found.add(s.show(v), awsPath, s.patternRule())
		}
		if s.enum != nil && !slices.Contains(s.enum, v) {
			r.found.add(s.show(v), awsPath, s.enumRule())
		}
	case []any:
		r.limit(s, v, awsPath, len(v))
	case json.Number:
		n, _ := strconv.Atoi(v.String()) // value has seen that it is one
		r.limit(s, v, awsPath, n)
	}
}

func (r *reader) limit(s *shape, v any, awsPath string, n int) {
	if s.max != noLimit && n > s.max {
		r.found.add(s.show(v), awsPath, s.maxRule())
	}
	if s.min != noLimit && n < s.min {
		r.found.add(s.show(v), awsPath, s.minRule())
	}
}

func (r *reader) wrongType(s *shape, v any, path string) any {
	if r.mismatch == nil {
		if path == "" {
			path = "the request body"
		}
		r.mismatch = apiError(CodeSerialization, "%s: want %s, got JSON %s", path, s.kind, jsonType(v))
	}
	return nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func jsonType(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case bool:
		return "boolean"
	case json.Number:
		return "number"
	case []any:
		return "array"
	}
	return "object"
}
