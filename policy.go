package countersign

import (
	"net/http"
	"slices"
	"strings"
)

// Policy is who may call what: the table of a service's routes and rules. It is what a reviewer reads, what
// package prove proves, and what [Policy.OpenAPI] writes.
type Policy struct {
	Issuer   string // of the tokens
	Resource string // Config.Resource
	Profile  Profile
	Routes   []Route // in the order of registration
}

// Route is one registration.
type Route struct {
	Pattern string // as net/http's ServeMux takes it; empty for a rule of [Guard.Require], which has no pattern
	Method  string // empty when the pattern names none: every method
	Host    string // empty when the pattern names none: every host
	Path    string // may have wildcards
	Rule    Rule
	Source  string // where it was registered, "api.go:31"
}

// FullScope is the scope name as the issuer writes it into a token.
//
// Cognito: the full name of a custom scope is the resource server's identifier, a slash, and the scope's name.
func (p Policy) FullScope(name string) string {
	if p.Profile == RFC9068 {
		return name
	}
	return p.Resource + "/" + name
}

// PolicyHandler serves the guard's policy as OpenAPI, for a prover that has no file of it. It is registered as any other handler, with a rule:
//
//	api.Handle("GET /.well-known/countersign-policy", guard.PolicyHandler(), countersign.Scope("policy.read"))
//
// The document says which scope every route asks for: it helps an attacker little, and is nobody's business all the same.
func (g *Guard) PolicyHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		document, err := g.Policy().OpenAPI()
		if err != nil {
			g.logger.Error("countersign: the policy cannot be written", "error", err)
			http.Error(w, "the policy cannot be written", http.StatusInternalServerError)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "application/vnd.oai.openapi+json;version=3.1")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		w.Write(document)
	})
}

// Public returns the routes that everyone may call.
func (p Policy) Public() []Route {
	var routes []Route
	for _, route := range p.Routes {
		if route.Rule.IsPublic() {
			routes = append(routes, route)
		}
	}
	return routes
}

func (p Policy) clone() Policy {
	p.Routes = slices.Clone(p.Routes)
	return p
}

// newRoute takes a pattern apart: [METHOD ][HOST]/[PATH].
func newRoute(pattern string, rule Rule, source string) Route {
	route := Route{Pattern: pattern, Rule: rule, Source: source}
	rest := pattern
	if i := strings.IndexAny(pattern, " \t"); i >= 0 {
		route.Method, rest = pattern[:i], strings.TrimLeft(pattern[i+1:], " \t")
	}
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		route.Host, route.Path = rest[:i], rest[i:]
	}
	return route
}
