package mutant

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"
)

// TestChild is what TestRun runs: this binary, told by the environment how to end.
func TestChild(t *testing.T) {
	switch os.Getenv("COUNTERSIGN_TEST_CHILD") {
	case "fail":
		t.Run("below", func(t *testing.T) { t.Error("not what was meant") })
	case "panic":
		panic("no rule")
	case "exit":
		os.Exit(3)
	case "exit 0":
		os.Exit(0)
	case "hang":
		select {}
	case "update":
		if os.Getenv("COUNTERSIGN_UPDATE") != "" {
			t.Error("COUNTERSIGN_UPDATE is passed on")
		}
	}
}

func TestRun(t *testing.T) {
	t.Setenv("COUNTERSIGN_UPDATE", "1")
	t.Setenv(mutantVariable, "1 public 0 0 x")
	dir := t.TempDir()
	for _, test := range []struct {
		name    string
		timeout time.Duration
		want    outcome
		output  string
	}{
		{"pass", time.Minute, outcome{passed: true}, ""},
		{"update", time.Minute, outcome{passed: true}, ""},
		{"fail", time.Minute, outcome{failed: "TestChild"}, "not what was meant"},
		{"panic", time.Minute, outcome{failed: "TestChild"}, "no rule"},
		{"exit", time.Minute, outcome{note: "exit status 3"}, ""},
		{"exit 0", time.Minute, outcome{failed: "TestChild"}, "unexpected call to os.Exit(0)"},
		{"hang", time.Second, outcome{note: "the tests did not end in 1s"}, "test timed out after 1s"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := &binary{path: os.Args[0], dir: dir}
			got := b.run(t.Context(), Config{Run: "^TestChild$", Timeout: test.timeout}, "COUNTERSIGN_TEST_CHILD="+test.name)
			if got.passed != test.want.passed || got.failed != test.want.failed || got.note != test.want.note || got.err != nil {
				t.Errorf("got %+v", got)
			}
			if !strings.Contains(got.output, test.output) {
				t.Errorf("the output is %q", got.output)
			}
		})
	}
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if got := (&binary{path: os.Args[0], dir: dir}).run(ctx, Config{Timeout: time.Minute}); got.err == nil || got.passed {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("no such program", func(t *testing.T) {
		if got := (&binary{path: "nowhere", dir: dir}).run(t.Context(), Config{Timeout: time.Minute}); got.err == nil || got.passed {
			t.Errorf("got %+v", got)
		}
	})
}
