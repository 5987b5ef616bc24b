package review_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/cmd/countersign/review"
	"github.com/countersign-dev/countersign/cmd/countersign/sarif/sariftest"
)

var update = flag.Bool("update", false, "write the golden files")

const resource = "https://api.example.com"

// side is a policy file with these routes, in a directory of its own.
func side(t *testing.T, name string, routes ...countersign.Route) review.Side {
	t.Helper()
	return sideOf(t, name, countersign.Policy{Resource: resource, Profile: countersign.Cognito, Routes: routes})
}

func sideOf(t *testing.T, name string, p countersign.Policy) review.Side {
	t.Helper()
	document, err := p.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, document, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := review.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s.Name, s.Path = name, "service/testdata/"+name
	return s
}

func route(pattern string, rule countersign.Rule) countersign.Route {
	return countersign.Route{Pattern: pattern, Rule: rule}
}

// everything has one change of each class, and text in it that each format has to escape.
func everything(t *testing.T) review.Report {
	return review.Compare(
		side(t, "base.json",
			route("GET /same", countersign.Scope("orders.read")),
			route("GET /orders/{id}", countersign.Scope("orders.read")),
			route("GET /orders/{id}/log", countersign.Scope("orders.admin")),
			route("POST /refunds", countersign.Scope("orders.write")),
			route("PUT /orders/{id}", countersign.Scope("orders.write")),
			route("DELETE /orders/{id}", countersign.AllScopes("orders.write", "orders.admin").And(countersign.Client("ops"))),
			route("GET /healthz", countersign.Public("liveness probe")),
		),
		side(t, "head.json",
			route("GET /same", countersign.Scope("orders.read")),
			route("GET /orders/{id}", countersign.Public("50% off: <b>see</b> [this](https://evil.example) @everyone, `x`|y")),
			route("GET /orders/{id}/log", countersign.Report(countersign.Scope("orders.admin"))),
			route("POST /refunds", countersign.AnyScope("orders.write", "orders.read")),
			route("PUT /orders/{id}", countersign.UntilExpiry(countersign.AllScopes("orders.write", "orders.admin"))),
			route("GET /healthz", countersign.Public("readiness probe")),
			route("GET /v2/{rest...}", countersign.Authenticated()),
			route("GET /v2/x|y", countersign.Public("pipe")),
		),
	)
}

func TestFormats(t *testing.T) {
	report := everything(t)
	for _, format := range review.Formats {
		t.Run(format, func(t *testing.T) {
			var got bytes.Buffer
			if err := report.Write(&got, format, "v1.2.3"); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", "everything."+format)
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("%s is not what was written; got:\n%s", golden, got.Bytes())
			}
		})
	}
	if err := report.Write(&bytes.Buffer{}, "yaml", ""); err == nil || !strings.Contains(err.Error(), "there is no format yaml; there are text") {
		t.Errorf("a format that does not exist: %v", err)
	}
}

// The schema of SARIF 2.1.0, which allows no member that it does not know, accepts what is written.
func TestSARIFSchema(t *testing.T) {
	empty := review.Compare(side(t, "base.json"), side(t, "head.json"))
	for name, report := range map[string]review.Report{"everything": everything(t), "nothing": empty} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := report.Write(&out, "sarif", "v1.2.3"); err != nil {
				t.Fatal(err)
			}
			sariftest.Check(t, out.Bytes())
		})
	}
}

func TestHeadline(t *testing.T) {
	read, write := countersign.Scope("orders.read"), countersign.Scope("orders.write")
	probe := countersign.Public("probe")
	for _, test := range []struct {
		name       string
		base, head []countersign.Route
		want       string
		widened    bool
	}{
		{"nothing", []countersign.Route{route("GET /a", read)}, []countersign.Route{route("GET /a", read)},
			"nobody may call more or less than before", false},
		{"a wildcard with another name", []countersign.Route{route("GET /{a}", read)}, []countersign.Route{route("GET /{b}", read)},
			"nobody may call more or less than before", false},
		{"the sentence of the reviewer", []countersign.Route{route("POST /refunds", write), route("GET /a", read), route("GET /b", read)},
			[]countersign.Route{route("POST /refunds", read), route("GET /a", probe), route("GET /b", probe)},
			"POST /refunds now reachable with orders.read; 2 routes became public", true},
		{"a new route", nil, []countersign.Route{route("POST /refunds", read)}, "POST /refunds now reachable with orders.read", true},
		{"a new public route", nil, []countersign.Route{route("GET /healthz", probe)}, "GET /healthz became public", true},
		{"only reported", []countersign.Route{route("GET /a", read)}, []countersign.Route{route("GET /a", countersign.Report(read))},
			"GET /a lets everyone in", true},
		{"narrowed", []countersign.Route{route("GET /a", probe)}, []countersign.Route{route("GET /a", read)}, "GET /a needs more than before", false},
		{"gone", []countersign.Route{route("GET /a", read), route("GET /b", read)}, nil, "2 routes are gone", false},
		{"another reason", []countersign.Route{route("GET /a", probe)}, []countersign.Route{route("GET /a", countersign.Public("x"))},
			"GET /a is open for another reason", false},
		{"a handler without a pattern", nil, []countersign.Route{{Rule: read, Source: "api.go:31"}},
			"", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := review.Compare(side(t, "base.json", test.base...), side(t, "head.json", test.head...))
			if test.want == "" { // a rule of Require has no pattern: that it is told at all is enough
				if !strings.Contains(r.Headline(), "a handler under Require (api.go:31) now reachable with orders.read") {
					t.Errorf("got %q", r.Headline())
				}
				return
			}
			if r.Headline() != test.want || r.Widened() != test.widened {
				t.Errorf("got %q, widened %t; want %q, %t", r.Headline(), r.Widened(), test.want, test.widened)
			}
		})
	}
}

// One scope name of two resources is two scopes, and the reader must see it.
func TestOtherResource(t *testing.T) {
	old := side(t, "base.json", route("GET /a", countersign.Scope("read")))
	other := sideOf(t, "head.json", countersign.Policy{
		Resource: "https://other.example.com", Profile: countersign.Cognito,
		Routes: []countersign.Route{route("GET /a", countersign.Scope("read"))},
	})
	var out bytes.Buffer
	if err := review.Compare(old, other).Write(&out, "text", ""); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"the resource changed: https://api.example.com (profile cognito) -> https://other.example.com (profile cognito)",
		"now reachable with https://other.example.com/read (before: https://api.example.com/read)",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, out.String())
		}
	}
}

func TestLines(t *testing.T) {
	base := side(t, "base.json")
	head := side(t, "head.json",
		route("GET /a", countersign.Scope("read")),
		route("/every/{method}", countersign.Scope("read")),
		route("GET example.com/host", countersign.Scope("read")),
		route("GET /host", countersign.Scope("write")),
		route("GET /{rest...}", countersign.Scope("read")),
	)
	lines := strings.Split(string(head.Document), "\n")
	for _, c := range review.Compare(base, head).Changes {
		line := lines[c.Line-1]
		_, path, _ := strings.Cut(c.Route, "/")
		method, _, _ := strings.Cut(c.Route, " ")
		if c.File != "service/testdata/head.json" || !strings.Contains(line, `"`+strings.ToLower(method)+`"`) && !strings.Contains(line, path) {
			t.Errorf("%s is shown at %s:%d: %s", c.Route, c.File, c.Line, line)
		}
	}
}

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	if s, err := review.ReadFile(filepath.Join(dir, "none.json")); err != nil || !s.Missing() {
		t.Errorf("no such file: missing %t, error %v", s.Missing(), err)
	}
	for name, content := range map[string]string{"empty": "", "no policy": "{}", "no JSON": "openapi: 3.1.0"} {
		path := filepath.Join(dir, "broken.json")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := review.ReadFile(path); err == nil || !strings.Contains(err.Error(), "broken.json") {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
	if _, err := review.ReadFile(dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("a directory: %v", err)
	}
}

// A route that is gone may leave its requests to a rule that lets more in: that is no note, but what a reviewer looks for.
func TestVanishedRoutesThatOpen(t *testing.T) {
	admin, anybody := countersign.Scope("admin"), countersign.Public("site")
	for _, test := range []struct {
		name  string
		left  countersign.Route
		class review.Class
		want  string
	}{
		{"to everybody", route("/", anybody), review.Public, "GET /admin/{id} is gone, and / has its requests: became public (site; before: admin)"},
		{"to a report", route("/", countersign.Report(admin)), review.Reported, "GET /admin/{id} is gone, and / has its requests: lets everyone in (admin, only reported; before: admin)"},
		{"to any token", route("GET /{rest...}", countersign.Authenticated()), review.Widened, "GET /admin/{id} is gone, and GET /{rest...} has its requests: now reachable with any valid token (before: admin)"},
		{"to the same", route("/", admin), review.Vanished, "GET /admin/{id} is gone (before: admin)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			report := review.Compare(side(t, "base.json", route("GET /admin/{id}", admin), test.left), side(t, "head.json", test.left))
			var text bytes.Buffer
			if err := report.Write(&text, "text", ""); err != nil {
				t.Fatal(err)
			}
			var markdown bytes.Buffer
			if err := report.Write(&markdown, "markdown", ""); err != nil {
				t.Fatal(err)
			}
			if by := " by `" + test.left.Pattern + "` |"; strings.Contains(markdown.String(), by) != report.Widened() {
				t.Errorf("%q in\n%s", by, &markdown)
			}
			if len(report.Changes) != 1 || report.Changes[0].Class != test.class || report.Widened() != (test.class != review.Vanished) || !strings.Contains(text.String(), test.want+"\n") {
				t.Errorf("%+v\n%s", report.Changes, &text)
			}
		})
	}
}

// Another resource is said of a rule that names no scope, too: the words would be the same otherwise.
func TestAnotherResource(t *testing.T) {
	p := countersign.Policy{Resource: resource, Profile: countersign.Cognito, Routes: []countersign.Route{route("GET /me", countersign.Authenticated())}}
	q := p
	q.Resource = "https://other.example.com"
	report := review.Compare(sideOf(t, "base.json", p), sideOf(t, "head.json", q))
	if got, want := report.Headline(), "GET /me now reachable with any valid token of https://other.example.com"; got != want || !report.Widened() {
		t.Errorf("got %q, want %q", got, want)
	}
}
