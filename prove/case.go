package prove

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign"
)

// Kind groups cases that ask the same question.
type Kind string

// The kinds of cases.
const (
	KindNoToken  Kind = "no token"  // is anybody let in?
	KindDetour   Kind = "detour"    // is anybody let in who spells the request another way?
	KindBadToken Kind = "bad token" // is a token believed that is none, or sent in a way that must not count?
	KindScope    Kind = "scope"     // is a good token let in that lacks a scope?
	KindAllowed  Kind = "allowed"   // is the right caller let in?
)

// Case is one request to a route and the answer that the policy demands.
type Case struct {
	Route  countersign.Route
	Kind   Kind
	Name   string // "401 no token"; unique within the route and the same in every run
	Clause string // what demands the answer
	Method string // of the request; empty is the route's own
	// Scopes are the full names of the scopes of the good token that the request is made with. Nil is no token; none of them
	// is whatever scopes the issuer gives.
	Scopes []string
	// Needs says what it takes to make the request, and Make how: the zero Recipe sends the good token as it is.
	Needs Needs
	Make  Recipe
	// Answers are the refusals that are right. None means that the request must be admitted.
	Answers []Answer
	// Unprovable is why there is nothing to send; empty otherwise.
	Unprovable string

	gate gate
	near bool // the token differs from the right one by its scopes only

	detour  *detour  // how the request is said; nil is plainly
	nowhere string   // of a request out of a public subtree: the same way to an address that nobody serves
	example *Example // what else the request is made of
	probe   bool     // the guard is asked what it would decide about a token with the scopes asked, and not called
	asked   []string
}

// ID names the case in all runs: the pattern of its route and its name.
func (c Case) ID() string { return routeName(c.Route) + " / " + c.Name }

// Want is the demanded answer as tables show it.
func (c Case) Want() string {
	if len(c.Answers) == 0 {
		return "allowed"
	}
	words := make([]string, 0, len(c.Answers))
	for _, answer := range c.Answers {
		words = append(words, answer.String())
	}
	return strings.Join(words, " or ")
}

// Plan makes the cases of a policy, route by route as the policy lists them. It asks nobody for a token: which of the cases can be
// run is known to [Run], which knows what can be minted.
func Plan(p countersign.Policy) []Case { return plan(p, universe(p), newFinder(p, nil, nil)) }

// plan is Plan with a universe that may be larger than the policy's: a scope of nobody's is a wrong one too.
func plan(p countersign.Policy, universe []string, finder *finder) []Case {
	cases := make([]Case, 0, len(p.Routes)*casesOfARoute())
	seen := map[string]bool{}
	for _, route := range p.Routes {
		// The same rule on two muxes is proved once.
		if id := route.Pattern + "\x00" + route.Rule.String(); route.Pattern == "" || !seen[id] {
			seen[id] = true
			cases = append(cases, unique(routeCases(p, route, universe, finder))...)
		}
	}
	return cases
}

// casesOfARoute is how many cases most routes have at most. A case is large, and slices of them are costly to grow.
func casesOfARoute() int { return len(zoo()) + len(detours) + 10 }

func routeCases(p countersign.Policy, route countersign.Route, universe []string, finder *finder) []Case {
	g := newGate(p, route.Rule)
	base := Case{Route: route, gate: g, example: finder.example(route)}
	if route.Pattern == "" {
		base.Kind, base.Clause, base.Name, base.Unprovable = KindAllowed, "the policy", "rule", "the rule is attached to a handler (Guard.Require), and its paths are not known"
		return []Case{base}
	}
	var cases []Case
	if !route.Rule.IsPublic() {
		cases = refusalsWithoutScope(base, p, universe, finder)
		cases = append(cases, refusalsByScope(base, p, universe)...)
		if route.Rule.IsReport() {
			for i := range cases {
				cases[i].Unprovable = "the rule is only reported: it refuses nobody"
			}
		}
	}
	return append(cases, admissions(base, p, universe)...)
}

// refusalsWithoutScope are the requests that no scope would help: no token, and each bad one.
func refusalsWithoutScope(base Case, p countersign.Policy, universe []string, finder *finder) []Case {
	none := base
	none.Kind, none.Name, none.Clause = KindNoToken, "401 no token", "RFC 6750, Section 3"
	none.Answers = []Answer{{Status: http.StatusUnauthorized}}
	cases := append(make([]Case, 0, casesOfARoute()), none)
	for _, method := range otherMethods(none, finder) {
		c := none
		c.Name, c.Method = "401 no token, "+method, method
		if method == http.MethodHead {
			// net/http: a pattern of GET matches HEAD too. Where it does not, HEAD is not found, not allowed or not known, and nobody is let in.
			for _, status := range []int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented} {
				c.Answers = append(slices.Clip(c.Answers), Answer{Status: status})
			}
		}
		cases = append(cases, c)
	}
	cases = append(cases, detourCases(base, finder)...)
	cases = append(cases, doorCases(base, p, finder)...)
	for _, bad := range zoo() {
		c := base
		c.Kind, c.Name, c.Clause, c.Needs, c.Make, c.Answers = KindBadToken, "bad token "+bad.Name, bad.Clause, bad.Needs, bad.Make, bad.Answers
		if bad.Make.Send != nil { // a good token, sent in a bad way
			c.Name = fmt.Sprintf("%d %s", bad.Answers[0].Status, bad.Name)
		}
		if bad.Needs != NeedsNothing {
			c.Scopes = base.gate.any(universe)
		}
		if c.near = slices.ContainsFunc(bad.Answers, func(a Answer) bool { return a.Status == http.StatusForbidden }); c.near {
			c.Name = "403 " + bad.Name
			if base.gate.admits(changedScopes(bad.Make, c.Scopes, base.gate.resource)) {
				continue // to this rule it is no miss
			}
		}
		cases = append(cases, c)
	}
	return cases
}

// otherMethods are those by which a route is reached beside the one that its cases use: HEAD with GET, and every one that changes things where the pattern
// names no method. OPTIONS is left out: whoever answers a browser's question before the guard does lets nobody in by that.
func otherMethods(plainly Case, finder *finder) []string {
	method, _, err := finder.plain(plainly)
	if err != nil {
		return nil
	}
	candidates := []string{http.MethodHead}
	if plainly.Route.Method == "" {
		candidates = append(candidates, methods("")...)
	} else if method != http.MethodGet {
		return nil
	}
	return slices.DeleteFunc(candidates, func(other string) bool { return other == method || !finder.serves(other, plainly.Route) })
}

// refusalsByScope are the good tokens that have not what the rule asks for.
func refusalsByScope(base Case, p countersign.Policy, universe []string) []Case {
	base.Kind, base.Clause, base.Needs = KindScope, "RFC 6750, Section 3.1", NeedsToken
	base.Answers = []Answer{{http.StatusForbidden, "insufficient_scope"}}
	if base.gate.admitsAny() {
		base.Name, base.Unprovable = "403 wrong scope", "the rule asks for no scope: there is none to be without"
		return []Case{base}
	}
	var cases []Case
	for _, set := range base.gate.refused(universe) {
		c := base
		c.Name, c.Scopes = "403 with only "+shortNames(p, set), set
		cases = append(cases, c)
	}
	if len(cases) == 0 {
		base.Name, base.Unprovable = "403 wrong scope", reasonNoOther
		return []Case{base}
	}
	return cases
}

// admissions are the requests that must get through: one for each alternative of the rule.
func admissions(base Case, p countersign.Policy, universe []string) []Case {
	base.Kind, base.Clause = KindAllowed, "the policy"
	if base.Route.Rule.IsPublic() || base.Route.Rule.IsReport() {
		base.Name = "allowed without token"
		return []Case{base}
	}
	base.Needs = NeedsToken
	var cases []Case
	for _, need := range base.gate.needs {
		c := base
		c.Scopes = need.Scopes
		c.Name = "allowed with " + shortNames(p, need.Scopes)
		if len(need.Scopes) == 0 {
			c.Scopes, c.Name = base.gate.any(universe), "allowed with any token"
		}
		if need.Client != "" {
			c.Name += " from client " + need.Client
			c.Needs, c.Make = NeedsIssuerKey, fromClient(need.Client)
		}
		cases = append(cases, c)
	}
	return cases
}

// any is the scope set of the token that a bad one is made from: a right one, so that nothing else can be the
// reason of a refusal.
func (g gate) any(universe []string) []string {
	for _, need := range g.needs {
		if len(need.Scopes) > 0 {
			return need.Scopes
		}
	}
	for _, scope := range universe {
		if g.meant([]string{scope}) {
			return []string{scope}
		}
	}
	return []string{}
}

// fromClient makes the token another client's.
func fromClient(id string) Recipe {
	text := json.RawMessage(`"` + quoted(id) + `"`)
	return Recipe{Claims: map[string]json.RawMessage{"client_id": text, "sub": text}, Sign: "issuer"}
}

// unique drops cases of a route that have one name, as those of two equal alternatives have.
func unique(cases []Case) []Case {
	seen := make(map[string]bool, len(cases))
	return slices.DeleteFunc(cases, func(c Case) bool {
		again := seen[c.Name]
		seen[c.Name] = true
		return again
	})
}

func routeName(r countersign.Route) string {
	if r.Pattern == "" {
		return "Require at " + r.Source
	}
	return r.Pattern
}

// shortNames are scopes as the policy writes them.
func shortNames(p countersign.Policy, scopes []string) string {
	names := make([]string, 0, len(scopes))
	for _, full := range scopes {
		names = append(names, strings.TrimPrefix(full, p.FullScope("")))
	}
	return strings.Join(names, ", ")
}
