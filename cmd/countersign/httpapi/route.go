package httpapi

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign"
)

// route is one of API Gateway's.
type route struct {
	key    string   // "GET /orders/{id}"
	open   bool     // without the authorizer
	scopes []string // of which a token needs one at least; none is every token
}

// parameter is what API Gateway takes for the name of a variable in a path.
var parameter = regexp.MustCompile(`^[A-Za-z0-9._:-]+$`)

// keysOf are the route keys for a pattern of net/http's.
//
// Amazon API Gateway, "Create routes for HTTP APIs": a greedy variable, {name+}, takes the rest of a path, and stands at its end. It takes no empty
// rest, so that a subtree's own root has a key of its own.
func keysOf(r countersign.Route) ([]string, error) {
	method := r.Method
	if method == "" {
		method = "ANY"
	}
	segments := strings.Split(r.Path, "/")
	for i, segment := range segments {
		name, variable := strings.CutPrefix(segment, "{")
		if !variable {
			continue
		}
		name = strings.TrimSuffix(name, "}")
		if name == "$" {
			segments[i] = ""
			continue
		}
		name, rest := strings.CutSuffix(name, "...")
		if !parameter.MatchString(name) {
			return nil, fmt.Errorf("httpapi: %s: Amazon API Gateway takes no variable named %s; letters, digits and . _ - are its own", r.Pattern, name)
		}
		segments[i] = "{" + name + "}"
		if rest {
			segments[i] = "{" + name + "+}"
		}
	}
	path := strings.Join(segments, "/")
	if strings.HasSuffix(r.Path, "/") { // a subtree
		return []string{method + " " + path, method + " " + path + "{proxy+}"}, nil
	}
	return []string{method + " " + path}, nil
}

// routesOf compiles the routes of a policy. A rule of an alternative that asks for no scope lets every token through here.
//
// Amazon API Gateway: a token needs one of the AuthorizationScopes, and not all. The scopes of all alternatives are listed: whoever satisfies
// one of these has one of them, and the guard, which comes after, asks for the rest.
func routesOf(p countersign.Policy, host string) (all []route, problems []error) {
	exact := map[string]bool{} // net/http: /a/{$} comes before the root of /a/
	for _, r := range p.Routes {
		if keys, err := keysOf(r); err == nil && len(keys) == 1 {
			exact[keys[0]] = true
		}
	}
	rules := map[string]string{}
	for _, r := range p.Routes {
		if r.Pattern == "" || r.Host != "" && r.Host != host {
			continue
		}
		keys, err := keysOf(r)
		if err != nil {
			problems = append(problems, err)
		}
		for _, key := range keys {
			rule, twice := rules[key]
			switch {
			case len(keys) > 1 && exact[key], rule == r.Rule.String():
			case twice:
				problems = append(problems, fmt.Errorf("httpapi: %s has two rules, %s and %s", key, rule, r.Rule))
			default:
				rules[key] = r.Rule.String()
				all = append(all, compiled(p, r.Rule, key))
			}
		}
	}
	return all, problems
}

func compiled(p countersign.Policy, rule countersign.Rule, key string) route {
	out := route{key: key, open: rule.IsPublic() || rule.IsReport()}
	for _, need := range rule.Needs() {
		if len(need.Scopes) == 0 {
			out.scopes = nil
			return out
		}
		for _, scope := range need.Scopes {
			if full := p.FullScope(scope); !slices.Contains(out.scopes, full) {
				out.scopes = append(out.scopes, full)
			}
		}
	}
	return out
}
