package prove

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// settle judges the answers to made-up addresses. What the handler has not and what the router does not know are both 404; that the same address
// is refused without a token tells them apart.
func (r *runner) settle(ctx context.Context) {
	refused := map[string]bool{}
	for i, c := range r.cases {
		if c.Kind == KindNoToken && c.Method == "" {
			refused[routeName(c.Route)] = r.rows[i].State == Proved
		}
	}
	for i, c := range r.cases {
		row := &r.rows[i]
		proved, guarded := refused[routeName(c.Route)]
		switch {
		case row.State == Different && c.nowhere != "" && strings.HasPrefix(row.Got, "2"):
			r.settleDoor(ctx, i)
		case row.State != "":
		case !guarded:
			row.State, row.Note = Unprovable, "not found: its parameters are made up, and only values that exist tell the service from a router that does not know the route"
		case proved:
			row.State, row.Note = r.settled(ctx, c)
		default:
			row.State, row.Note = Different, notAdmitted(http.StatusNotFound)
		}
	}
}

// settled judges the 404 of a right caller at an address that is refused without a token.
func (r *runner) settled(ctx context.Context, c Case) (State, string) {
	refused, err := r.control(ctx, c)
	switch {
	case err != nil:
		return NotRun, printable(err.Error())
	case refused:
		return Unprovable, "not found: its parameters are made up, and what is not served at all is refused without a token as well; only values that exist tell the two apart"
	}
	return Proved, "the service's own answer to a parameter that is made up"
}

// control asks, without a token, for an address beside that of a case which no route of the policy serves. A service that decides before it looks for the route refuses
// that in the same way, and then neither its 401 nor its 404 says that there is such a route.
func (r *runner) control(ctx context.Context, c Case) (refused bool, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, r.cfg.Timeout, errTimeout)
	defer cancel()
	plain := c
	plain.Scopes, plain.Make, plain.Answers = nil, Recipe{}, []Answer{{Status: http.StatusUnauthorized}}
	req, err := r.finder.request(ctx, plain, "")
	if err != nil {
		return false, err
	}
	if req.URL = r.finder.nowhere(req, c.Route.Path); req.URL == nil {
		return false, nil
	}
	res, err := r.cfg.Target.Do(req)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return false, err
	}
	return res.StatusCode == http.StatusUnauthorized, nil
}

// nowhere is the address of the request with another word in the place of the last one that the route's path fixes; nil if there is none, or if
// a route serves that too.
func (f *finder) nowhere(r *http.Request, path string) *url.URL {
	fixed, segments := strings.Split(path, "/"), strings.Split(r.URL.EscapedPath(), "/")
	for i := len(fixed) - 1; i > 0; i-- {
		if fixed[i] == "" || strings.HasPrefix(fixed[i], "{") || i >= len(segments) {
			continue
		}
		segments[i] = "countersign-nowhere"
		u, err := pathURL(strings.Join(segments, "/"))
		if err != nil {
			return nil
		}
		u.RawQuery = r.URL.RawQuery
		if _, found := f.mux.Handler(&http.Request{Method: r.Method, Host: r.Host, URL: u}); found != "" {
			return nil
		}
		return u
	}
	return nil
}
