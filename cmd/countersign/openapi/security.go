package openapi

import (
	"slices"
	"strings"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/cmd/countersign/document"
)

// extPublic is the member with which a public operation says why nobody needs a token.
const extPublic = "x-countersign-public"

// The reasons of operations that everybody may call and that do not say why.
const (
	reasonPublic   = "documented as public"
	reasonOptional = "documented as optional: a token may be sent, and need not"
	reasonNone     = "documented without security"
)

// maxAlternatives bounds a rule, as package countersign does.
const maxAlternatives = 64

// scheme is a security scheme: one whose credential is an access token, or one that is not judged.
type scheme struct {
	bearer   bool            // of type http: OpenAPI does not say what names its requirements have
	scopes   map[string]bool // that the flows of oauth2 declare; nil when nobody declares any
	notJudge string          // what is demanded, for one that is not judged
}

func (r *reader) readSchemes(n *document.Node) {
	r.schemes = map[string]scheme{}
	if !r.is(n, document.Object, "securitySchemes") {
		return
	}
	for _, m := range n.Members {
		if s := r.follow(m.Value); s != nil && r.is(s, document.Object, "a security scheme") {
			r.schemes[m.Name] = r.readScheme(m.Name, s)
		}
	}
}

// readScheme reads a Security Scheme Object (OpenAPI 3.1.0, Section 4.8.27).
func (r *reader) readScheme(name string, n *document.Node) scheme {
	kind := n.Get("type")
	of := " (" + document.Plain(name) + ")"
	switch text := r.text(kind, "type"); text {
	case "oauth2":
		return scheme{scopes: r.declaredScopes(n.Get("flows"))}
	case "openIdConnect":
		return scheme{}
	case "http":
		how := r.text(n.Get("scheme"), "scheme")
		if strings.EqualFold(how, "bearer") {
			return scheme{bearer: true}
		}
		return scheme{notJudge: "HTTP " + document.Plain(how) + " authentication" + of}
	case "apiKey":
		where := document.Plain(r.text(n.Get("in"), "in") + " " + r.text(n.Get("name"), "name"))
		if strings.EqualFold(where, "header Authorization") {
			r.notef(n.Place, "an API key in the Authorization header is not judged; if it is an access token, write type: http, scheme: bearer")
		}
		return scheme{notJudge: "an API key in " + where + of}
	case "mutualTLS":
		return scheme{notJudge: "a client certificate" + of}
	default:
		p := n.Place
		if kind != nil {
			p = kind.Place
		}
		r.failf(p, "the security scheme %s has the type %s; write oauth2, openIdConnect, http, apiKey or mutualTLS", document.Quote(name), document.Quote(text))
		return scheme{notJudge: "a scheme of no known type" + of}
	}
}

func (r *reader) declaredScopes(flows *document.Node) map[string]bool {
	declared := map[string]bool{}
	if !r.is(flows, document.Object, "flows") {
		return nil
	}
	for _, flow := range flows.Members {
		if scopes := flow.Value.Get("scopes"); scopes != nil && r.is(scopes, document.Object, "scopes") {
			for _, m := range scopes.Members {
				declared[m.Name] = true
			}
		}
	}
	if len(declared) == 0 {
		return nil
	}
	return declared
}

// rule reads who may call an operation, or why that cannot be judged. OpenAPI 3.1.0, Section 4.8.10: security of an operation overrides
// that of the document, and an empty list removes it.
func (r *reader) rule(op *document.Node) (rule countersign.Rule, notJudged string) {
	security, own := op.Get("security"), true
	if security == nil {
		security, own = r.global, false
	}
	stated := op.Get(extPublic)
	reason := strings.TrimSpace(r.text(stated, extPublic))
	if stated != nil && reason == "" {
		r.failf(stated.Place, "%s is empty; write why nobody needs a token", extPublic)
	}
	public := func(otherwise string) (countersign.Rule, string) {
		if reason == "" {
			reason = otherwise
		}
		return countersign.Public(document.Plain(reason)), ""
	}
	if security == nil {
		return public(reasonNone)
	}
	if !r.is(security, document.Array, "security") {
		return rule, "has a security that is no list"
	}
	if len(security.Items) == 0 {
		return public(reasonPublic)
	}
	needs, others, optional := r.requirements(security)
	if optional {
		return public(reasonOptional)
	}
	if stated != nil && own {
		r.failf(stated.Place, "the operation demands a token and calls itself public; write security: [] or remove %s", extPublic)
	} else if stated != nil {
		r.failf(stated.Place, "the operation inherits the document's security and calls itself public; write security: [] beside %s", extPublic)
	}
	if len(needs) == 0 {
		return rule, "demands " + strings.Join(others, ", or ") + ", which is not judged"
	}
	if len(others) > 0 {
		r.notef(security.Place, "who brings %s instead of a token is not judged", strings.Join(others, ", or "))
	}
	return ruleOf(needs), ""
}

// requirements reads the alternatives: the scopes of those that an access token satisfies, and the words for the others.
// OpenAPI 3.1.0, Section 4.8.30: one of the list has to be satisfied, and of one all schemes; {} makes security optional.
func (r *reader) requirements(security *document.Node) (needs [][]string, others []string, optional bool) {
	if len(security.Items) > maxAlternatives {
		r.failf(security.Place, "more than %d alternatives; split the operation", maxAlternatives)
		return nil, []string{"too much"}, false
	}
	for _, item := range security.Items {
		if !r.is(item, document.Object, "a security requirement") {
			continue
		}
		if len(item.Members) == 0 {
			optional = true
			continue
		}
		scopes, other := r.requirement(item)
		if other != "" {
			if !slices.Contains(others, other) {
				others = append(others, other)
			}
			continue
		}
		needs = append(needs, scopes)
	}
	return needs, others, optional
}

// requirement reads one alternative. Several schemes of it that are all access tokens are one token that satisfies each: a request
// carries no more than one (RFC 6750, Section 2).
func (r *reader) requirement(n *document.Node) (scopes []string, other string) {
	var demands []string
	token := false
	if !r.spend(len(n.Members)) {
		return nil, "too much"
	}
	for _, m := range n.Members {
		s, known := r.schemes[m.Name]
		if !known {
			r.unknownScheme(m)
			continue
		}
		names := r.scopeNames(m)
		switch {
		case s.notJudge != "":
			demands = append(demands, s.notJudge)
		default:
			token = true
			if s.bearer && len(names) > 0 {
				// OpenAPI 3.0 allows none here, and 3.1 calls them "role names" (Section 4.8.30.1). In documents that are published they are scopes.
				r.notef(m.Value.Place, "the names of %s are taken for scopes of the token; the type oauth2 or openIdConnect would say so", document.Quote(m.Name))
			}
			for _, name := range names {
				if s.scopes != nil && !s.scopes[name] {
					r.notef(m.Value.Place, "the scope %s is not one that the scheme %s declares", document.Quote(name), document.Quote(m.Name))
				}
				if !slices.Contains(scopes, name) {
					scopes = append(scopes, name)
				}
			}
		}
	}
	if len(demands) == 0 {
		return scopes, ""
	}
	if token {
		demands = append([]string{"an access token"}, demands...)
	}
	return nil, strings.Join(demands, " and ")
}

func (r *reader) unknownScheme(m document.Member) {
	known := make([]string, 0, len(r.schemes))
	for name := range r.schemes {
		known = append(known, name)
	}
	slices.Sort(known)
	instead := "describe it in components/securitySchemes"
	if len(known) > 0 {
		instead = "components/securitySchemes has " + document.Plain(strings.Join(known, ", "))
	}
	r.failf(m.Place, "there is no security scheme %s; %s", document.Quote(m.Name), instead)
}

// scopeNames reads the list of one scheme. RFC 6749, Section 3.3: a scope has no space, quote or backslash.
func (r *reader) scopeNames(m document.Member) []string {
	if !r.is(m.Value, document.Array, "the list of scopes") {
		return nil
	}
	if len(m.Value.Items) > maxScopes {
		r.failf(m.Value.Place, "more than %d scopes; no token has so many", maxScopes)
		return nil
	}
	var names []string
	for _, item := range m.Value.Items {
		name := r.text(item, "a scope")
		if name == "" || strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c > '~' || c == '"' || c == '\\' }) {
			r.failf(item.Place, "%s is no scope (RFC 6749, Section 3.3); write one name without spaces", document.Quote(name))
			continue
		}
		names = append(names, name)
	}
	return names
}

// ruleOf joins the alternatives.
func ruleOf(needs [][]string) countersign.Rule {
	var rule countersign.Rule
	for i, scopes := range needs {
		next := countersign.Authenticated()
		if len(scopes) > 0 {
			next = countersign.AllScopes(scopes...)
		}
		if i == 0 {
			rule = next
		} else {
			rule = rule.Or(next)
		}
	}
	return rule
}
