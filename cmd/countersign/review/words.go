package review

import (
	"fmt"
	"strings"

	"github.com/countersign-dev/countersign"
)

// A Class says what a change means to a reviewer.
type Class string

// The classes, the gravest first.
const (
	Public   Class = "public"   // nobody needs a token any more, or for a new route
	Reported Class = "reported" // the rule is only reported now: everyone gets in
	Widened  Class = "widened"  // callers get in who did not
	Appeared Class = "appeared" // a new route, with a rule
	Narrowed Class = "narrowed" // callers do not get in who did
	Vanished Class = "vanished" // the route is gone
	Reworded Class = "reworded" // the same callers get in, for another reason
)

// classOf judges a change. Who is let in more is countersign's verdict; this only says in which way.
func classOf(c countersign.Change) Class {
	now := ruleNow(c)
	switch {
	case c.Kind == countersign.RouteVanished && !c.Widened():
		return Vanished
	case c.Widened() && now.IsPublic():
		return Public
	case c.Widened() && now.IsReport():
		return Reported
	case c.Kind == countersign.RouteAppeared:
		return Appeared
	case c.Widened():
		return Widened
	case everyone(c.Old) && everyone(c.New):
		return Reworded
	}
	return Narrowed
}

// ruleNow is the rule that the requests of the route are under now: that of a wider pattern, if the route is gone and one has them.
func ruleNow(c countersign.Change) countersign.Rule {
	if c.Kind == countersign.RouteVanished {
		return c.Instead.Rule
	}
	return c.New
}

func everyone(r countersign.Rule) bool { return r.IsPublic() || r.IsReport() }

// namer writes the scopes of one policy: by their short names, or in full where the resources of the two differ.
type namer func(scope string) string

// who says in words who may call: "orders.read or orders.admin".
func who(r countersign.Rule, name namer) string {
	var words []string
	for _, need := range r.Needs() {
		words = append(words, bring(need, name))
	}
	all := strings.Join(words, " or ")
	if r.IsPublic() {
		all = "public, " + r.Reason()
	}
	if r.IsUntilExpiry() {
		all += ", until the token expires"
	}
	if r.IsReport() {
		all += ", only reported"
	}
	return all
}

// bring says what one caller has to bring.
func bring(need countersign.Need, name namer) string {
	scopes := make([]string, len(need.Scopes))
	for i, scope := range need.Scopes {
		scopes[i] = name(scope)
	}
	all := strings.Join(scopes, " and ")
	switch {
	case all == "" && need.Client == "":
		return "any valid token"
	case all == "":
		return "a token of client " + need.Client
	case need.Client != "":
		return all + " of client " + need.Client
	}
	return all
}

// sentence says the change after the name of its route.
func (c Change) sentence() string {
	if c.instead != "" {
		return "is gone, and " + c.instead + " has its requests: " + c.rules()
	}
	return c.rules()
}

// rules says who may call, and who could.
func (c Change) rules() string {
	switch c.Class {
	case Public:
		if c.Old == "" {
			return fmt.Sprintf("now reachable without a token (%s; new route)", c.reason)
		}
		return fmt.Sprintf("became public (%s; before: %s)", c.reason, c.Old)
	case Reported:
		if c.Old == "" {
			return fmt.Sprintf("now reachable by everyone (%s; new route)", c.New)
		}
		return fmt.Sprintf("lets everyone in (%s; before: %s)", c.New, c.Old)
	case Appeared:
		return fmt.Sprintf("now reachable with %s (new route)", c.New)
	case Widened:
		return fmt.Sprintf("now reachable with %s (before: %s)", c.New, c.Old)
	case Vanished:
		return fmt.Sprintf("is gone (before: %s)", c.Old)
	case Reworded:
		return fmt.Sprintf("is as open as before, for another reason: %s (before: %s)", c.New, c.Old)
	}
	return fmt.Sprintf("now needs %s (before: %s)", c.New, c.Old)
}

// headlines say a class of changes in a few words: about one route, and about more.
var headlines = []struct {
	class     Class
	one, many string
}{
	{Appeared, "now reachable with %s", "%d new routes"},
	{Widened, "now reachable with %s", "%d routes admit more callers"},
	{Public, "became public", "%d routes became public"},
	{Reported, "lets everyone in", "%d routes let everyone in"},
	{Narrowed, "needs more than before", "%d routes need more than before"},
	{Vanished, "is gone", "%d routes are gone"},
	{Reworded, "is open for another reason", "%d routes are open for another reason"},
}

// Headline says the difference in one line: "POST /refunds now reachable with orders.read; 2 routes became public".
func (r Report) Headline() string {
	var parts []string
	for _, h := range headlines {
		var found []Change
		for _, c := range r.Changes {
			if c.Class == h.class {
				found = append(found, c)
			}
		}
		switch {
		case len(found) == 1 && strings.Contains(h.one, "%s"):
			parts = append(parts, found[0].Route+" "+fmt.Sprintf(h.one, found[0].New))
		case len(found) == 1:
			parts = append(parts, found[0].Route+" "+h.one)
		case len(found) > 1:
			parts = append(parts, fmt.Sprintf(h.many, len(found)))
		}
	}
	if len(parts) == 0 {
		return "nobody may call more or less than before"
	}
	return strings.Join(parts, "; ")
}
