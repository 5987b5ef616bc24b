package config

import (
	"github.com/countersign-dev/countersign/cmd/countersign/document"
)

// merge lays an environment over the file: mappings member by member, lists of things with a name by that name, all else as a
// whole. A null stays in the tree, so that what it took away and is missed is reported where that was done.
func (r *reader) merge(base, over *value, s *shape) *value {
	switch {
	case base == nil || s == nil || over.kind == document.Null || base.kind != over.kind:
		return over
	case over.kind == document.Object && (s.kind == kindObject || s.kind == kindTable):
		if s.replaced && writesAny(over) {
			return over
		}
		return r.mergeMapping(base, over, s)
	case over.kind == document.Array && s.named():
		return r.mergeNamed(base, over, s)
	}
	return over
}

func (r *reader) mergeMapping(base, over *value, s *shape) *value {
	out := *base
	out.members = append([]member(nil), base.members...)
	for _, m := range over.members {
		inner := s.element
		if s.kind == kindObject {
			inner = s.member(m.name)
		}
		found := false
		for i := range out.members {
			if out.members[i].name == m.name {
				found = true
				out.members[i].value = r.merge(out.members[i].value, m.value, inner)
				if m.value.kind != document.Object {
					out.members[i].Place = m.Place
				}
			}
		}
		if !found {
			out.members = append(out.members, m)
		}
	}
	return &out
}

func (r *reader) mergeNamed(base, over *value, s *shape) *value {
	out := *base
	out.items = append([]*value(nil), base.items...)
	for _, item := range over.items {
		name := item.name()
		if name == "" {
			out.items = append(out.items, item) // that its name is missing is reported there
			continue
		}
		found := false
		for i := range base.items {
			if !found && out.items[i].name() == name {
				found = true
				out.items[i] = r.merge(out.items[i], item, s.element)
			}
		}
		if !found {
			out.items = append(out.items, item)
		}
	}
	return &out
}

// checkNames reports names that are there twice in one list, before lists are merged by them.
func (r *reader) checkNames(v *value, s *shape) {
	for _, m := range v.members {
		if inner := s.member(m.name); inner != nil && s.kind == kindObject {
			r.checkNames(m.value, inner)
		}
	}
	if !s.named() {
		return
	}
	first := map[string]*value{}
	for _, item := range v.items {
		name := item.name()
		if name == "" {
			continue
		}
		if other := first[name]; other != nil {
			r.fail(item.get("name"), "%s is there twice, first on line %d; keep one", document.Quote(name), other.Line)
			continue
		}
		first[name] = item
	}
}

func writesAny(v *value) bool {
	for _, m := range v.members {
		if m.value.kind != document.Null {
			return true
		}
	}
	return false
}
