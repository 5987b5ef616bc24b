package console_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/console"
)

// wideView is that of a pool with more clients than have a column of words each.
func wideView() console.View {
	v := seedView()
	for i := range 28 {
		c := console.Client{ID: fmt.Sprint("c", i), Name: fmt.Sprint("client-", i), Scopes: []string{v.Resource + "/demo.write"}, HasSecret: true}
		v.Clients = append(v.Clients, c)
		v.Routes[0].Cells = append(v.Routes[0].Cells, console.Cell{Verdict: console.Refused, Detail: "lacks demo.read"})
		v.Routes[1].Cells = append(v.Routes[1].Cells, console.Cell{Verdict: console.Public})
	}
	return v
}

// With thirty clients the page still answers at a glance: signs with a legend, how many may call each route, and what each client may call.
func TestManyClientsAreSigns(t *testing.T) {
	if seedView().Wide() {
		t.Error("two clients are no wide table")
	}
	_, page := served(t, wideView())
	rows := page.all("table")[0].all("tr")
	if got := rows[1].all("th")[0].words(); got != `GET /api/demo/protectedRole/{name} Scope("demo.read") demo.go:31 1 of 30 clients` {
		t.Errorf("the first route says %q", got)
	}
	cell := rows[1].all("td")[3]
	if cell.attrs["title"] != "client-0: refused, lacks demo.read" || cell.words() != "client-0✕ refused lacks demo.read" {
		t.Errorf("a cell says %q, and to the ear %q", cell.attrs["title"], cell.words())
	}
	for _, say := range []string{
		"✓ allowed ✕ refused ○ public ! open – no token", "30 of 30 clients",
		"1 of 2 is open without a token: GET /healthz.",
		"May callGET /api/demo/protectedRole/{name}", "May callwhat is public",
	} {
		if !strings.Contains(page.words(), say) {
			t.Errorf("the page does not say %q", say)
		}
	}
}

// A client of many routes does not fill the page with them.
func TestManyRoutesOfAClientAreFolded(t *testing.T) {
	v := seedView()
	for range 5 {
		v.Routes = append(v.Routes, v.Routes[0])
	}
	_, page := served(t, v)
	if details := page.all("details"); len(details) != 2 || !strings.HasPrefix(details[0].words(), "6 routes") {
		t.Errorf("%d folded, want the routes and the proof", len(details))
	}
	if !strings.Contains(page.words(), "May callwhat is public") {
		t.Error("of the client without a token nothing is said")
	}
}
