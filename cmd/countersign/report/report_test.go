package report_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/place"
	"github.com/countersign-dev/countersign/cmd/countersign/report"
	"github.com/countersign-dev/countersign/prove"
)

var update = flag.Bool("update", false, "write the golden files")

// rows are a small proof that has a row of each state and of each kind.
func rows() []prove.Row {
	orders := prove.Row{Route: "GET /orders/{id}", Rule: `Scope("orders.read")`, Source: "api.go:31"}
	create := prove.Row{Route: "POST /orders", Rule: `AllScopes("orders.read", "orders.write")`, Source: "api.go:32"}
	health := prove.Row{Route: "GET /healthz", Rule: `Public("liveness probe")`, Source: "gone.go:7"}
	row := func(r prove.Row, kind prove.Kind, name, clause string, state prove.State, want, got, note string) prove.Row {
		r.Kind, r.Case, r.Clause, r.State, r.Want, r.Got, r.Note = kind, name, clause, state, want, got, note
		return r
	}
	s3, s31 := "RFC 6750, Section 3", "RFC 6750, Section 3.1"
	return []prove.Row{
		row(orders, prove.KindNoToken, "401 no token", s3, prove.Proved, "401, no error code", "401", ""),
		row(orders, prove.KindDetour, "no token, doubled slash", "RFC 9110, Section 4.2.3", prove.Proved, "not admitted", "404", ""),
		row(orders, prove.KindBadToken, "bad token alg none", "RFC 8725, Section 3.2", prove.Proved, "401 invalid_token", "401 invalid_token", ""),
		row(orders, prove.KindBadToken, "bad token expired", "RFC 9068, Section 4", prove.Unprovable, "401 invalid_token", "", "the issuer's key is not at hand"),
		row(orders, prove.KindScope, "403 with only orders.write", s31, prove.Different, "403 insufficient_scope", "200", "admitted, though it must be refused"),
		row(orders, prove.KindAllowed, "allowed with orders.read", "the policy", prove.Proved, "allowed", "200", ""),
		row(create, prove.KindNoToken, "401 no token", s3, prove.Proved, "401, no error code", "401", ""),
		row(create, prove.KindDetour, "no token, doubled slash", "RFC 9110, Section 4.2.3", prove.Proved, "not admitted", "404", ""),
		row(create, prove.KindBadToken, "bad token alg none", "RFC 8725, Section 3.2", prove.Different, "401 invalid_token", "201", "admitted, though it must be refused"),
		row(create, prove.KindBadToken, "bad token expired", "RFC 9068, Section 4", prove.Unprovable, "401 invalid_token", "", "the issuer's key is not at hand"),
		row(create, prove.KindScope, "403 with only orders.write", s31, prove.Proved, "403 insufficient_scope", "403 insufficient_scope", ""),
		row(create, prove.KindAllowed, "allowed with orders.read, orders.write", "the policy", prove.NotRun, "allowed", "", "no answer in time"),
		row(health, prove.KindAllowed, "allowed without token", "the policy", prove.Proved, "allowed", "200", ""),
	}
}

const policyFile = `{
  "openapi": "3.1.0",
  "paths": {
    "/healthz": {
      "get": {}
    }
  }
}`

var config = report.Config{
	Version: "v1.2.3", At: time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC), Policy: "service/testdata/authorization.json",
	Places: place.New("service/testdata/authorization.json", []byte(policyFile), func() []string { return []string{"service/api.go"} }),
}

func small() report.Report {
	return report.New(config, prove.Report{Target: "https://api.example.com", Tokens: 3, Rows: rows()})
}

// proved is small without what is no proof.
func proved() report.Report {
	p := prove.Report{Target: "https://api.example.com", Tokens: 3}
	for _, row := range rows() {
		if row.OK() {
			p.Rows = append(p.Rows, row)
		}
	}
	return report.New(config, p)
}

func written(t *testing.T, r report.Report, format string) string {
	t.Helper()
	var out bytes.Buffer
	if err := r.Write(&out, format); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestFormats(t *testing.T) {
	for _, format := range report.Formats {
		t.Run(format, func(t *testing.T) {
			got := written(t, small(), format)
			golden := filepath.Join("testdata", "small."+format)
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s is not what was written; got:\n%s", golden, got)
			}
		})
	}
	if err := small().Write(&bytes.Buffer{}, "tap"); err == nil || !strings.Contains(err.Error(), "there are json, junit") {
		t.Errorf("a format that does not exist: %v", err)
	}
}

// Of an empty proof every form says that nothing was proved, and none fails.
func TestNothing(t *testing.T) {
	empty := report.New(report.Config{}, prove.Report{})
	if empty.ExitCode() != 2 {
		t.Errorf("exit code %d", empty.ExitCode())
	}
	for _, format := range report.Formats {
		written(t, empty, format)
	}
}

func TestExitCode(t *testing.T) {
	for _, test := range []struct {
		name   string
		report report.Report
		want   int
	}{
		{"all proved", proved(), 0}, {"a difference and a failure", small(), 1},
		{"a failure", report.New(config, prove.Report{Rows: []prove.Row{{State: prove.Proved}, {State: prove.NotRun}}}), 2},
	} {
		if got := test.report.ExitCode(); got != test.want {
			t.Errorf("%s: exit code %d, want %d", test.name, got, test.want)
		}
	}
}
