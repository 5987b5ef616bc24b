package prove

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

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
