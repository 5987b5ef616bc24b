package review

import (
	"cmp"
	"slices"
	"sync"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/cmd/countersign/escape"
	"github.com/countersign-dev/countersign/cmd/countersign/place"
)

// Report is what differs between two policies, for people.
type Report struct {
	Base, Head Side
	Changes    []Change // as [countersign.Diff] orders them
}

// Change is one difference, in words and with its place.
type Change struct {
	Class   Class
	Route   string // the pattern, or what there is to say of a handler that has none
	Widened bool   // it lets a caller in who was refused before
	Old     string // who could call before; empty for a new route
	New     string // who may call now; empty for a route that is gone
	File    string // where to show it, with slashes
	Line    int    // in File, from 1

	reason  string // of a public route
	pattern string // as the policy has it
	instead string // the pattern that has the requests of a route that is gone, if more callers get in there
}

// Compare says what differs between two policies.
func Compare(base, head Side) Report {
	r := Report{Base: base, Head: head}
	oldName, newName := r.namers()
	places := place.New(head.Path, head.Document, head.goFiles)
	registrations := sync.OnceValue(head.registrations)
	for _, c := range countersign.Diff(base.Policy, head.Policy) {
		change := Change{
			Class:   classOf(c),
			Route:   escape.Visible(c.Pattern),
			Widened: c.Widened(),
			reason:  escape.Visible(ruleNow(c).Reason()),
			pattern: c.Pattern,
		}
		if c.Kind != countersign.RouteAppeared {
			change.Old = escape.Visible(who(c.Old, oldName))
		}
		pattern, source, served := c.Pattern, c.Source, c.Kind != countersign.RouteVanished
		if !served && c.Widened() {
			pattern, source, served = c.Instead.Pattern, c.Instead.Source, true
			change.instead = escape.Visible(pattern)
		}
		if served {
			change.New = escape.Visible(who(ruleNow(c), newName))
		}
		if r.otherResource() && change.New == change.Old { // the words are the same, and mean tokens of another resource
			change.Old += " of " + escape.Visible(base.Policy.Resource)
			change.New += " of " + escape.Visible(head.Policy.Resource)
		}
		if c.Pattern == "" {
			change.Route = "a handler under Require"
			if c.Source != "" {
				change.Route += " (" + escape.Visible(c.Source) + ")"
			}
		}
		// A route that is gone has no line any more.
		if change.File, change.Line = places.File(); served {
			change.File, change.Line = places.Of(pattern, source)
			if at, found := registrations()[pattern]; found && change.File == head.Path {
				change.File, change.Line = at.file, at.line
			}
		}
		r.Changes = append(r.Changes, change)
	}
	return r
}

// Widened reports whether somebody may call what he could not call before.
func (r Report) Widened() bool {
	return slices.ContainsFunc(r.Changes, func(c Change) bool { return c.Widened })
}

// Count is how many changes are of the class.
func (r Report) Count(class Class) int {
	n := 0
	for _, c := range r.Changes {
		if c.Class == class {
			n++
		}
	}
	return n
}

// otherResource reports whether the two sides are about different resources, so that one name means two scopes.
func (r Report) otherResource() bool {
	b, h := r.Base.Policy, r.Head.Policy
	return !r.Base.Missing() && !r.Head.Missing() &&
		(b.Resource != h.Resource || cmp.Or(b.Profile, countersign.Cognito) != cmp.Or(h.Profile, countersign.Cognito))
}

func (r Report) namers() (old, new namer) {
	if r.otherResource() {
		return r.Base.Policy.FullScope, r.Head.Policy.FullScope
	}
	short := func(scope string) string { return scope }
	return short, short
}
