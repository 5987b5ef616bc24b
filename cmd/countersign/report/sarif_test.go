package report_test

import (
	"slices"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/place"
	"github.com/countersign-dev/countersign/cmd/countersign/report"
	"github.com/countersign-dev/countersign/cmd/countersign/sarif/sariftest"
	"github.com/countersign-dev/countersign/prove"
)

func TestSARIF(t *testing.T) {
	compared := small()
	compared.Compare(proved(), "local.json")
	for name, r := range map[string]report.Report{"small": small(), "proved": proved(), "layers": layered(), "compared": compared} {
		t.Run(name, func(t *testing.T) {
			run := sariftest.Check(t, []byte(written(t, r, "sarif"))).Runs[0]
			if got := r.Proof().Count(prove.Different); len(run.Results) != got {
				t.Errorf("%d results of %d differences", len(run.Results), got)
			}
			if got := run.Invocations[0]; *got.ExecutionSuccessful != (r.ExitCode() != 2) || *got.ExitCode != r.ExitCode() ||
				len(got.ToolExecutionNotifications) != r.Proof().Count(prove.NotRun) {
				t.Errorf("the invocation is %+v", got)
			}
		})
	}
}

// An alert is known again when its route has moved and when the service answers otherwise, and two of one run are never one.
func TestSARIFFingerprints(t *testing.T) {
	prints := func(source, got string) []string {
		row := prove.Row{Route: "GET /a", Rule: "r", Source: source, Case: "c", Kind: prove.KindScope, State: prove.Different, Got: got}
		other := row
		other.Rule = "s" // the same pattern on another mux
		r := report.New(config, prove.Report{Rows: []prove.Row{row, other}})
		var all []string
		for _, result := range sariftest.Check(t, []byte(written(t, r, "sarif"))).Runs[0].Results {
			all = append(all, result.PartialFingerprints["countersignCase/v1"])
		}
		return all
	}
	if a, b := prints("api.go:31", "200"), prints("api.go:99", "500"); !slices.Equal(a, b) || len(a) != 2 {
		t.Errorf("%q and %q", a, b)
	}
}

// Without any file to show there is a logical location, and no wrong line.
func TestSARIFWithoutAFile(t *testing.T) {
	cfg := config
	cfg.Places = place.New("", nil, nil)
	r := report.New(cfg, prove.Report{Rows: rows()})
	for _, result := range sariftest.Check(t, []byte(written(t, r, "sarif"))).Runs[0].Results {
		at := result.Locations[0]
		if at.PhysicalLocation != nil || len(at.LogicalLocations) != 1 {
			t.Errorf("the location is %+v", at)
		}
	}
}
