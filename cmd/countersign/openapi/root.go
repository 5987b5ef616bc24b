package openapi

import (
	"cmp"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/document"
)

// The members of the objects whose misspelling could change who may call what (OpenAPI 3.1.0, Sections 4.8.1, 4.8.9 and 4.8.10).
var (
	rootMembers = []string{"openapi", "info", "jsonSchemaDialect", "servers", "paths", "webhooks", "components", "security", "tags",
		"externalDocs"}
	pathItemMembers  = []string{"$ref", "summary", "description", "servers", "parameters"}
	operationMembers = []string{"tags", "summary", "description", "externalDocs", "operationId", "parameters", "requestBody", "responses",
		"callbacks", "deprecated", "security", "servers"}
)

// methods are the operations of a path, in the order of the specification (OpenAPI 3.1.0, Section 4.8.9.1).
var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

func (r *reader) document(n *document.Node) {
	if n.Kind != document.Object {
		r.failf(n.Place, "this is %s and no OpenAPI document; it begins with openapi: 3.1.0", n.Kind)
		return
	}
	if !r.readVersion(n) || !r.members(n, "an OpenAPI document", rootMembers) {
		return
	}
	r.readSchemes(n.Get("components").Get("securitySchemes"))
	r.global = n.Get("security")
	r.server = r.documentServer(n.Get("servers"))
	r.out.Base = r.server.base
	paths := n.Get("paths")
	if paths == nil {
		r.failf(n.Place, "paths is missing; list the paths of the service there")
		return
	}
	if !r.is(paths, document.Object, "paths") {
		return
	}
	for _, m := range paths.Members {
		if !strings.HasPrefix(m.Name, "x-") {
			r.pathItem(m)
		}
	}
	r.settle()
	r.worthwhile(paths)
}

func (r *reader) readVersion(n *document.Node) bool {
	version := n.Get("openapi")
	if old := n.Get("swagger"); version == nil && old != nil {
		r.failf(old.Place, "this is Swagger 2.0; convert it to OpenAPI 3, as with: npx swagger2openapi --yaml FILE")
		return false
	}
	if version == nil {
		r.failf(n.Place, "openapi is missing: this is no OpenAPI document; it begins with openapi: 3.1.0")
		return false
	}
	text := version.Text
	if version.Kind != document.String && version.Kind != document.Number || !strings.HasPrefix(text+".", "3.0.") && !strings.HasPrefix(text+".", "3.1.") {
		r.failf(version.Place, "openapi is %s; versions 3.0 and 3.1 are read", document.Quote(text))
		return false
	}
	return true
}

// worthwhile refuses a document from which nothing follows: a proof of it would be green and empty.
func (r *reader) worthwhile(paths *document.Node) {
	var judged, demanding, notJudged int
	first := ""
	for _, op := range r.out.Operations {
		switch {
		case op.NotJudged != "":
			notJudged++
			first = cmp.Or(first, document.Plain(op.Name())+" "+op.NotJudged)
		case op.Route.Rule.IsPublic():
			judged++
		default:
			judged++
			demanding++
		}
	}
	switch {
	case len(r.problems) > 0 || demanding > 0:
	case judged+notJudged == 0:
		r.failf(paths.Place, "there is no operation; write one, as in /orders: {get: …}")
	case notJudged > 0:
		r.failf(paths.Place, "no operation that demands an access token can be judged; the first that is not: %s", first)
	default:
		r.failf(paths.Place, "no operation demands an access token; write security at the document or at its operations")
	}
}

// pathItem reads the operations of one path.
func (r *reader) pathItem(m document.Member) {
	if !strings.HasPrefix(m.Name, "/") {
		r.failf(m.Place, "the path %s has no slash in front; write %s", document.Quote(m.Name), document.Quote("/"+m.Name))
		return
	}
	item := r.follow(m.Value)
	if item == nil || !r.members(item, "a path", slices.Concat(pathItemMembers, methods)) {
		return
	}
	if item != m.Value {
		// OpenAPI 3.1.0, Section 4.8.9.1: what a field beside $ref means when both define it is undefined.
		for _, beside := range m.Value.Members {
			if slices.Contains(methods, beside.Name) || beside.Name == "servers" || beside.Name == "parameters" {
				r.failf(beside.Place, "%s stands beside $ref, which OpenAPI leaves undefined; write it into what $ref points to", beside.Name)
			}
		}
	}
	for _, method := range methods {
		// OpenAPI has no reference in this place; those who split their documents write one, and bundlers follow it.
		op := r.follow(item.Get(method))
		if op == nil || !r.members(op, "an operation", operationMembers) {
			continue
		}
		if len(r.out.Operations) >= maxOperations {
			r.failf(op.Place, "more than %d operations", maxOperations)
			return
		}
		r.operation(m.Name, method, item, op)
	}
}

// operation reads one operation. Where it stands is its path's line: that is where its method is to be found as well.
func (r *reader) operation(template, method string, item, op *document.Node) {
	out := Operation{Template: template, Place: memberPlace(item, method)}
	out.Route.Method = strings.ToUpper(method)
	out.Route.Source = source(out.Place)
	rule, why := r.rule(op)
	at := r.server
	for _, servers := range []*document.Node{op.Get("servers"), item.Get("servers")} {
		if servers != nil {
			var elsewhere string
			at, elsewhere = r.ownServer(servers)
			why = cmp.Or(why, elsewhere)
			break
		}
	}
	parameters := r.parameters(item.Get("parameters"), op.Get("parameters"))
	draft := draft{Operation: out, base: at.base, path: parameters.path}
	draft.Route.Rule, draft.NotJudged = rule, why
	if draft.NotJudged == "" {
		draft.Example.Query, draft.Example.Header = parameters.query.Encode(), parameters.header
		r.body(&draft.Example, r.follow(op.Get("requestBody")))
		draft.Example.Success = r.success(op.Get("responses"))
	}
	r.place(draft)
}

// memberPlace is where the name of a member stands.
func memberPlace(n *document.Node, name string) document.Place {
	i := slices.IndexFunc(n.Members, func(m document.Member) bool { return m.Name == name })
	return n.Members[i].Place
}
