package countersign

import (
	"net/url"
	"strings"
)

// When a route vanishes, its requests need not be refused: net/http gives them to the narrowest of the patterns that are left and match
// them, under the rule of that one.

// heir is the route of the new policy that serves the requests of a route that vanished; nil if none does. Where two muxes have its
// pattern, it is the one that lets more in.
func heir(gone comparedRoute, groups map[string][]comparedRoute) *comparedRoute {
	old, err := parseRoutePattern(gone.Pattern)
	if err != nil {
		return nil // a rule of Guard.Require has no pattern
	}
	var best *comparedRoute
	var bestPattern routePattern
	key := routeKey(gone.Pattern)
	for other, group := range groups {
		p, err := parseRoutePattern(group[0].Pattern)
		if err != nil || other == key || !p.covers(old) {
			continue
		}
		if best != nil && !p.precedes(bestPattern) {
			continue
		}
		best, bestPattern = &group[0], p
		for i := range group {
			if widensRule(gone, group[i]) {
				best = &group[i]
			}
		}
	}
	return best
}

// precedes says which of two patterns that match the same request gets it: the one with a host, else the narrower one.
func (p routePattern) precedes(other routePattern) bool {
	if (p.host == "") != (other.host == "") {
		return p.host != ""
	}
	return other.covers(p)
}

// covers says whether the pattern matches every request that the other one matches. A route for every method is never covered by one
// for a single method: where both are, net/http does not start.
func (p routePattern) covers(other routePattern) bool {
	switch {
	case p.host != "" && p.host != other.host:
		return false
	case p.method != "" && p.method != other.method && !(p.method == "GET" && other.method == "HEAD"):
		return false
	}
	return coversPath(strings.Split(p.path, "/"), strings.Split(other.path, "/"))
}

// coversPath compares the segments of two paths.
func coversPath(wide, narrow []string) bool {
	for i, segment := range wide {
		if i >= len(narrow) {
			return false
		}
		last, there := i == len(wide)-1, narrow[i]
		switch {
		case last && isSubtree(segment) && i > 0:
			return true // what comes now, it matches
		case isSubtree(there) && i == len(narrow)-1 && i > 0:
			return false
		case segment == "{$}" || there == "{$}":
			if segment != there {
				return false
			}
		case strings.HasPrefix(segment, "{"):
		case strings.HasPrefix(there, "{") || plainSegment(segment) != plainSegment(there):
			return false
		}
	}
	return len(wide) == len(narrow)
}

// isSubtree says whether the last segment of a path stands for all beneath it.
func isSubtree(last string) bool { return last == "" || strings.HasSuffix(last, "...}") }

// plainSegment is a segment as net/http compares it: /a%62 is /ab.
func plainSegment(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}
