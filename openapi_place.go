package countersign

import (
	"cmp"
	"fmt"
	"slices"
)

// documentRoute is a route and its pattern, taken apart.
type documentRoute struct {
	Route
	routePattern
}

// documentRoutes sorts the routes as the document lists them and drops those that say the same twice.
func (p Policy) documentRoutes() ([]documentRoute, error) {
	routes := make([]documentRoute, 0, len(p.Routes))
	for _, r := range p.Routes {
		var parsed routePattern
		if r.Pattern != "" {
			var err error
			if parsed, err = parseRoutePattern(r.Pattern); err != nil {
				return nil, fmt.Errorf("route %q: %w", r.Pattern, err)
			}
		}
		if r.Rule.isZero() {
			return nil, fmt.Errorf("route %q has no rule", r.Pattern)
		}
		routes = append(routes, documentRoute{r, parsed})
	}
	slices.SortStableFunc(routes, func(a, b documentRoute) int {
		return cmp.Or(
			cmp.Compare(a.shape(), b.shape()),
			cmp.Compare(a.text, b.text),
			cmp.Compare(a.Rule.String(), b.Rule.String()),
			cmp.Compare(a.Source, b.Source),
		)
	})
	return slices.CompactFunc(routes, func(a, b documentRoute) bool {
		return a.text == b.text && a.Rule.String() == b.Rule.String()
	}), nil
}

// documentPaths gives each route its place: first those that a path and a method say exactly, then the others
// in the operations that are left.
func (p Policy) documentPaths(routes []documentRoute) map[string]*openAPIPath {
	byShape := map[string][]documentRoute{}
	for _, r := range routes {
		if r.Pattern == "" {
			continue
		}
		byShape[r.shape()] = append(byShape[r.shape()], r)
	}
	paths := map[string]*openAPIPath{}
	for _, group := range byShape {
		template, names := group[0].template, group[0].names
		if i := slices.IndexFunc(group, func(r documentRoute) bool { return isPlain(r, r.template) }); i >= 0 {
			template, names = group[i].template, group[i].names
		}
		item := &openAPIPath{}
		for _, name := range names {
			item.Parameters = append(item.Parameters, openAPIParameter{name, "path", true, map[string]string{"type": "string"}})
		}
		for _, plain := range []bool{true, false} {
			for _, r := range group {
				if isPlain(r, template) == plain {
					p.place(item, r, plain)
				}
			}
		}
		paths[template] = item
	}
	return paths
}

func isPlain(r documentRoute, template string) bool {
	return slices.Contains(openAPIMethods, r.method) && r.text == plainPattern(r.method, template)
}

// place writes the route into every operation it stands for that is still free, or else beside them.
func (p Policy) place(item *openAPIPath, r documentRoute, plain bool) {
	op := p.operation(r)
	op.Responses = openAPIResponses(r.Rule)
	if !plain {
		op.Pattern = r.text
	}
	placed := false
	for _, method := range r.operations() {
		if slot := item.slot(method); *slot == nil {
			*slot, placed = &op, true
		}
	}
	if !placed {
		op.Pattern, op.Responses = r.text, nil
		item.Also = append(item.Also, op)
	}
}

// operation writes the rule of a route.
func (p Policy) operation(r documentRoute) openAPIOperation {
	op := openAPIOperation{
		Source:   r.Source,
		Public:   r.Rule.Reason(),
		Report:   r.Rule.IsReport(),
		Expiry:   r.Rule.IsUntilExpiry(),
		Security: p.security(r.Rule),
	}
	if r.host != "" {
		// OpenAPI 3.1.0, Section 4.8.10: an operation may name its own servers. The scheme is not the policy's business.
		op.Servers = []map[string]string{{"url": "//" + r.host}}
	}
	needs := r.Rule.Needs()
	if slices.ContainsFunc(needs, func(n Need) bool { return n.Client != "" }) {
		// A requirement of OpenAPI has no room for a client: the list runs beside it.
		for _, need := range needs {
			op.Clients = append(op.Clients, need.Client)
		}
	}
	return op
}

func (i *openAPIPath) slot(method string) **openAPIOperation {
	return map[string]**openAPIOperation{
		"GET": &i.Get, "PUT": &i.Put, "POST": &i.Post, "DELETE": &i.Delete,
		"OPTIONS": &i.Options, "HEAD": &i.Head, "PATCH": &i.Patch, "TRACE": &i.Trace,
	}[method]
}

// security writes the rule: one requirement is enough, and within it every scope is needed
// (OpenAPI 3.1.0, Section 4.8.30). An empty list removes all requirements (Section 4.8.10).
func (p Policy) security(r Rule) []map[string][]string {
	requirements := []map[string][]string{}
	for _, scopes := range r.Alternatives() {
		full := make([]string, 0, len(scopes))
		for _, name := range scopes {
			full = append(full, p.FullScope(name))
		}
		requirements = append(requirements, map[string][]string{schemeName: full})
	}
	return requirements
}

// openAPIResponses are the refusals of the guard and, as default, whatever the handler answers.
func openAPIResponses(r Rule) map[string]any {
	all := map[string]any{"default": map[string]string{"description": "The answer of the service."}}
	if r.IsPublic() {
		return all
	}
	all["401"] = map[string]string{"$ref": "#/components/responses/Unauthorized"}
	if !openAPIAnyToken(r) {
		all["403"] = map[string]string{"$ref": "#/components/responses/Forbidden"}
	}
	return all
}

// openAPIAnyToken says whether a token needs neither scope nor client: then there is no 403.
func openAPIAnyToken(r Rule) bool {
	return slices.ContainsFunc(r.Needs(), func(n Need) bool { return len(n.Scopes) == 0 && n.Client == "" })
}
