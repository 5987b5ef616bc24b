package bench_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/bench"
)

// TestReport measures everything once, which is no measurement, and looks at the page.
func TestReport(t *testing.T) {
	r := bench.Report{Tokens: 100, Environment: bench.NewEnvironment(1)}
	for _, row := range suite(t) {
		measured, err := bench.Measure(row, bench.Options{Rounds: 1, Slice: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range measured.Results {
			if len(c.One) != 1 || len(c.Two) != 1 || c.One[0] <= 0 || c.Two[0] <= 0 {
				t.Errorf("%s, %s: %v, %v", row.ID, c.Name, c.One, c.Two)
			}
		}
		r.Rows = append(r.Rows, measured)
	}
	var page bytes.Buffer
	if err := r.Write(&page); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\n## What is promised\n", "\n## First sight of a token\n", "| **countersign** |", "| go-oidc |", "at most 350 ns"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page has no %q", want)
		}
	}
	for _, wrong := range []string{"NaN", "Inf", "%!"} {
		if strings.Contains(page.String(), wrong) {
			t.Errorf("the page has %q:\n%s", wrong, page.String())
		}
	}
}

// TestThePageIsOfThesePeers: whoever takes another version of a peer measures again.
func TestThePageIsOfThesePeers(t *testing.T) {
	page, err := os.ReadFile("../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range bench.Peers() {
		for _, module := range p.Modules {
			_, version, _ := strings.Cut(string(mod), module+" ")
			version, _, _ = strings.Cut(version, "\n")
			if !strings.Contains(string(page), module+" "+version) {
				t.Errorf("docs/performance.md does not have %s %s: run bench/run -write docs/performance.md", module, version)
			}
		}
	}
}

func TestMedianAndBest(t *testing.T) {
	for _, test := range []struct {
		list []float64
		want float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{5, 1, 3}, 3}, {[]float64{4, 1, 3, 2}, 2.5}} {
		if got := bench.Median(test.list); got != test.want {
			t.Errorf("Median(%v) = %v, want %v", test.list, got, test.want)
		}
	}
	if got := bench.Best([]float64{20, 60, 10}); got != 10 || bench.Best(nil) != 0 {
		t.Errorf("Best = %v", got)
	}
}
