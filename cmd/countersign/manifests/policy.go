package manifests

import (
	"maps"
	"slices"
	"strings"
)

// checkPolicy compares the file with who may call which route. Without a policy nothing is known, and nothing is said.
func (r *renderer) checkPolicy() {
	if r.options.Policy == nil {
		return
	}
	r.checkProbe("service.live", r.cfg.Service.Live)
	r.checkProbe("service.ready", r.cfg.Service.Ready)
	if !r.hasIngress() || !r.cfg.Ingress.JWTValidation {
		return
	}
	// An Application Load Balancer asks for a token on every path of an Ingress or on none.
	for _, route := range r.options.Policy.Routes {
		if !route.Rule.IsPublic() || route.Path == r.cfg.Service.Live || route.Path == r.cfg.Service.Ready {
			continue
		}
		for _, path := range r.cfg.Ingress.Paths {
			if within(route.Path, path) {
				r.problems.at("ingress.jwtValidation", "is true, and %s is %s: the load balancer would ask for a token there too. "+
					"Narrow ingress.paths so that %s does not let it through, give the route a rule, or write false", route.Pattern, route.Rule, path)
				break
			}
		}
	}
}

// checkProbe finds the probe's path among the routes. The kubelet has no token.
func (r *renderer) checkProbe(member, path string) {
	covered := false
	for _, route := range r.options.Policy.Routes {
		if route.Method != "" && route.Method != "GET" || !covers(route.Path, path) {
			continue
		}
		if route.Rule.IsPublic() {
			covered = true
		} else if route.Path == path {
			r.problems.at(member, "%s is %s: the kubelet has no token, so the probe would fail for ever. Make the route Public", path, route.Rule)
			return
		}
	}
	if !covered {
		r.problems.at(member, "%s is no public route of the policy: the probe would be refused, and the pod never be ready. "+
			`Register GET %s with Public("probe"), or name the path that the service has`, path, path)
	}
}

// covers reports whether a pattern of net/http's, which ends in / or has wildcards, takes the path.
func covers(pattern, path string) bool {
	if strings.HasSuffix(pattern, "/") {
		return strings.HasPrefix(path, pattern)
	}
	want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
	for i, segment := range want {
		if strings.HasSuffix(segment, "...}") {
			return true
		}
		if i >= len(have) || !strings.HasPrefix(segment, "{") && segment != have[i] {
			return false
		}
	}
	return len(want) == len(have)
}

// within reports whether a request to a route can have the path prefix, compared segment by segment as an Ingress does.
func within(route, prefix string) bool {
	want := strings.Split(strings.Trim(prefix, "/"), "/")
	have := strings.Split(strings.Trim(route, "/"), "/")
	if want[0] == "" {
		return true
	}
	for i, segment := range want {
		switch {
		case i < len(have) && strings.HasSuffix(have[i], "...}"):
			return true
		case i >= len(have):
			return strings.HasSuffix(route, "/") // a subtree
		case strings.HasPrefix(have[i], "{"), have[i] == segment:
		default:
			return false
		}
	}
	return true
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
