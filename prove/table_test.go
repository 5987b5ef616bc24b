package prove_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/prove"
)

var mixed = prove.Report{Target: "https://api.example.com", Tokens: 2, Rows: []prove.Row{
	{Route: "GET /orders/{id}", Rule: `Scope("orders.read")`, Case: "401 no token", Kind: prove.KindNoToken, State: prove.Proved, Want: "401, no error code", Got: "401"},
	{Route: "GET /orders/{id}", Rule: `Scope("orders.read")`, Case: "bad token alg none", Kind: prove.KindBadToken, State: prove.Proved, Want: "401 invalid_token", Got: "401 invalid_token"},
	{Route: "GET /orders/{id}", Rule: `Scope("orders.read")`, Case: "bad token alg missing", Kind: prove.KindBadToken, State: prove.Proved, Want: "401 invalid_token", Got: "401 invalid_token"},
	{Route: "GET /orders/{id}", Rule: `Scope("orders.read")`, Case: "bad token expired", Kind: prove.KindBadToken, State: prove.Unprovable, Want: "401 invalid_token", Note: "no key"},
	{Route: "GET /orders/{id}", Rule: `Scope("orders.read")`, Case: "allowed with orders.read", Kind: prove.KindAllowed, State: prove.Proved, Want: "allowed", Got: "200"},
	{Route: "POST /orders", Rule: `Scope("orders.write")`, Case: "401 no token", Kind: prove.KindNoToken, State: prove.Different, Want: "401, no error code", Got: "201", Note: "admitted, though it must be refused"},
	{Route: "POST /orders", Rule: `Scope("orders.write")`, Case: "403 with only orders.read", Kind: prove.KindScope, State: prove.NotRun, Want: "403 insufficient_scope", Note: "no answer in time"},
}}

func TestTable(t *testing.T) {
	for _, tt := range []struct {
		name  string
		table prove.Table
		want  string
	}{
		{"plain", prove.Table{}, `GET /orders/{id}  Scope("orders.read")
  ✓ 401 no token               401
  ✓ allowed with orders.read   200
  ✓ 2 bad tokens refused
  – 1 bad token not sent       no key

POST /orders  Scope("orders.write")
  ✗ 401 no token               201  want 401, no error code; admitted, though it must be refused
  ? 403 with only orders.read  no answer in time

https://api.example.com: NOT PROVED (2 routes, 7 cases, 4 proved, 1 different, 1 unprovable, 1 not run, 2 tokens)
`},
		{"every case, ASCII", prove.Table{ASCII: true, All: true}, `GET /orders/{id}  Scope("orders.read")
  ok   401 no token               401
  ok   bad token alg none         401 invalid_token
  ok   bad token alg missing      401 invalid_token
  -    bad token expired          no key
  ok   allowed with orders.read   200

POST /orders  Scope("orders.write")
  FAIL 401 no token               201  want 401, no error code; admitted, though it must be refused
  ?    403 with only orders.read  no answer in time

https://api.example.com: NOT PROVED (2 routes, 7 cases, 4 proved, 1 different, 1 unprovable, 1 not run, 2 tokens)
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			if err := tt.table.Write(&out, mixed); err != nil {
				t.Fatal(err)
			}
			if out.String() != tt.want {
				t.Errorf("want\n%s\ngot\n%s", tt.want, out.String())
			}
			if tt.table.ASCII && strings.IndexFunc(out.String(), func(r rune) bool { return r > '~' }) >= 0 {
				t.Error("not ASCII")
			}
		})
	}
}

func TestTableColor(t *testing.T) {
	var plain, colored strings.Builder
	if err := (prove.Table{}).Write(&plain, mixed); err != nil {
		t.Fatal(err)
	}
	if err := (prove.Table{Color: true}).Write(&colored, mixed); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(plain.String(), "\x1b") || !strings.Contains(colored.String(), "\x1b[31;1m✗\x1b[0m") {
		t.Errorf("got %q", colored.String())
	}
}

func TestExitCode(t *testing.T) {
	for _, tt := range []struct {
		name   string
		states []prove.State
		want   int
	}{
		{"proved", []prove.State{prove.Proved, prove.Unprovable}, 0},
		{"a difference", []prove.State{prove.Proved, prove.Different, prove.NotRun}, 1},
		{"not run", []prove.State{prove.Proved, prove.NotRun}, 2},
		{"nothing proved", []prove.State{prove.Unprovable}, 2},
		{"nothing at all", nil, 2},
	} {
		var r prove.Report
		for _, s := range tt.states {
			r.Rows = append(r.Rows, prove.Row{State: s})
		}
		if got := r.ExitCode(); got != tt.want || r.OK() != (tt.want == 0) || (r.Err() == nil) != (tt.want == 0) {
			t.Errorf("%s: exit code %d, OK %t, Err %v", tt.name, got, r.OK(), r.Err())
		}
	}
}

func TestErrNamesRouteCaseWantAndGot(t *testing.T) {
	const want = "POST /orders / 401 no token: want 401, no error code, got 201 (admitted, though it must be refused)"
	if err := mixed.Err(); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v", err)
	}
}

func TestReportAsJSON(t *testing.T) {
	text, err := json.Marshal(mixed)
	if err != nil {
		t.Fatal(err)
	}
	var again prove.Report
	if err := json.Unmarshal(text, &again); err != nil || again.Summary() != mixed.Summary() || again.Rows[5] != mixed.Rows[5] {
		t.Errorf("got %+v, %v", again, err)
	}
}

// A service that is not guarded admits every bad token, and every wrong scope: one piece of news. A few that get in are a guard's mistake, and are named.
func TestManyThatAllGetInAreOneLine(t *testing.T) {
	admitted := func(n int, kind prove.Kind) prove.Report {
		r := prove.Report{Target: "http://localhost:8080"}
		for i := range n {
			r.Rows = append(r.Rows, prove.Row{
				Route: "GET /orders", Rule: `Scope("orders.read")`, Case: fmt.Sprint(kind, " ", i), Kind: kind,
				State: prove.Different, Want: "401 invalid_token", Got: "200", Note: "admitted, though it must be refused",
			})
		}
		return r
	}
	for _, tt := range []struct {
		n     int
		kind  prove.Kind
		table prove.Table
		lines int
		says  string
	}{
		{50, prove.KindScope, prove.Table{}, 1, "✗ 50 wrong scopes  200  admitted, though it must be refused; prove --all names them"},
		{50, prove.KindScope, prove.Table{All: true}, 50, "✗ scope 49  200  want"},
		{97, prove.KindBadToken, prove.Table{}, 1, "✗ 97 bad tokens  200  admitted, though it must be refused; prove --all names them"},
		{97, prove.KindBadToken, prove.Table{All: true}, 97, "✗ bad token 96  200  want 401 invalid_token; admitted"},
		{20, prove.KindBadToken, prove.Table{}, 20, "✗ bad token 19  200  want 401 invalid_token; admitted"},
	} {
		var out strings.Builder
		if err := tt.table.Write(&out, admitted(tt.n, tt.kind)); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(out.String(), "✗"); got != tt.lines || !strings.Contains(out.String(), tt.says) {
			t.Errorf("%d of %d on %d lines:\n%s", tt.n, tt.n, got, &out)
		}
	}
}
