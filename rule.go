package countersign

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/countersign-dev/countersign/internal/oauth"
)

// Rule says who may call a route. It is made by [Scope], [AllScopes], [AnyScope], [Client], [Authenticated] or
// [Public], and combined with [Rule.And] and [Rule.Or]. It is a value that never changes.
//
// The zero Rule is no rule: a program that registers a route with it does not start. A route that needs no token says
// why, with [Public].
type Rule struct {
	needs       []Need // any of them suffices; empty for Public and for the zero Rule
	reason      string // of Public
	report      bool
	untilExpiry bool
}

// Need is what one caller has to bring: every scope, from the client if one is named. A Need with neither
// is content with any token that is meant for the resource.
type Need struct {
	Scopes []string // names without the resource's prefix
	Client string   // client id; empty when every client may come
}

// maxNeeds bounds the alternatives that And and Or can multiply up to.
const maxNeeds = 64

// Scope admits callers whose token has the scope. The name is written without the resource's prefix:
// "demo.read" for Cognito's "https://api.example.com/demo.read".
func Scope(name string) Rule { return scopes("Scope", []string{name}) }

// AllScopes admits callers whose token has every one of the scopes.
func AllScopes(names ...string) Rule { return scopes("AllScopes", names) }

// AnyScope admits callers whose token has at least one of the scopes.
func AnyScope(names ...string) Rule {
	all := scopes("AnyScope", names)
	var r Rule
	for _, name := range all.needs[0].Scopes {
		r.needs = append(r.needs, Need{Scopes: []string{name}})
	}
	return r
}

// Client admits callers whose token was issued to the client. It is for a route that belongs to one caller;
// the clients of a whole service are Config.ClientIDs.
func Client(id string) Rule {
	if id == "" {
		panic(startUp(`Client: the id is empty; write the client_id that the issuer gave the caller`))
	}
	return Rule{needs: []Need{{Client: id}}}
}

// Authenticated admits every caller whose token is meant for this resource, whatever its scopes. A token without an
// audience, such as Cognito's, is meant for this resource when it has one of the resource's scopes: a token without any
// of them is refused, whoever its client is.
func Authenticated() Rule { return Rule{needs: []Need{{}}} }

// Public admits everyone, with or without a token. The reason is for the reviewer, and stands in the policy.
func Public(reason string) Rule {
	if strings.TrimSpace(reason) == "" {
		panic(startUp(`Public: the reason is empty; write why nobody needs a token, as in Public("liveness probe")`))
	}
	return Rule{reason: reason}
}

// Report turns the rule into one that is only reported: it decides, logs would_deny, and admits everyone, except where the
// path may be another route's. It is for the days in which a service that had no rules gets some. Only a line of code turns
// it on.
func Report(rule Rule) Rule {
	rule.mustExist("Report")
	rule.report = true
	return rule
}

// UntilExpiry ends the request's context when the token does, leeway counted. It is for handlers that stay:
// streams and WebSockets, whose callers would otherwise keep what they were allowed once.
func UntilExpiry(rule Rule) Rule {
	rule.mustExist("UntilExpiry")
	rule.untilExpiry = true
	return rule
}

// And admits callers whom both rules admit. Neither may be public.
func (r Rule) And(other Rule) Rule {
	r.mustNotBePublic("And")
	other.mustNotBePublic("And")
	out := Rule{report: r.report || other.report, untilExpiry: r.untilExpiry || other.untilExpiry}
	for _, a := range r.needs {
		for _, b := range other.needs {
			if a.Client != "" && b.Client != "" && a.Client != b.Client {
				continue // a token has one client
			}
			need := Need{Scopes: slices.Clone(a.Scopes), Client: a.Client + b.Client}
			if a.Client == b.Client {
				need.Client = a.Client
			}
			for _, name := range b.Scopes {
				if !slices.Contains(need.Scopes, name) {
					need.Scopes = append(need.Scopes, name)
				}
			}
			out.needs = append(out.needs, need)
		}
	}
	out.checkNeeds("And")
	return out
}

// Or admits callers whom at least one of the rules admits. Neither may be public.
func (r Rule) Or(other Rule) Rule {
	r.mustNotBePublic("Or")
	other.mustNotBePublic("Or")
	if r.report != other.report {
		panic(startUp(`Or: one of the rules is only reported; write Report(a.Or(b))`))
	}
	out := Rule{needs: slices.Concat(r.needs, other.needs), report: r.report, untilExpiry: r.untilExpiry || other.untilExpiry}
	out.checkNeeds("Or")
	return out
}

// String writes the rule as Go code would.
func (r Rule) String() string {
	var s string
	switch {
	case r.IsPublic():
		s = "Public(" + strconv.Quote(r.reason) + ")"
	case len(r.needs) == 0:
		return "no rule"
	case len(r.needs) > 1 && !slices.ContainsFunc(r.needs, func(n Need) bool { return len(n.Scopes) != 1 || n.Client != "" }):
		var names []string
		for _, need := range r.needs {
			names = append(names, need.Scopes...)
		}
		s = call("AnyScope", names)
	default:
		for i, need := range r.needs {
			if i == 0 {
				s = need.String()
			} else {
				s += ".Or(" + need.String() + ")"
			}
		}
	}
	if r.untilExpiry {
		s = "UntilExpiry(" + s + ")"
	}
	if r.report {
		s = "Report(" + s + ")"
	}
	return s
}

// String writes the need as the rule that has only it.
func (n Need) String() string {
	client := "Client(" + strconv.Quote(n.Client) + ")"
	var s string
	switch len(n.Scopes) {
	case 0:
		if n.Client != "" {
			return client
		}
		return "Authenticated()"
	case 1:
		s = call("Scope", n.Scopes)
	default:
		s = call("AllScopes", n.Scopes)
	}
	if n.Client != "" {
		s += ".And(" + client + ")"
	}
	return s
}

// IsPublic reports whether the rule is one of [Public].
func (r Rule) IsPublic() bool { return r.reason != "" }

// IsReport reports whether the rule is only reported.
func (r Rule) IsReport() bool { return r.report }

// IsUntilExpiry reports whether the request's context ends with the token.
func (r Rule) IsUntilExpiry() bool { return r.untilExpiry }

// Reason is the reason of a public rule, and empty for the others.
func (r Rule) Reason() string { return r.reason }

// Needs returns what a caller has to bring; any one of them suffices. It is empty for a public rule.
func (r Rule) Needs() []Need {
	needs := slices.Clone(r.needs)
	for i := range needs {
		needs[i].Scopes = slices.Clone(needs[i].Scopes)
	}
	return needs
}

// Alternatives returns the scopes of [Rule.Needs], as OpenAPI's security has them: each inner list suffices,
// and an empty one asks for no scope. It is nil for a public rule. A client that a need names is not in it.
func (r Rule) Alternatives() [][]string {
	var lists [][]string
	for _, need := range r.needs {
		lists = append(lists, append([]string{}, need.Scopes...))
	}
	return lists
}

func (r Rule) isZero() bool { return len(r.needs) == 0 && r.reason == "" }

func (r Rule) mustExist(function string) {
	if r.isZero() {
		panic(startUp(function + ": it is given no rule; " + sayWho))
	}
}

func (r Rule) mustNotBePublic(function string) {
	r.mustExist(function)
	if r.IsPublic() {
		panic(startUp(function + ": one of the rules is public; a route is public or it is not, so write one of the two"))
	}
}

func (r Rule) checkNeeds(function string) {
	if len(r.needs) == 0 {
		panic(startUp(function + ": nobody could satisfy the rule; a token has one client, so join the Client rules with Or"))
	}
	if len(r.needs) > maxNeeds {
		panic(startUp(fmt.Sprintf("%s: the rule has more than %d alternatives; split the route", function, maxNeeds)))
	}
}

// scopes makes the rule that needs all names.
//
// RFC 6749, Section 3.3: a scope token has no space, quote or backslash; one that had would match no token, and
// would break the challenge that names it.
func scopes(function string, names []string) Rule {
	if len(names) == 0 {
		panic(startUp(function + `: it is given no scope; write one, as in Scope("orders.read"), or Authenticated()`))
	}
	var unique []string
	for _, name := range names {
		if !oauth.ValidScopeToken(name) {
			panic(startUp(fmt.Sprintf(`%s: %q is not a scope name (RFC 6749, Section 3.3); write one name without spaces, as in Scope("orders.read")`,
				function, name)))
		}
		if !slices.Contains(unique, name) {
			unique = append(unique, name)
		}
	}
	return Rule{needs: []Need{{Scopes: unique}}}
}

func call(function string, args []string) string {
	quoted := make([]string, len(args))
	for i, arg := range args {
		quoted[i] = strconv.Quote(arg)
	}
	return function + "(" + strings.Join(quoted, ", ") + ")"
}
