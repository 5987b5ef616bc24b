package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/prove"
)

// What is wrong with the service is told once, and what is wrong with the edge is not hidden behind it.
func TestEdgeIsToldApartOnlyWhereItDiffers(t *testing.T) {
	row := func(name string, state prove.State, got string) prove.Row {
		return prove.Row{Route: "GET /orders", Case: name, Kind: prove.KindNoToken, State: state, Got: got, Want: "401"}
	}
	direct := prove.Report{Target: "http://localhost:8080", Rows: []prove.Row{row("a", prove.Different, "200"), row("b", prove.Proved, "401")}}
	for _, tt := range []struct {
		name string
		rows []prove.Row
		news bool
		says string
	}{
		{"proved", []prove.Row{row("a", prove.Proved, "401"), row("b", prove.Proved, "401")}, false, ": proved (1 route, 2 cases"},
		{"the same", direct.Rows, false, ": NOT PROVED (1 route, 2 cases, 1 proved, 1 different, 0 tokens), as above"},
		{"another answer", []prove.Row{row("a", prove.Different, "404")}, true, "want 401"},
		{"another case", []prove.Row{row("a", prove.Different, "200"), row("b", prove.Different, "200")}, true, "want 401"},
		{"not run", []prove.Row{row("b", prove.NotRun, "")}, true, "COULD NOT RUN"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			edge := prove.Report{Target: "https://localhost:8443", Rows: tt.rows}
			if got := hasNews(edge, direct); got != tt.news {
				t.Errorf("news %v", got)
			}
			var out bytes.Buffer
			if err := printReport(&out, edge, hasNews(edge, direct)); err != nil || !strings.Contains(out.String(), tt.says) {
				t.Errorf("%v, printed\n%s", err, &out)
			}
		})
	}
}
