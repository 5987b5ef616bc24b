package config

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// kind is what a member of the file may hold.
type kind int

const (
	kindText kind = iota
	kindNumber
	kindBool
	kindDuration
	kindList
	kindTable  // a mapping with names of the user's
	kindObject // a mapping with members of ours
)

// A shape is one member as the struct and its tags say it. The loader, the JSON schema and docs/config.md are made of it.
//
// Beside yaml, doc, default and enum there are the tags
//
//	required  "true": a file without it is refused
//	format    the name of one of [formats], for a text, or for the items of a list, or for the values of a table
//	keys      the same for the names in a table
//	min, max  bounds of a number or a duration; of a list, how many items
//	merge     "replace": an overlay that writes it takes all of it; what the file proper says does not shine through
type shape struct {
	key, path     string // path has no indexes: clients.scopes
	kind          kind
	doc, fallback string // fallback is the default
	required      bool
	replaced      bool
	enum          []string
	format, keys  *format
	min, max      string
	members       []*shape // of an object
	element       *shape   // of a list or a table
	field         int      // its index in the struct
}

// root is the shape of the file, without environments.
var root = sync.OnceValue(func() *shape { return shapeOf(reflect.TypeFor[Config](), &shape{}) })

var durationType = reflect.TypeFor[time.Duration]()

func shapeOf(t reflect.Type, s *shape) *shape {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == durationType:
		s.kind = kindDuration
	case t.Kind() == reflect.String:
		s.kind = kindText
	case t.Kind() == reflect.Int:
		s.kind = kindNumber
	case t.Kind() == reflect.Bool:
		s.kind = kindBool
	case t.Kind() == reflect.Slice:
		s.kind = kindList
		s.element = shapeOf(t.Elem(), &shape{path: s.path, format: s.format, required: true})
	case t.Kind() == reflect.Map:
		s.kind = kindTable
		s.element = shapeOf(t.Elem(), &shape{path: s.path, format: s.format})
	case t.Kind() == reflect.Struct:
		s.kind = kindObject
		s.fields(t)
	default:
		panic("config: no member can be a " + t.String())
	}
	return s
}

func (s *shape) fields(t reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		key := f.Tag.Get("yaml")
		if key == "" {
			continue
		}
		m := &shape{
			key: key, path: strings.TrimPrefix(s.path+"."+key, "."), field: i,
			doc: f.Tag.Get("doc"), fallback: f.Tag.Get("default"),
			required: f.Tag.Get("required") == "true", replaced: f.Tag.Get("merge") == "replace",
			format: formatNamed(f.Tag.Get("format")), keys: formatNamed(f.Tag.Get("keys")),
			min: f.Tag.Get("min"), max: f.Tag.Get("max"),
		}
		if enum := f.Tag.Get("enum"); enum != "" {
			m.enum = strings.Split(enum, ",")
		}
		s.members = append(s.members, shapeOf(f.Type, m))
	}
}

func (s *shape) member(key string) *shape {
	for _, m := range s.members {
		if m.key == key {
			return m
		}
	}
	return nil
}

// find returns the member with the path, such as "pool.name", and nil if there is none.
func (s *shape) find(path string) *shape {
	for key := range strings.SplitSeq(path, ".") {
		if s != nil && s.kind == kindList {
			s = s.element
		}
		if s == nil {
			return nil
		}
		s = s.member(key)
	}
	return s
}

func (s *shape) keysOf() []string {
	var all []string
	for _, m := range s.members {
		all = append(all, m.key)
	}
	return all
}

// named reports whether the shape is a list whose items have names: an overlay's items go to those of the same name.
func (s *shape) named() bool {
	return s.kind == kindList && s.element.kind == kindObject && s.element.member("name") != nil
}

// holders returns the objects, by path, that have a member of this name; the file itself is "".
func (s *shape) holders(key string) []string {
	var all []string
	for _, m := range s.members {
		if m.key == key {
			all = append(all, s.path)
		}
		inner := m
		if m.kind == kindList {
			inner = m.element
		}
		all = append(all, inner.holders(key)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// number is a bound; a test holds that each is one.
func number(text string) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil
}
