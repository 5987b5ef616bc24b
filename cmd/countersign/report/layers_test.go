package report_test

import (
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/report"
	"github.com/countersign-dev/countersign/prove"
)

var (
	guard  = prove.Look{Type: "application/problem+json", Challenge: "Bearer"}
	waf    = prove.Look{Server: "awselb/2.0", Type: "text/html"}
	behind = prove.Look{Server: "nginx", Type: "application/problem+json", Challenge: "Bearer"} // a service whose edge puts its name on each answer
)

func answer(kind prove.Kind, name string, state prove.State, got string, look prove.Look) prove.Row {
	return prove.Row{Route: "GET /orders", Rule: `Scope("orders.read")`, Kind: kind, Case: name, State: state, Want: "401", Got: got, Look: look}
}

// layered has a case of each layer.
func layered() report.Report {
	refusal := func(name string, state prove.State, got string, look prove.Look) prove.Row {
		return answer(prove.KindNoToken, name, state, got, look)
	}
	allowed := func(got string) prove.Row {
		return answer(prove.KindAllowed, "allowed", prove.Proved, got, prove.Look{Server: "nginx", Type: "application/json"})
	}
	through := prove.Report{Target: "https://edge.example.com", Tokens: 2, Rows: []prove.Row{
		refusal("passed on", prove.Proved, "401", behind),
		refusal("stopped", prove.Proved, "403", waf),
		refusal("alike, by another server", prove.Proved, "401", prove.Look{Server: "awselb/2.0", Type: guard.Type, Challenge: guard.Challenge}),
		refusal("alike, another challenge", prove.Proved, "401", prove.Look{Type: guard.Type, Challenge: "Bearer error"}),
		refusal("edge only", prove.Proved, "401", waf),
		refusal("nobody", prove.Different, "200", prove.Look{Server: "nginx"}),
		refusal("not asked", prove.NotRun, "", prove.Look{}),
		refusal("unprovable", prove.Unprovable, "", prove.Look{}),
		allowed("200"),
	}}
	direct := prove.Report{Target: "http://pod:8080", Tokens: 2, Rows: []prove.Row{
		refusal("passed on", prove.Proved, "401", guard),
		refusal("stopped", prove.Proved, "403", guard),
		refusal("alike, by another server", prove.Proved, "401", guard),
		refusal("alike, another challenge", prove.Proved, "401", guard),
		refusal("edge only", prove.Different, "200", prove.Look{}),
		refusal("nobody", prove.Different, "200", prove.Look{}),
		refusal("not asked", prove.Proved, "401", guard),
		refusal("unprovable", prove.Unprovable, "", prove.Look{}),
		allowed("200"),
		refusal("past the edge only", prove.Proved, "401", guard),
	}}
	return report.NewLayers(config, through, direct)
}

func TestWhoRefused(t *testing.T) {
	want := map[string]report.Layer{
		"passed on": report.Service, "stopped": report.Both, "alike, by another server": report.Both, "edge only": report.Edge,
		"alike, another challenge": report.Both,
		"nobody":                   report.Nobody, "not asked": report.Unknown, "unprovable": "", "allowed": "", "past the edge only": "",
	}
	r := layered()
	seen := 0
	for _, row := range r.Rows {
		name := strings.TrimSuffix(strings.TrimSuffix(row.Case, ", through the edge"), ", past the edge")
		if name == row.Case || !strings.HasSuffix(row.Case, string(row.Via)) {
			t.Errorf("%q does not say which way it went: %s", row.Case, row.Via)
		}
		if row.RefusedBy != want[name] {
			t.Errorf("%s: refused by %q, want %q", row.Case, row.RefusedBy, want[name])
		}
		seen++
	}
	if seen != 19 {
		t.Errorf("%d rows, want each case both ways", seen)
	}
	if got, want := r.Layered(), "refused: 1 by the service, 3 by the edge and the service, 1 by the edge only, 1 by nobody, 1 unknown"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if small().Layered() != "" {
		t.Error("a report of one way speaks of layers")
	}
}

// What only the edge protects is a failure with a name, in every form.
func TestEdgeOnlyIsNamed(t *testing.T) {
	through := prove.Report{Rows: []prove.Row{answer(prove.KindNoToken, "401 no token", prove.Proved, "401", waf)}}
	direct := prove.Report{Rows: []prove.Row{answer(prove.KindNoToken, "401 no token", prove.Different, "200", prove.Look{})}}
	r := report.NewLayers(config, through, direct)
	if r.ExitCode() != 1 || r.EdgeOnly() != 1 {
		t.Errorf("exit code %d, %d edge only", r.ExitCode(), r.EdgeOnly())
	}
	for _, format := range report.Formats {
		if text := written(t, r, format); !strings.Contains(text, "the edge only: ") && !strings.Contains(text, "at the edge only") {
			t.Errorf("%s does not name it", format)
		}
	}
	if !strings.Contains(written(t, r, "sarif"), `"ruleId": "countersign/prove/edge-only"`) {
		t.Error("it is not SARIF's edge-only")
	}
}
