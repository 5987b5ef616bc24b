package console_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/console"
)

// seedView is the page of the seed's microservice.
func seedView() console.View {
	const resource, issuer = "https://api.example.com", "http://localhost:8081/ap-southeast-1_AbCdEf123"
	return console.View{
		Issuer: issuer, TokenEndpoint: issuer + "/oauth2/token", PoolID: "ap-southeast-1_AbCdEf123", PoolName: "demo", Resource: resource,
		Addresses: []console.Address{{Name: "API", URL: "http://localhost:8080"}},
		Clients: []console.Client{
			{ID: "r1", Name: "readClient", Scopes: []string{resource + "/demo.read"}, Flows: []string{"client_credentials", "implicit"}, TokenLife: time.Hour, HasSecret: true},
			{ID: "m1", Name: "microService", TokenLife: 5 * time.Minute, NoToken: "it has no secret"},
		},
		Routes: []console.Route{
			{Method: "GET", Path: "/api/demo/protectedRole/{name}", Rule: `Scope("demo.read")`, Source: "demo.go:31",
				Anyone: console.Cell{Verdict: console.Refused, Detail: "401"},
				Cells:  []console.Cell{{Verdict: console.Allowed, Detail: "with demo.read"}, {Verdict: console.NoToken, Detail: "it has no secret"}}},
			{Method: "GET", Path: "/healthz", Rule: `Public("liveness probe")`, Anyone: console.Cell{Verdict: console.Public},
				Cells: []console.Cell{{Verdict: console.Public}, {Verdict: console.Public}}},
		},
		ResourceServers: []console.ResourceServer{{Identifier: resource, Name: "Gateway", Scopes: []console.Scope{{Name: "demo.read", Description: "Demo Read role"}}}},
		Proof: &console.Proof{Target: "http://localhost:8080", At: time.Date(2026, 11, 23, 7, 1, 2, 0, time.UTC), Rows: []console.ProofRow{
			{Route: "GET /healthz", Case: "no token", Want: "200", Got: "200", OK: true},
		}},
	}
}

func newConsole(t *testing.T, v console.View) http.Handler {
	t.Helper()
	h, err := console.New(console.Config{View: func(context.Context) (console.View, error) { return v, nil }})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func ask(h http.Handler, method, host, target string) *http.Response {
	r := httptest.NewRequest(method, target, nil)
	r.Host = host
	return record(h, r)
}

func record(h http.Handler, r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// An element is a part of the served page. The page is written as XML that is also HTML, so that a strict parser can
// tell whether a hostile name has changed its structure.
type element struct {
	name     string
	attrs    map[string]string
	children []*element
	text     string // all text beneath, in order
}

func parse(t *testing.T, page string) *element {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Entity = xml.HTMLEntity
	root := &element{}
	stack := []*element{root}
	for {
		token, err := d.Token()
		if err == io.EOF {
			return root
		}
		if err != nil {
			t.Fatalf("the page is not well formed: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{name: token.Name.Local, attrs: map[string]string{}}
			for _, a := range token.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			top := stack[len(stack)-1]
			top.children = append(top.children, e)
			stack = append(stack, e)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			for _, e := range stack {
				e.text += string(token)
			}
		}
	}
}

// all returns the elements of a name beneath e.
func (e *element) all(name string) []*element {
	var found []*element
	for _, c := range e.children {
		if c.name == name {
			found = append(found, c)
		}
		found = append(found, c.all(name)...)
	}
	return found
}

func (e *element) words() string { return strings.Join(strings.Fields(e.text), " ") }

func served(t *testing.T, v console.View) (string, *element) {
	t.Helper()
	res := ask(newConsole(t, v), "GET", "localhost:8081", "/")
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s %v\n%s", res.Status, err, body)
	}
	return string(body), parse(t, string(body))
}

func TestMatrixOnThePage(t *testing.T) {
	_, page := served(t, seedView())
	rows := page.all("table")[0].all("tr")
	want := []string{
		"Route Anyone without a token readClient microService",
		`GET /api/demo/protectedRole/{name} Scope("demo.read") demo.go:31 Anyone✕ refused 401 readClient✓ allowed with demo.read microService– no token it has no secret`,
		`GET /healthz Public("liveness probe") Anyone○ public readClient○ public microService○ public`,
	}
	if len(rows) != len(want) {
		t.Fatalf("%d rows", len(rows))
	}
	for i, row := range rows {
		if got := row.words(); got != want[i] {
			t.Errorf("row %d:\n got %s\nwant %s", i, got, want[i])
		}
	}
	for _, say := range []string{
		"1 of 2 is open without a token", "Gets no token: it has no secret", "5 minutes", "1 hour", "yes, not shown",
		"Gateway https://api.example.com this API", "Demo Read role", "answered 1 of 1 cases as its policy says", "23 November 2026, 07:01:02 UTC",
		"countersign token --client readClient",
	} {
		if !strings.Contains(page.words(), say) {
			t.Errorf("the page does not say %q", say)
		}
	}
}

func TestPageWithNothingToShow(t *testing.T) {
	_, page := served(t, console.View{})
	for _, say := range []string{"Not proved yet", "no routes", "no app clients", "no resource servers"} {
		if !strings.Contains(page.words(), say) {
			t.Errorf("the page does not say %q", say)
		}
	}
}

func TestProofSaysWhatWasAsked(t *testing.T) {
	row := func(ok bool, got string) console.ProofRow {
		return console.ProofRow{Route: "GET /x", Case: "403 wrong scope", Want: "403", Got: got, OK: ok}
	}
	tests := []struct {
		name   string
		rows   []console.ProofRow
		line   string
		folded bool
	}{
		{"all proved", []console.ProofRow{row(true, "403"), row(true, "403")}, "✓ Proved. At 07:01:02 UTC the service answered 2 of 2 cases", true},
		{"one unprovable", []console.ProofRow{row(true, "403"), row(true, "")}, "✓ Proved. At 07:01:02 UTC the service answered 1 of 1 cases as its policy says. 1 more cannot be proved.", true},
		{"one different", []console.ProofRow{row(true, "403"), row(false, "200")}, "✕ 1 of 2 cases differ from the policy. See which", false},
		{"one not run", []console.ProofRow{row(true, "403"), row(false, "")}, "? Not proved. 1 of 2 cases could not be run.", false},
		{"nothing provable is not proved", []console.ProofRow{row(true, "")}, "? Not proved. There was nothing to ask.", false},
		{"nothing at all is not proved", nil, "? Not proved. There was nothing to ask.", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := seedView()
			v.Proof.Rows = tt.rows
			_, page := served(t, v)
			if got := page.all("main")[0].all("p")[0].words(); !strings.HasPrefix(got, tt.line) {
				t.Errorf("the first line is %q", got)
			}
			if folded := page.all("details")[0].attrs["open"] == ""; folded != tt.folded {
				t.Errorf("the cases are folded: %v", folded)
			}
			for i, tr := range page.all("details")[0].all("tbody")[0].all("tr") {
				if got := tr.all("td")[0].words(); !strings.HasSuffix(got, " "+string(tt.rows[i].Outcome())) {
					t.Errorf("row %d begins with %q", i, got)
				}
			}
		})
	}
}

func TestPageIsAccessible(t *testing.T) {
	_, page := served(t, seedView())
	if page.all("html")[0].attrs["lang"] == "" || len(page.all("h1")) != 1 || len(page.all("main")) != 1 {
		t.Error("want a language, one h1 and one main")
	}
	for _, table := range page.all("table") {
		for _, th := range table.all("th") {
			if s := th.attrs["scope"]; s != "col" && s != "row" {
				t.Errorf("header %q has scope %q", th.words(), s)
			}
		}
	}
	ids := map[string]bool{}
	for _, h := range page.all("h2") {
		ids[h.attrs["id"]] = true
	}
	for _, s := range page.all("section") {
		if !ids[s.attrs["aria-labelledby"]] {
			t.Errorf("a section is labelled by %q, which is not there", s.attrs["aria-labelledby"])
		}
	}
	for _, s := range page.all("div") {
		if s.attrs["class"] == "scroll" && (s.attrs["tabindex"] != "0" || s.attrs["role"] != "region") {
			t.Error("a scrolling part cannot be reached with the keyboard")
		}
	}
}

func TestHeaders(t *testing.T) {
	res := ask(newConsole(t, seedView()), "GET", "localhost:8081", "/")
	body, _ := io.ReadAll(res.Body)
	style := parse(t, string(body)).all("style")
	if len(style) != 1 {
		t.Fatalf("%d style elements", len(style))
	}
	hash := sha256.Sum256([]byte(style[0].text))
	want := map[string]string{
		"Content-Security-Policy": "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) +
			"'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options":       "nosniff",
		"X-Frame-Options":              "DENY",
		"Referrer-Policy":              "no-referrer",
		"Cache-Control":                "no-store",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Content-Type":                 "text/html; charset=utf-8",
	}
	for name, value := range want {
		if got := res.Header.Get(name); got != value {
			t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
	// What the policy would block is not on the page in the first place.
	for _, name := range []string{"script", "form", "iframe", "img", "object", "base"} {
		if strings.Contains(string(body), "<"+name) {
			t.Errorf("the page has a %s element", name)
		}
	}
	if strings.Contains(string(body), ` style="`) {
		t.Error("the page has a style attribute, which its hash does not allow")
	}
	refused := ask(newConsole(t, seedView()), "GET", "evil.example", "/")
	for _, name := range []string{"Content-Security-Policy", "Cache-Control", "X-Content-Type-Options"} {
		if refused.Header.Get(name) != want[name] {
			t.Errorf("a refusal has %s: %q", name, refused.Header.Get(name))
		}
	}
}

func TestDNSRebindingAndWhatIsNotThePage(t *testing.T) {
	h, err := console.New(console.Config{
		View:  func(context.Context) (console.View, error) { return seedView(), nil },
		Hosts: []string{"Issuer.internal"},
	})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		method, host, target string
		want                 int
	}{
		{"GET", "localhost:8081", "/", 200}, {"GET", "localhost", "/", 200}, {"GET", "LOCALHOST:1", "/?x", 200}, {"HEAD", "localhost", "/", 200},
		{"GET", "127.0.0.1:8081", "/", 200}, {"GET", "[::1]:8081", "/", 200}, {"GET", "issuer.internal:8081", "/", 200},
		{"GET", "evil.example:8081", "/", 421}, {"GET", "localhost.evil.example", "/", 421}, {"GET", "127.0.0.1.evil.example", "/", 421},
		{"GET", "127.0.0.2", "/", 421}, {"GET", "", "/", 421}, {"GET", "localhost:8081@evil.example", "/", 421}, {"GET", "x.localhost", "/", 421},
		{"GET", "localhost", "/favicon.ico", 404}, {"GET", "localhost", "/console", 404},
		{"POST", "localhost", "/", 405}, {"OPTIONS", "localhost", "/", 405}, {"DELETE", "localhost", "/", 405},
	}
	for _, tt := range tests {
		res := ask(h, tt.method, tt.host, tt.target)
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode != tt.want {
			t.Errorf("%s %s %s: status %d, want %d", tt.method, tt.host, tt.target, res.StatusCode, tt.want)
		}
		if tt.want != 200 && strings.Contains(string(body), "api.example.com") {
			t.Errorf("%s %s %s: a refusal shows the page", tt.method, tt.host, tt.target)
		}
	}
}

func TestErrorsStayInside(t *testing.T) {
	var log bytes.Buffer
	h, err := console.New(console.Config{
		View:   func(context.Context) (console.View, error) { return console.View{}, errors.New("disk hunter2 is gone") },
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	res := ask(h, "GET", "localhost", "/")
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != 500 || strings.Contains(string(body), "hunter2") {
		t.Errorf("%s %q", res.Status, body)
	}
	if strings.Count(log.String(), "hunter2") != 1 {
		t.Errorf("log %q", log.String())
	}
}

func TestNewNamesEveryProblem(t *testing.T) {
	_, err := console.New(console.Config{Hosts: []string{"", "localhost:8081", "https://x"}})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"Config.View", `host ""`, `host "localhost:8081"`, `host "https://x"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not reported: %s", want)
		}
	}
}
