package countersign

import (
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/internal/oauth"
)

// rule reads a security requirement and what stands beside it. Its absence is an error and not a default: OpenAPI would
// inherit one from the document, and a missing line must not open a route.
func (r *policyReader) rule(op *jsonNode, m map[string]*jsonNode) Rule {
	if m["security"] == nil {
		r.fail(atPointer(op.pointer, "security is missing: say who may call this"))
		return Rule{}
	}
	requirements, err := m["security"].array()
	if err != nil {
		r.fail(err)
		return Rule{}
	}
	rule := Rule{report: r.flag(m[extReport]), untilExpiry: r.flag(m[extExpiry])}
	switch public := m[extPublic]; {
	case len(requirements) == 0 && public == nil:
		r.fail(atPointer(m["security"].pointer, "a public route says why in %s", extPublic))
	case len(requirements) > 0 && public != nil:
		r.fail(atPointer(public.pointer, "the route demands a token and calls itself public"))
	case public != nil:
		if rule.reason = r.text(public); strings.TrimSpace(rule.reason) == "" && rule.reason != "" {
			r.fail(atPointer(public.pointer, "the reason is empty"))
		}
	case len(requirements) > maxNeeds:
		r.fail(atPointer(m["security"].pointer, "more than %d alternatives", maxNeeds))
	}
	clients := r.clients(m[extClients], len(requirements))
	for i, requirement := range requirements {
		need := Need{Scopes: r.requirement(requirement)}
		if clients != nil {
			need.Client = clients[i]
		}
		rule.needs = append(rule.needs, need)
	}
	return rule
}

// flag reads a boolean that may be absent.
func (r *policyReader) flag(n *jsonNode) bool {
	if n == nil {
		return false
	}
	b, ok := n.value.(bool)
	if !ok {
		r.fail(atPointer(n.pointer, "want a boolean, got %s", n.kind()))
	}
	return b
}

// clients reads the list that runs beside the requirements.
func (r *policyReader) clients(n *jsonNode, count int) []string {
	if n == nil {
		return nil
	}
	elements, err := n.array()
	if err != nil {
		r.fail(err)
		return nil
	}
	if len(elements) != count {
		r.fail(atPointer(n.pointer, "%d clients for %d requirements", len(elements), count))
		return nil
	}
	clients := make([]string, count)
	for i, element := range elements {
		client, ok := element.value.(string)
		if !ok {
			r.fail(atPointer(element.pointer, "want a string, got %s", element.kind()))
		}
		clients[i] = client
	}
	return clients
}

// requirement reads {"oauth2": ["https://api.example.com/orders.read"]} as the names of the scopes.
func (r *policyReader) requirement(n *jsonNode) []string {
	members, err := n.object()
	if err != nil {
		r.fail(err)
		return nil
	}
	// An empty requirement admits everybody (OpenAPI 3.1.0, Section 4.8.30); a public route says so with a reason.
	if len(members) != 1 || members[0].name != schemeName {
		r.fail(atPointer(n.pointer, "want one member, %q", schemeName))
		return nil
	}
	scopes, err := members[0].node.array()
	if err != nil {
		r.fail(err)
		return nil
	}
	var names []string
	for _, scope := range scopes {
		full := r.text(scope)
		if full == "" {
			continue
		}
		name, ok := r.policy.scopeName(full)
		switch {
		case !ok:
			r.fail(atPointer(scope.pointer, "the scope %q does not begin with the resource %q", full, r.policy.Resource))
		case !oauth.ValidScopeToken(name):
			r.fail(atPointer(scope.pointer, "%q is no scope (RFC 6749, Section 3.3)", full))
		case slices.Contains(names, name):
			r.fail(atPointer(scope.pointer, "the scope %q is there twice", full))
		}
		names = append(names, name)
	}
	return names
}

// scopeName is the inverse of [Policy.FullScope].
func (p Policy) scopeName(full string) (string, bool) {
	if p.Profile == RFC9068 {
		return full, true
	}
	return strings.CutPrefix(full, p.Resource+"/")
}
