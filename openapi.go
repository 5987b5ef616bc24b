package countersign

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// The members that Countersign adds to an OpenAPI document.
const (
	extResource = "x-countersign-resource" // of the document: the prefix of its scopes
	extIssuer   = "x-countersign-issuer"   // of the document: the issuer, when the policy names one
	extPattern  = "x-countersign-pattern"  // of an operation: the pattern, where a path and a method do not say it
	extPublic   = "x-countersign-public"   // of an operation: why nobody needs a token
	extSource   = "x-countersign-source"   // of an operation: file:line of the registration
	extAlso     = "x-countersign-also"     // of a path: the routes for which the path has no operation left
	extProfile  = "x-countersign-profile"  // of the document: the profile of the tokens, unless it is Cognito's
	extRequire  = "x-countersign-require"  // of the document: the rules that have no pattern, of Guard.Require
	extClients  = "x-countersign-clients"  // of an operation: the client that each requirement asks for, or ""
	extReport   = "x-countersign-report"   // of an operation: true when the rule is only reported
	extExpiry   = "x-countersign-until-expiry"
)

const (
	openAPIVersion = "3.1.0"
	// schemeName names the security scheme. One name for every policy, so that a change of issuer changes no operation.
	schemeName = "oauth2"
	// A tokenUrl is required (OpenAPI 3.1.0, Section 4.8.28.1) and a policy does not know it: it holds for every
	// stage, each with an issuer of its own, and Cognito's token endpoint is on another host than its issuer.
	// RFC 6761, Section 6.4: no name under .invalid is ever resolved, so that no tool sends a secret there.
	noTokenURL = "https://issuer.invalid/oauth2/token"
)

type openAPIDocument struct {
	OpenAPI    string                  `json:"openapi"`
	Info       openAPIInfo             `json:"info"`
	Issuer     string                  `json:"x-countersign-issuer,omitempty"`
	Resource   string                  `json:"x-countersign-resource,omitempty"`
	Profile    Profile                 `json:"x-countersign-profile,omitempty"`
	Require    []openAPIOperation      `json:"x-countersign-require,omitempty"`
	Paths      map[string]*openAPIPath `json:"paths"`
	Components openAPIComponents       `json:"components"`
}

type openAPIInfo struct {
	Title       string `json:"title"`
	Version     string `json:"version"`
	Description string `json:"description"`
}

type openAPIPath struct {
	Parameters []openAPIParameter `json:"parameters,omitempty"`
	Get        *openAPIOperation  `json:"get,omitempty"`
	Put        *openAPIOperation  `json:"put,omitempty"`
	Post       *openAPIOperation  `json:"post,omitempty"`
	Delete     *openAPIOperation  `json:"delete,omitempty"`
	Options    *openAPIOperation  `json:"options,omitempty"`
	Head       *openAPIOperation  `json:"head,omitempty"`
	Patch      *openAPIOperation  `json:"patch,omitempty"`
	Trace      *openAPIOperation  `json:"trace,omitempty"`
	Also       []openAPIOperation `json:"x-countersign-also,omitempty"`
}

type openAPIParameter struct {
	Name     string            `json:"name"`
	In       string            `json:"in"`
	Required bool              `json:"required"`
	Schema   map[string]string `json:"schema"`
}

type openAPIOperation struct {
	Pattern   string                `json:"x-countersign-pattern,omitempty"`
	Source    string                `json:"x-countersign-source,omitempty"`
	Public    string                `json:"x-countersign-public,omitempty"`
	Report    bool                  `json:"x-countersign-report,omitempty"`
	Expiry    bool                  `json:"x-countersign-until-expiry,omitempty"`
	Clients   []string              `json:"x-countersign-clients,omitempty"`
	Servers   []map[string]string   `json:"servers,omitempty"`
	Security  []map[string][]string `json:"security"`
	Responses map[string]any        `json:"responses,omitempty"`
}

type openAPIComponents struct {
	Responses       map[string]any           `json:"responses"`
	SecuritySchemes map[string]openAPIScheme `json:"securitySchemes"`
}

type openAPIScheme struct {
	Type        string         `json:"type"`
	Description string         `json:"description"`
	Flows       map[string]any `json:"flows"`
}

// OpenAPI writes the policy as an OpenAPI 3.1 document in JSON, the same bytes for the same policy, in whatever
// order its routes were registered. Each operation carries its security requirement with the full names of its scopes;
// a public one has `"security": []` and its reason in x-countersign-public.
//
// What OpenAPI has no words for (a host, a subtree, {rest...}, a route for every method) stands in x-countersign-pattern,
// so that [ParsePolicy] reads back the same policy. It is an error if a route has no rule.
func (p Policy) OpenAPI() ([]byte, error) {
	routes, err := p.documentRoutes()
	if err != nil {
		return nil, fmt.Errorf("countersign: policy: %w", err)
	}
	doc := openAPIDocument{
		OpenAPI: openAPIVersion,
		Info: openAPIInfo{
			Title:       strings.TrimSpace("Who may call " + p.Resource),
			Version:     "1",
			Description: "Written by Countersign from the routes of the service. Each operation names the scopes that it demands.",
		},
		Issuer:     p.Issuer,
		Resource:   p.Resource,
		Profile:    p.Profile,
		Paths:      p.documentPaths(routes),
		Components: p.documentComponents(routes),
	}
	for _, r := range routes {
		if r.Pattern == "" {
			doc.Require = append(doc.Require, p.operation(r))
		}
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false) // people read this file
	e.SetIndent("", "  ")
	if err := e.Encode(doc); err != nil {
		return nil, fmt.Errorf("countersign: policy: %w", err)
	}
	return out.Bytes(), nil
}

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

func (p Policy) documentComponents(routes []documentRoute) openAPIComponents {
	scopes := map[string]string{}
	for _, r := range routes {
		for _, alternative := range r.Rule.Alternatives() {
			for _, name := range alternative {
				scopes[p.FullScope(name)] = name
			}
		}
	}
	refusal := func(description string) any {
		return map[string]any{
			"description": description,
			"headers":     map[string]any{"WWW-Authenticate": map[string]any{"schema": map[string]string{"type": "string"}}},
			"content":     map[string]any{"application/problem+json": map[string]any{"schema": map[string]string{"type": "object"}}},
		}
	}
	return openAPIComponents{
		Responses: map[string]any{
			"Unauthorized": refusal("No access token, or one that is not valid (RFC 6750, Section 3.1)."),
			"Forbidden":    refusal("The access token lacks a scope: insufficient_scope (RFC 6750, Section 3.1)."),
		},
		SecuritySchemes: map[string]openAPIScheme{schemeName: {
			Type:        "oauth2",
			Description: "The token endpoint is the one that the issuer's discovery document names.",
			Flows: map[string]any{"clientCredentials": map[string]any{
				"scopes":   scopes,
				"tokenUrl": noTokenURL,
			}},
		}},
	}
}
