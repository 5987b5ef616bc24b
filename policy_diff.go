package countersign

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// ChangeKind says what happened to a route.
type ChangeKind string

// The kinds of a [Change].
const (
	RouteAppeared ChangeKind = "appeared" // the new policy has the route, the old one has not
	RouteVanished ChangeKind = "vanished" // the old policy has the route, the new one has not
	RuleChanged   ChangeKind = "changed"  // both have the route, and somebody may call it who may not, or the other way round
)

// Change is one difference between two policies, about one route.
type Change struct {
	Kind    ChangeKind
	Pattern string // the pattern of the route, as the new policy writes it where it has the route
	Old     Rule   // the zero Rule if the route appeared
	New     Rule   // the zero Rule if the route vanished
	Source  string // file:line of the registration, where the policy that has the route knows it
	// Instead is the route that serves the requests of one that vanished: the narrowest pattern of the new policy that matches them. It
	// is the zero Route if they are not found any more.
	Instead Route
	wider   bool
}

// String says the change in words: "POST /orders: scope orders.write -> public (oops)".
func (c Change) String() string {
	route := c.Pattern
	if route == "" {
		route = "a handler with a rule of its own"
		if c.Source != "" {
			route += " (" + c.Source + ")"
		}
	}
	switch c.Kind {
	case RouteAppeared:
		return fmt.Sprintf("%s: new route -> %s", route, ruleWords(c.New))
	case RouteVanished:
		text := fmt.Sprintf("%s: %s -> no such route", route, ruleWords(c.Old))
		if c.wider {
			text += fmt.Sprintf(", and %s has its requests: %s", c.Instead.Pattern, ruleWords(c.Instead.Rule))
		}
		return text
	}
	return fmt.Sprintf("%s: %s -> %s", route, ruleWords(c.Old), ruleWords(c.New))
}

// ruleWords says a rule in the words of a reviewer. [Rule.String] says it in Go.
func ruleWords(r Rule) string {
	var words []string
	for _, need := range r.Needs() {
		word := "any valid token"
		switch len(need.Scopes) {
		case 0:
		case 1:
			word = "scope " + need.Scopes[0]
		default:
			word = "all of scopes " + strings.Join(need.Scopes, ", ")
		}
		if need.Client != "" {
			word = strings.TrimPrefix(word+" from client "+need.Client, "any valid token from ")
		}
		words = append(words, word)
	}
	all := strings.Join(words, " or ")
	switch {
	case r.IsPublic():
		all = "public (" + r.Reason() + ")"
	case len(words) > 1 && !slices.ContainsFunc(r.Needs(), func(n Need) bool { return len(n.Scopes) != 1 || n.Client != "" }):
		all = "any of scopes " + strings.ReplaceAll(strings.TrimPrefix(all, "scope "), " or scope ", ", ")
	}
	if r.IsUntilExpiry() {
		all += ", until the token expires"
	}
	if r.IsReport() {
		all += ", only reported"
	}
	return all
}

// Widened reports whether the change admits a caller who was refused before. A new route does: before, its path
// answered 404, or a wider pattern with a rule of its own. A route that vanished does, if a wider pattern that is left has its requests now, and admits more.
func (c Change) Widened() bool { return c.wider }

// Diff returns what differs between two policies, ordered by path: the routes that appeared, that vanished and whose
// rule changed. Routes are the same if their patterns match the same requests, whatever their wildcards are
// called; rules are the same if they admit the same callers. The reason of a public route counts as part of its rule. If the
// two policies are for different resources, every scope of theirs differs.
func Diff(old, new Policy) []Change {
	before, after := rulesByRoute(old), rulesByRoute(new)
	keys := make([]string, 0, len(before)+len(after))
	for key := range before {
		keys = append(keys, key)
	}
	for key := range after {
		if before[key] == nil {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	var changes []Change
	for _, key := range keys {
		gone, come := withoutEqual(before[key], after[key]), withoutEqual(after[key], before[key])
		for i := range max(len(gone), len(come)) {
			change := changeOf(gone, come, i)
			if change.Kind == RouteVanished {
				if next := heir(gone[i], after); next != nil {
					change.Instead, change.wider = next.Route, widensRule(gone[i], *next)
				}
			}
			changes = append(changes, change)
		}
	}
	return changes
}

// comparedRoute is a route with its rule in a form that can be compared.
type comparedRoute struct {
	Route
	admits [][]string // the alternatives with full names, sorted, without those that another one implies
	key    string
}

// rulesByRoute groups the routes by what they match. More than one route of a group is the work of two muxes.
func rulesByRoute(p Policy) map[string][]comparedRoute {
	groups := map[string][]comparedRoute{}
	for _, r := range p.Routes {
		key, admits := routeKey(r.Pattern), p.admits(r.Rule)
		compared := comparedRoute{r, admits, fmt.Sprintf("%q %t %t %q", r.Rule.Reason(), r.Rule.IsReport(), r.Rule.IsUntilExpiry(), admits)}
		if !slices.ContainsFunc(groups[key], func(other comparedRoute) bool { return other.key == compared.key }) {
			groups[key] = append(groups[key], compared)
		}
	}
	return groups
}

// routeKey is the pattern without the names of its wildcards, path first so that it sorts as people look for it.
func routeKey(text string) string {
	p, err := parseRoutePattern(text)
	if err != nil {
		return text
	}
	segments := strings.Split(p.path, "/")
	for i, segment := range segments {
		if name, ok := strings.CutPrefix(segment, "{"); ok && name != "$}" {
			segments[i] = "{}"
			if strings.HasSuffix(name, "...}") {
				segments[i] = "{...}"
			}
		}
	}
	// {rest...} and a trailing slash match the same requests.
	path := strings.TrimSuffix(strings.Join(segments, "/"), "{...}")
	return path + "\x00" + p.host + "\x00" + p.method
}

// admits brings the alternatives of a rule into one form: a and (b or b and c) is a and b.
func (p Policy) admits(r Rule) [][]string {
	var all [][]string
	for _, need := range r.Needs() {
		full := make([]string, 0, len(need.Scopes)+2)
		// Another audience, or another way to read tokens, is other callers: also where no scope says so.
		full = append(full, "of "+string(cmp.Or(p.Profile, Cognito))+" "+p.Resource)
		for _, name := range need.Scopes {
			full = append(full, p.FullScope(name))
		}
		if need.Client != "" {
			full = append(full, "client "+need.Client) // no scope has a space
		}
		slices.Sort(full)
		all = append(all, slices.Compact(full))
	}
	slices.SortFunc(all, func(a, b []string) int { return cmp.Or(cmp.Compare(len(a), len(b)), slices.Compare(a, b)) })
	var least [][]string
	for _, scopes := range all {
		if !anyAlternativeSuffices(least, scopes) {
			least = append(least, scopes)
		}
	}
	return least
}

// anyAlternativeSuffices says whether a token with these scopes satisfies one of the alternatives.
func anyAlternativeSuffices(alternatives [][]string, scopes []string) bool {
	return slices.ContainsFunc(alternatives, func(needed []string) bool {
		return !slices.ContainsFunc(needed, func(name string) bool { return !slices.Contains(scopes, name) })
	})
}

// withoutEqual returns the routes of a that have no equal in b, each of b answering for one.
func withoutEqual(a, b []comparedRoute) []comparedRoute {
	rest := slices.Clone(b)
	return slices.DeleteFunc(slices.Clone(a), func(r comparedRoute) bool {
		i := slices.IndexFunc(rest, func(other comparedRoute) bool { return other.key == r.key })
		if i >= 0 {
			rest = slices.Delete(rest, i, i+1)
		}
		return i >= 0
	})
}

func changeOf(gone, come []comparedRoute, i int) Change {
	switch {
	case i >= len(gone):
		return Change{Kind: RouteAppeared, Pattern: come[i].Pattern, New: come[i].Rule, Source: come[i].Source, wider: true}
	case i >= len(come):
		return Change{Kind: RouteVanished, Pattern: gone[i].Pattern, Old: gone[i].Rule, Source: gone[i].Source}
	}
	return Change{
		Kind: RuleChanged, Pattern: come[i].Pattern, Old: gone[i].Rule, New: come[i].Rule, Source: come[i].Source,
		wider: widensRule(gone[i], come[i]),
	}
}

// widensRule says whether the new rule has an alternative that the old one did not accept.
func widensRule(old, new comparedRoute) bool {
	if open(old.Rule) || open(new.Rule) {
		return !open(old.Rule)
	}
	if old.Rule.IsUntilExpiry() && !new.Rule.IsUntilExpiry() {
		return true // who came in while the token was good stays when it is not
	}
	return slices.ContainsFunc(new.admits, func(scopes []string) bool { return !anyAlternativeSuffices(old.admits, scopes) })
}

// open says whether the rule lets everyone in: a rule that is only reported does.
func open(r Rule) bool { return r.IsPublic() || r.IsReport() }
