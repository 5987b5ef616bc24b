package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/document"
)

// reader gathers what is wrong with a file while it fills a [Config].
type reader struct {
	problems Problems
	missing  bool              // whether a required member was
	values   map[string]*value // by the effective path; the file itself is ""
}

func (r *reader) fail(v *value, format string, args ...any) {
	r.failAt(v.Place, v.path, format, args...)
}

func (r *reader) failAt(p document.Place, path, format string, args ...any) {
	r.problems = append(r.problems, &Problem{Place: p, Path: path, Text: fmt.Sprintf(format, args...)})
}

func (r *reader) decode(tree *value, c *Config) {
	r.values = c.values
	r.values[""] = tree
	r.object(tree, root(), reflect.ValueOf(c).Elem(), "")
}

// value fills to with v, which the file has at the effective path.
func (r *reader) value(v *value, s *shape, to reflect.Value, path string) {
	if to.Kind() == reflect.Pointer {
		to.Set(reflect.New(to.Type().Elem()))
		to = to.Elem()
	}
	r.values[path] = v
	switch s.kind {
	case kindObject:
		r.object(v, s, to, path)
	case kindList:
		r.list(v, s, to, path)
	case kindTable:
		r.table(v, s, to, path)
	case kindNumber:
		r.number(v, s, to)
	case kindBool:
		if v.kind != document.Bool {
			r.wrongKind(v, "true or false")
			return
		}
		to.SetBool(v.text == "true")
	case kindDuration:
		r.duration(v, s, to)
	default:
		r.text(v, s, to)
	}
}

func (r *reader) wrongKind(v *value, want string) {
	if v.kind == document.Null {
		r.fail(v, "nothing is written here; write %s, or take the line away", want)
		return
	}
	r.fail(v, "is %s; write %s", kindWords[v.kind], want)
}

func (r *reader) object(v *value, s *shape, to reflect.Value, path string) {
	if v.kind != document.Object {
		if v.kind == document.String && s.member("name") != nil {
			r.wrongKind(v, "{name: "+document.Plain(v.text)+"}")
			return
		}
		r.wrongKind(v, "a mapping with "+strings.Join(s.keysOf(), ", "))
		return
	}
	present := map[string]bool{}
	for _, m := range v.members {
		inner := s.member(m.name)
		if inner == nil {
			r.failAt(m.Place, m.value.path, "unknown key%s", r.meant(m.name, s))
			present[nearest(m.name, s.keysOf())] = true // one mistake is said once
			continue
		}
		if m.value.kind == document.Null && strings.HasPrefix(m.value.path, environmentsKey+".") {
			r.values[strings.TrimPrefix(path+"."+m.name, ".")] = m.value
			continue // taken away
		}
		present[m.name] = true
		r.value(m.value, inner, to.Field(inner.field), strings.TrimPrefix(path+"."+m.name, "."))
	}
	for _, m := range s.members {
		if !present[m.key] {
			r.absent(v, m, path)
		}
	}
}

// absent reports a required member that is not there, and those within a section that is not.
func (r *reader) absent(v *value, m *shape, path string) {
	path = strings.TrimPrefix(path+"."+m.key, ".")
	at := r.values[path] // the null that took it away
	if at == nil {
		at = &value{Place: v.Place, path: join(v.path, m.key)}
	}
	if m.kind == kindObject {
		for _, inner := range m.members {
			r.absent(at, inner, path)
		}
		return
	}
	if m.required {
		r.missing = true
		r.fail(at, "is missing: %s", m.advice())
	}
}

// advice says what a member is and how it is written, to somebody who has not written it.
func (s *shape) advice() string {
	switch {
	case s.doc == "": // an item
		return "take it away or write " + s.format.advice
	case s.format != nil && s.kind == kindText:
		return s.doc + "; write " + s.format.advice
	}
	return s.doc
}

func (r *reader) list(v *value, s *shape, to reflect.Value, path string) {
	if v.kind != document.Array {
		r.wrongKind(v, s.listAdvice())
		return
	}
	if most, bounded := number(s.max); bounded && len(v.items) > most {
		r.fail(v, "has %d items; %d is the most", len(v.items), most)
	}
	if least, bounded := number(s.min); bounded && len(v.items) < least {
		r.fail(v, "is empty; write at least one")
	}
	out := reflect.MakeSlice(to.Type(), len(v.items), len(v.items))
	first := map[string]*value{}
	for i, item := range v.items {
		r.value(item, s.element, out.Index(i), fmt.Sprintf("%s[%d]", path, i))
		if s.element.kind != kindText || item.kind != document.String {
			continue
		}
		if other := first[item.text]; other != nil {
			r.fail(item, "%s is there twice, first on line %d; keep one", document.Quote(item.text), other.Line)
		}
		first[item.text] = item
	}
	to.Set(out)
}

func (s *shape) listAdvice() string {
	if s.element.kind == kindObject {
		return "a list of mappings, as [{name: …}]"
	}
	return "a list, as [a, b]"
}

func (r *reader) table(v *value, s *shape, to reflect.Value, path string) {
	if v.kind != document.Object {
		r.wrongKind(v, "a mapping of names to texts")
		return
	}
	if most, bounded := number(s.max); bounded && len(v.members) > most {
		r.fail(v, "has %d members; %d is the most", len(v.members), most)
	}
	out := reflect.MakeMap(to.Type())
	for _, m := range v.members {
		if m.value.kind == document.Null && strings.HasPrefix(m.value.path, environmentsKey+".") {
			continue // taken away
		}
		if s.keys != nil {
			if problem := s.keys.problem(m.name); problem != "" {
				r.failAt(m.Place, m.value.path, "%s", problem)
			}
		}
		one := reflect.New(to.Type().Elem()).Elem()
		r.value(m.value, s.element, one, path+"."+m.name)
		out.SetMapIndex(reflect.ValueOf(m.name), one)
	}
	to.Set(out)
}

func (r *reader) text(v *value, s *shape, to reflect.Value) {
	switch v.kind {
	case document.String:
	case document.Number, document.Bool:
		r.fail(v, "is %s, and a text is asked for; write it in quotes, as %s", kindWords[v.kind], document.Quote(v.text))
		return
	default:
		r.wrongKind(v, "a text")
		return
	}
	to.SetString(v.text)
	switch {
	case v.text == "" && s.required:
		r.fail(v, "is empty: %s", s.advice())
	case v.text == "" && (s.enum != nil || s.format != nil && s.format.problem("") != ""):
		r.fail(v, "is empty; write a value, or take the line away")
	case v.text == "":
	case s.enum != nil && !slices.Contains(s.enum, v.text):
		r.fail(v, "%s is not known here; %s", document.Quote(v.text), write(v.text, s.enum))
	case s.format != nil:
		if problem := s.format.problem(v.text); problem != "" {
			r.fail(v, "%s", problem)
		}
	}
}

func (r *reader) number(v *value, s *shape, to reflect.Value) {
	n, err := strconv.Atoi(v.text)
	if v.kind != document.Number || err != nil {
		if v.kind == document.Number {
			r.fail(v, "%s is no whole number of this size", document.Plain(v.text))
			return
		}
		r.wrongKind(v, "a whole number")
		return
	}
	to.SetInt(int64(n))
	least, hasLeast := number(s.min)
	most, hasMost := number(s.max)
	switch {
	case hasLeast && n < least && hasMost, hasMost && n > most:
		r.fail(v, "%d is out of range; write a number from %d to %d", n, least, most)
	case hasLeast && n < least:
		r.fail(v, "%d is out of range; write at least %d", n, least)
	}
}

func (r *reader) duration(v *value, s *shape, to reflect.Value) {
	const advice = "a duration, such as 15m, 1h or 1h30m"
	if v.kind == document.Number && json.Valid([]byte(v.text)) {
		r.fail(v, "%s has no unit; write %s", v.text, advice)
		return
	}
	if v.kind != document.String {
		r.wrongKind(v, advice)
		return
	}
	d, err := time.ParseDuration(v.text)
	if err != nil || !durationText.MatchString(v.text) {
		r.fail(v, "%s is no duration; write it as 15m, 1h or 1h30m", document.Quote(v.text))
		return
	}
	to.SetInt(int64(d))
	least, _ := time.ParseDuration(s.min)
	most, _ := time.ParseDuration(s.max)
	switch {
	case s.min != "" && d < least || s.max != "" && d > most:
		r.fail(v, "%s is out of range; write a duration from %s to %s", document.Plain(v.text), s.min, s.max)
	case d%time.Second != 0:
		r.fail(v, "%s is no whole number of seconds", document.Plain(v.text))
	}
}
