package countersign

import (
	"bytes"
	"encoding/json"
	"fmt"
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
