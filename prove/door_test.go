package prove_test

import (
	"net/http"
	"path"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/prove"
)

// files is a service whose public subtree is a file server: it has the path as it was written from the router, and reads it.
type files struct {
	api     http.Handler
	escapes bool // a path may lead out of the subtree
	page    bool // whatever is not there is the page of an application
}

func (s files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.EscapedPath(), "/public/assets/") {
		s.api.ServeHTTP(w, r)
		return
	}
	read := path.Clean(strings.ReplaceAll(r.URL.Path, ";", ""))
	switch {
	case strings.HasPrefix(read, "/public/assets/") || s.escapes && read == "/private/1" || s.page:
	case !strings.HasPrefix(read, "/public/assets/"):
		w.WriteHeader(http.StatusNotFound)
	}
}

func TestOutOfAPublicSubtree(t *testing.T) {
	p := policyOf(
		countersign.Route{Pattern: "GET /private/{name}", Rule: countersign.Scope("orders.read")},
		countersign.Route{Pattern: "GET /public/assets/", Rule: countersign.Public("assets")},
		countersign.Route{Pattern: "POST /public/uploads/{rest...}", Rule: countersign.Public("another method")},
		countersign.Route{Pattern: "GET /public/{user}/", Rule: countersign.Public("whose name is not known")},
	)
	api := newGuard(t).Mux()
	api.HandleFunc("GET /private/{name}", ok, countersign.Scope("orders.read"))
	const dots, slash = "no token, out of /public/assets/ by encoded dots", "no token, out of /public/assets/ by encoded slash"
	const parameter = "no token, out of /public/assets/ by dots with a parameter"
	for _, tt := range []struct {
		name    string
		service files
		want    prove.State
		note    string
	}{
		{"it stays inside", files{api: api}, prove.Proved, ""},
		{"it leads out", files{api: api, escapes: true}, prove.Different, "admitted by a public route, which leads to this one"},
		{"it answers everything", files{api: api, page: true}, prove.Unprovable, "the public route answers whatever is asked of it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := p
			p.Routes = p.Routes[:2]
			report := run(t, config(p, tt.service))
			for _, name := range []string{dots, slash, parameter} {
				if row := find(t, report, "GET /private/{name}", name); row.State != tt.want || row.Note != tt.note {
					t.Errorf("%s: %s", row.State, row)
				}
			}
		})
	}
	n := 0
	for _, c := range prove.Plan(p) {
		if strings.Contains(c.Name, "out of") {
			n++
		}
	}
	if n != 3 {
		t.Errorf("%d cases, want those of the one subtree that is public for the method and whose path is known", n)
	}
}
