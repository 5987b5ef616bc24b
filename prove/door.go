package prove

import (
	"context"
	"net/http"
	"strings"

	"github.com/countersign-dev/countersign"
)

// A door is the path of a public subtree, such as that of a file server. net/http, and others, choose the route by the path as it is written and give the handler
// the path as it reads: who writes "/public/%2e%2e/private" comes in at the one, without a token, and may be served the other (golang.org/issue/70130).

// maxDoors bounds the doors that each route is tried through.
const maxDoors = 2

// outOf are the ways to write the path of a route from inside a door.
var outOf = []struct{ name, up, slash string }{
	{"encoded dots", "%2e%2e", "/"},
	{"encoded slash", "..", "%2F"},
	{"dots with a parameter", "..;", "/"}, // a servlet container cuts parameters off before it looks for dots
}

// doors are the public subtrees from which somebody could get to the route: their paths, with a slash at the end.
func (f *finder) doors(p countersign.Policy, route countersign.Route) []string {
	var doors []string
	for _, open := range p.Routes {
		head, _, rest := strings.Cut(open.Path, "...}")
		if rest {
			head = head[:strings.LastIndexByte(head, '/')+1]
		}
		if len(doors) < maxDoors && isOpen(open.Rule) && strings.HasSuffix(head, "/") && !strings.Contains(head, "{") && head != "/" &&
			(open.Method == "" || open.Method == route.Method) && (open.Host == "" || open.Host == route.Host) {
			doors = append(doors, head)
		}
	}
	return doors
}

// doorCases are requests without a token for a route, written from inside a public subtree.
func doorCases(base Case, p countersign.Policy, finder *finder) []Case {
	var cases []Case
	for _, door := range finder.doors(p, base.Route) {
		for _, way := range outOf {
			up := strings.Repeat(way.up+way.slash, strings.Count(door, "/")-1)
			c := base
			c.Kind, c.Name, c.Clause = KindDetour, "no token, out of "+door+" by "+way.name, "RFC 3986, Section 6.2.2"
			c.Answers = []Answer{notAdmittedAnswer}
			c.detour = &detour{c.Name, func(d *detoured) bool { d.path = door + up + d.path[1:]; return true }}
			c.nowhere = door + up + "countersign-nowhere"
			if _, ok := finder.detour(c); ok {
				cases = append(cases, c)
			}
		}
	}
	return cases
}

// settleDoor judges a request out of a door that was answered. A door that answers whatever is written, with the page of an application for one, answers for itself: that it
// did not refuse says nothing of the route.
func (r *runner) settleDoor(ctx context.Context, i int) {
	row := &r.rows[i]
	status, err := r.askNowhere(ctx, r.cases[i])
	switch {
	case err != nil:
		row.State, row.Note = NotRun, printable(err.Error())
	case status < http.StatusMultipleChoices:
		row.State, row.Note = Unprovable, "the public route answers whatever is asked of it"
	default:
		row.Note = "admitted by a public route, which leads to this one"
	}
}

func (r *runner) askNowhere(ctx context.Context, c Case) (status int, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, r.cfg.Timeout, errTimeout)
	defer cancel()
	req, err := r.finder.request(ctx, c, "")
	if err != nil {
		return 0, err
	}
	query := req.URL.RawQuery
	if req.URL, err = pathURL(c.nowhere); err != nil {
		return 0, err
	}
	req.URL.RawQuery = query
	res, err := r.cfg.Target.Do(req)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, nil
}
