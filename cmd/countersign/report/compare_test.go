package report_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/report"
	"github.com/countersign-dev/countersign/prove"
)

func TestCompare(t *testing.T) {
	row := func(name, rule string, state prove.State, got string) prove.Row {
		return prove.Row{Route: "GET /a", Rule: rule, Case: name, Kind: prove.KindScope, State: state, Want: "403", Got: got}
	}
	one := func(name, rule string, state prove.State, got string) report.Report {
		return report.New(config, prove.Report{Target: "http://x", Rows: []prove.Row{row(name, rule, state, got)}})
	}
	base := one("403", "Scope(a)", prove.Proved, "403")
	for _, test := range []struct {
		name      string
		then, now report.Report
		want      string // then and now of the difference
		fails     bool
	}{
		{"the same", base, base, "", false},
		{"worse", base, one("403", "Scope(a)", prove.Different, "200"), "proved, 403 > different, 200", true},
		{"better", one("403", "Scope(a)", prove.Different, "200"), base, "different, 200 > proved, 403", true},
		{"wrong in another way", one("403", "Scope(a)", prove.Different, "200"), one("403", "Scope(a)", prove.Different, "500"), "different, 200 > different, 500", true},
		{"right in another way", base, one("403", "Scope(a)", prove.Proved, "401"), "proved, 403 > proved, 401", false},
		{"another rule", base, one("403", "Scope(b)", prove.Proved, "403"), "proved, 403 under Scope(a) > proved, 403 under Scope(b)", true},
		{"not asked here", base, one("403", "Scope(a)", prove.Unprovable, ""), "proved, 403 > unprovable", false},
		{"not asked there", one("403", "Scope(a)", prove.NotRun, ""), base, "not run > proved, 403", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := test.now
			r.Compare(test.then, "then.json")
			got := ""
			for _, d := range r.Compared.Differences {
				got += d.Then + " > " + d.Now
				if d.Fails != test.fails {
					t.Errorf("fails is %t", d.Fails)
				}
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			added := slices.ContainsFunc(r.Rows, func(row report.Row) bool {
				return row.Kind == report.KindComparison && row.State == prove.Different && row.Case == "403, as in then.json"
			})
			if added != test.fails || test.fails && r.ExitCode() != 1 {
				t.Errorf("a row was added: %t; exit code %d", added, r.ExitCode())
			}
		})
	}
}

func TestCompareNamesWhatCameAndWent(t *testing.T) {
	then, now := proved(), small()
	now.Compare(then, "local.json")
	var out bytes.Buffer
	if err := now.Compared.Write(&out); err != nil {
		t.Fatal(err)
	}
	want := `compared with local.json (https://api.example.com, 2026-02-03T04:05:06Z): 0 differences, and 3 that are no fault
  then not a case yet, now different, 200:
    GET /orders/{id} / 403 with only orders.write
  then not a case yet, now different, 201:
    POST /orders / bad token alg none
  then not a case yet, now not run:
    POST /orders / allowed with orders.read, orders.write
`
	if out.String() != want {
		t.Errorf("got:\n%s", &out)
	}
	now = proved()
	now.Compare(small(), "local.json")
	if now.ExitCode() != 1 || !strings.Contains(written(t, now, "junit"), "not a case any more") {
		t.Errorf("exit code %d: cases that are gone are no difference", now.ExitCode())
	}
}
