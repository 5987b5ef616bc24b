package countersign

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The members of OpenAPI 3.1 that do not change who may call what. They may be added to the file by hand.
var (
	documentMembers  = []string{"openapi", "info", "jsonSchemaDialect", "servers", "webhooks", "tags", "externalDocs"}
	pathItemMembers  = []string{"summary", "description", "parameters", "servers"}
	operationMembers = []string{"tags", "summary", "description", "externalDocs", "operationId", "parameters",
		"requestBody", "responses", "callbacks", "deprecated", "servers"}
)

// The members of an operation that are the rule.
var ruleMembers = []string{"security", extPublic, extSource, extClients, extReport, extExpiry}

// maxPolicySize bounds the document: a thousand routes are about half of one MiB.
const maxPolicySize = 16 << 20

// ParsePolicy reads a document that [Policy.OpenAPI] wrote, and that people may have described further: summaries,
// request bodies, responses and their own x- members are left alone. Whatever could change who may call what and is not
// understood is an error; all errors are reported at once, each with its place as a JSON pointer (RFC 6901).
// The routes come back in the order of the document.
func ParsePolicy(document []byte) (Policy, error) {
	if len(document) > maxPolicySize {
		return Policy{}, fmt.Errorf("countersign: policy: the document is larger than %d MiB", maxPolicySize>>20)
	}
	root, err := parseJSONNode(document)
	if err != nil {
		return Policy{}, fmt.Errorf("countersign: policy: %w", err)
	}
	var r policyReader
	r.document(root)
	if err := errors.Join(r.problems...); err != nil {
		return Policy{}, fmt.Errorf("countersign: policy: %w", err)
	}
	return r.policy, nil
}

// policyReader walks the document once and gathers what is wrong with it.
type policyReader struct {
	policy   Policy
	problems []error
}

func (r *policyReader) fail(err error) { r.problems = append(r.problems, err) }

// members returns the members of an object that are in read. One that is neither in read nor in ignore, and is no
// extension (OpenAPI 3.1.0, Section 4.9), is a mistake: "gett" would hide a route.
func (r *policyReader) members(n *jsonNode, read, ignore []string) map[string]*jsonNode {
	members, err := n.object()
	if err != nil {
		r.fail(err)
		return nil
	}
	found := map[string]*jsonNode{}
	for _, m := range members {
		switch {
		case slices.Contains(read, m.name):
			found[m.name] = m.node
		case slices.Contains(ignore, m.name):
		case strings.HasPrefix(m.name, "x-countersign-"):
			r.fail(atPointer(m.node.pointer, "a member of a newer version, or misspelt"))
		case strings.HasPrefix(m.name, "x-"):
		default:
			r.fail(atPointer(m.node.pointer, "the member does not belong here"))
		}
	}
	return found
}

// text reads a string that may be absent.
func (r *policyReader) text(n *jsonNode) string {
	if n == nil {
		return ""
	}
	s, err := n.text()
	if err != nil {
		r.fail(err)
	}
	return s
}

func (r *policyReader) document(n *jsonNode) {
	m := r.members(n, []string{"openapi", "paths", "components", extIssuer, extResource, extProfile, extRequire}, documentMembers)
	if m == nil {
		return
	}
	switch version := m["openapi"]; {
	case version == nil:
		r.fail(atPointer("/openapi", "missing: this is no OpenAPI document"))
	case !strings.HasPrefix(r.text(version), "3.1."):
		r.fail(atPointer(version.pointer, "want version 3.1, got %q", version.value))
	}
	r.policy.Issuer, r.policy.Resource = r.text(m[extIssuer]), r.text(m[extResource])
	if r.policy.Profile = Profile(r.text(m[extProfile])); r.policy.Profile != "" && r.policy.Profile != RFC9068 && r.policy.Profile != Cognito {
		r.fail(atPointer(m[extProfile].pointer, "%q is no profile", r.policy.Profile))
	}
	if m["paths"] == nil {
		r.fail(atPointer("/paths", "missing"))
		return
	}
	paths, err := m["paths"].object()
	if err != nil {
		r.fail(err)
	}
	for _, path := range paths {
		if strings.HasPrefix(path.name, "x-") {
			continue
		}
		r.pathItem(path.name, path.node)
	}
	r.require(m[extRequire])
	r.scheme(m["components"])
}

// require reads the rules that have no pattern.
func (r *policyReader) require(n *jsonNode) {
	if n == nil {
		return
	}
	operations, err := n.array()
	if err != nil {
		r.fail(err)
	}
	for _, op := range operations {
		before := len(r.problems)
		m := r.members(op, ruleMembers, operationMembers)
		rule, source := r.rule(op, m), r.text(m[extSource])
		if len(r.problems) == before {
			r.policy.Routes = append(r.policy.Routes, Route{Rule: rule, Source: source})
		}
	}
}

// scheme insists on the security scheme that the requirements name: under another type their lists are not scopes.
func (r *policyReader) scheme(n *jsonNode) {
	pointer, kind := "/components/securitySchemes/"+schemeName, ""
	for _, name := range []string{"securitySchemes", schemeName, "type"} {
		if n == nil {
			break
		}
		members, err := n.object()
		if err != nil {
			r.fail(err)
			return
		}
		i := slices.IndexFunc(members, func(m jsonMember) bool { return m.name == name })
		if n = nil; i >= 0 {
			n = members[i].node
		}
	}
	if n != nil {
		kind = r.text(n)
	}
	if kind != "oauth2" {
		r.fail(atPointer(pointer, "want a security scheme of type oauth2"))
	}
}

func (r *policyReader) pathItem(template string, n *jsonNode) {
	if !strings.HasPrefix(template, "/") {
		r.fail(atPointer(n.pointer, "a path begins with a slash"))
		return
	}
	read := []string{extAlso}
	for _, method := range openAPIMethods {
		read = append(read, strings.ToLower(method))
	}
	m := r.members(n, read, pathItemMembers)
	first := len(r.policy.Routes)
	for _, method := range openAPIMethods {
		op := m[strings.ToLower(method)]
		if op == nil {
			continue
		}
		if route, ok := r.operation(method, template, op); ok {
			r.add(first, route, op)
		}
	}
	if m[extAlso] == nil {
		return
	}
	also, err := m[extAlso].array()
	if err != nil {
		r.fail(err)
	}
	for _, op := range also {
		if route, ok := r.operation("", template, op); ok {
			r.policy.Routes = append(r.policy.Routes, route)
		}
	}
}

// add takes a route into the policy. A route for every method stands in several operations of its path and is one route.
func (r *policyReader) add(first int, route Route, n *jsonNode) {
	for _, other := range r.policy.Routes[first:] {
		if other.Pattern != route.Pattern {
			continue
		}
		if route.Method != "" || other.Rule.String() != route.Rule.String() {
			r.fail(atPointer(n.pointer, "the pattern %q stands here with another rule than above", route.Pattern))
		}
		return
	}
	r.policy.Routes = append(r.policy.Routes, route)
}

// operation reads one operation; method is empty for those beside the operations, which must name their pattern.
func (r *policyReader) operation(method, template string, n *jsonNode) (Route, bool) {
	before := len(r.problems)
	m := r.members(n, append([]string{extPattern}, ruleMembers...), operationMembers)
	text := plainPattern(method, template)
	if m[extPattern] != nil {
		text = r.text(m[extPattern])
	} else if method == "" {
		r.fail(atPointer(n.pointer, "%s is missing", extPattern))
	}
	rule := r.rule(n, m)
	source := r.text(m[extSource])
	if len(r.problems) > before {
		return Route{}, false
	}
	p, err := parseRoutePattern(text)
	if err != nil {
		r.fail(atPointer(n.pointer, "%v", err))
		return Route{}, false
	}
	if !p.fits(cmp.Or(method, p.method), template) {
		r.fail(atPointer(n.pointer+"/"+extPattern, "the pattern %q does not belong to %s", text, strings.TrimSpace(method+" "+template)))
		return Route{}, false
	}
	return Route{Pattern: text, Method: p.method, Host: p.host, Path: p.path, Rule: rule, Source: source}, true
}
