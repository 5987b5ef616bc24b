package prove

import (
	"slices"
	"strings"

	"github.com/countersign-dev/countersign"
)

// gate is a rule with the full names of its scopes: what a token must bring to pass.
type gate struct {
	needs    []countersign.Need // scopes with full names
	resource string             // prefix of the scopes, with its slash; empty when tokens have an audience instead
}

func newGate(p countersign.Policy, r countersign.Rule) gate {
	g := gate{needs: r.Needs()}
	for _, need := range g.needs {
		for i, name := range need.Scopes {
			need.Scopes[i] = p.FullScope(name)
		}
		slices.Sort(need.Scopes)
	}
	if p.Profile != countersign.RFC9068 {
		g.resource = p.Resource + "/"
	}
	return g
}

// admits says whether a token with these scopes, of a client that no rule names, passes.
func (g gate) admits(scopes []string) bool {
	if !g.meant(scopes) {
		return false
	}
	return slices.ContainsFunc(g.needs, func(need countersign.Need) bool {
		return need.Client == "" && containsAll(scopes, need.Scopes)
	})
}

// meant says whether a token with these scopes is for the resource at all.
//
// Cognito: a token has no aud; one scope of the resource is what says that it is meant.
func (g gate) meant(scopes []string) bool {
	return g.resource == "" || slices.ContainsFunc(scopes, func(scope string) bool {
		name, ours := strings.CutPrefix(scope, g.resource)
		return ours && name != "" && !strings.Contains(name, "/")
	})
}

// admitsAny says whether no scope has to be brought.
func (g gate) admitsAny() bool {
	return slices.ContainsFunc(g.needs, func(need countersign.Need) bool { return need.Client == "" && len(need.Scopes) == 0 })
}

// named says whether the rule lets the client in by its name.
func (g gate) named(client string) bool {
	return slices.ContainsFunc(g.needs, func(need countersign.Need) bool { return need.Client != "" && need.Client == client })
}

// names says whether the scope parameter of a challenge names what is necessary: all scopes of one alternative
// (RFC 6750, Section 3).
func (g gate) names(scopes []string) bool {
	sorted := slices.Sorted(slices.Values(scopes))
	return slices.ContainsFunc(g.needs, func(need countersign.Need) bool { return slices.Equal(need.Scopes, sorted) })
}

// refused lists the scope sets that must not pass: each scope of the universe alone, and each alternative without one of
// its scopes. A set that satisfies the rule another way is none of them.
func (g gate) refused(universe []string) [][]string {
	var sets [][]string
	add := func(set []string) {
		if len(set) > 0 && !g.admits(set) && !slices.ContainsFunc(sets, func(other []string) bool { return slices.Equal(set, other) }) {
			sets = append(sets, set)
		}
	}
	for _, scope := range universe {
		add([]string{scope})
	}
	for _, need := range g.needs {
		for i := range need.Scopes {
			if len(need.Scopes) > 1 {
				add(slices.Delete(slices.Clone(need.Scopes), i, i+1))
			}
		}
	}
	return sets
}

// universe is every scope that the policy asks for anywhere, sorted.
func universe(p countersign.Policy) []string {
	var all []string
	for _, route := range p.Routes {
		for _, need := range newGate(p, route.Rule).needs {
			all = append(all, need.Scopes...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func containsAll(have, want []string) bool {
	return !slices.ContainsFunc(want, func(scope string) bool { return !slices.Contains(have, scope) })
}

// setKey is a scope set as the key of a map. No scope has a space (RFC 6749, Section 3.3).
func setKey(scopes []string) string { return strings.Join(slices.Sorted(slices.Values(scopes)), " ") }
