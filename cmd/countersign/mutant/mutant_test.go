package mutant_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/countersign-dev/countersign/cmd/countersign/mutant"
)

// service writes a service of testdata into a directory of its own, as a module beside the library.
func service(t *testing.T, name string) mutant.Config {
	t.Helper()
	repository, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"GOFLAGS": "-mod=mod", "GOWORK": "off", "GOPROXY": "off", "GOTOOLCHAIN": "local"} {
		t.Setenv(name, value)
	}
	archive, err := txtar.ParseFile(filepath.Join("testdata", name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	archive.Files = append(archive.Files, txtar.File{Name: "go.mod", Data: []byte("module example.com/" + name + "\n\ngo 1.25.0\n\n" +
		"require github.com/countersign-dev/countersign v0.0.0\n\nreplace github.com/countersign-dev/countersign => " + repository + "\n")})
	dir := t.TempDir()
	if err := txtar.Write(archive, dir); err != nil {
		t.Fatal(err)
	}
	return mutant.Config{Dir: dir, Packages: []string{"./..."}, Timeout: time.Minute, Parallel: 2}
}

// tree is every file of the directory with its content.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(name)
		files[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func run(t *testing.T, cfg mutant.Config) mutant.Report {
	t.Helper()
	report, err := mutant.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// Every form of registration is found, with its pattern, and a golden file misses no rule of it. Nothing is written into the user's tree,
// not even by a Golden that is told to.
func TestEveryRuleIsFound(t *testing.T) {
	cfg := service(t, "service")
	write := exec.Command("go", "test", "-run", "TestPolicy", "./api")
	write.Dir, write.Env = cfg.Dir, append(os.Environ(), "COUNTERSIGN_UPDATE=1")
	if out, err := write.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	before := tree(t, cfg.Dir)
	t.Setenv("COUNTERSIGN_UPDATE", "1")
	report := run(t, cfg)
	if after := tree(t, cfg.Dir); len(after) != len(before) {
		t.Errorf("there were %d files and are %d", len(before), len(after))
	} else {
		for name := range before {
			if before[name] != after[name] {
				t.Errorf("%s was changed", name)
			}
		}
	}
	var got []string
	for _, r := range report.Rules {
		var mutants []string
		for _, m := range r.Mutants {
			if m.Verdict != mutant.Killed {
				t.Errorf("%s: %s %s %s", r.Pattern, m.Rule, m.Verdict, m.Note)
			}
			mutants = append(mutants, m.Rule)
		}
		got = append(got, strings.TrimSpace(r.Pattern+": "+r.Rule+": "+strings.Join(mutants, ", ")))
	}
	slices.Sort(got)
	want := strings.Split(strings.TrimSpace(`
/mixed: Authenticated(): Public("mutant")
: Scope("mixed.read"): Public("mutant"), Authenticated()
DELETE /orders: Scope("orders.write").And(Client("ops")): Public("mutant"), Authenticated(), without scope "orders.write", without client "ops"
GET /any: Authenticated(): Public("mutant")
GET /far: Scope("far.read"): Public("mutant"), Authenticated()
GET /healthz: Public("probe"):
GET /helped: Scope("helped.read"): Public("mutant"), Authenticated()
GET /map: Scope("map.read"): Public("mutant"), Authenticated()
GET /orders: Scope("orders.read"): Public("mutant"), Authenticated()
GET /shared/a: Scope("orders.shared"): Public("mutant"), Authenticated()
GET /shared/b: Scope("orders.shared"): Public("mutant"), Authenticated()
GET /stream: UntilExpiry(AnyScope("orders.stream", "orders.read")): Public("mutant"), Authenticated(), or Scope("countersign.mutant")
GET /table/a: Scope("table.a"): Public("mutant"), Authenticated()
GET /table/b: AnyScope("table.b", "table.c"): Public("mutant"), Authenticated(), or Scope("countersign.mutant")
POST /orders: AllScopes("orders.read", "orders.write"): Public("mutant"), Authenticated(), without scope "orders.read", without scope "orders.write"
`), "\n")
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if report.ExitCode() != 0 || report.Summary() != "14 of 14 rules are tested (1 public, left alone)" {
		t.Errorf("exit code %d: %s", report.ExitCode(), report.Summary())
	}
}

// A matrix proves what the policy says: when the policy changes with the rule, it proves the change. Callers say what is meant.
func TestWeakTests(t *testing.T) {
	cfg := service(t, "weak")
	for _, test := range []struct {
		name, run string
		want      mutant.Verdict
		by        string
	}{
		{"a matrix misses nothing", "TestMatrix", mutant.Survived, ""},
		{"callers miss each rule", "TestMatrix|TestCallers", mutant.Killed, "example.com/weak TestCallers"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := cfg
			cfg.Run = test.run
			report := run(t, cfg)
			for _, r := range report.Rules[:2] {
				for _, m := range r.Mutants {
					if m.Verdict != test.want || m.By != test.by || m.Note != "" {
						t.Errorf("%s: %+v", r.Pattern, m)
					}
				}
				if len(r.Mutants) != 2 {
					t.Errorf("%s has %d mutants", r.Pattern, len(r.Mutants))
				}
			}
			forgotten := report.Rules[2]
			if len(report.Rules) != 3 || forgotten.State != mutant.Untested || forgotten.Note != "no test gives this rule to a route" {
				t.Errorf("the mux that no test builds: %+v", forgotten)
			}
			if report.ExitCode() != 1 {
				t.Errorf("exit code %d", report.ExitCode())
			}
		})
	}
	t.Run("tests that are red", func(t *testing.T) {
		_, err := mutant.Run(t.Context(), cfg)
		for _, want := range []string{"the tests of example.com/weak fail without any mutant", "fix them first", "red without any mutant"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q is not in: %v", want, err)
			}
		}
	})
}

func TestNotJudged(t *testing.T) {
	cfg := service(t, "taken")
	cfg.Packages = []string{"."}
	report := run(t, cfg)
	if r := report.Rules[0]; r.State != mutant.Unknown || !strings.Contains(r.Note, "countersignMutant redeclared") {
		t.Errorf("got %+v", r)
	}
	if report.ExitCode() != 2 || report.Summary() != "0 of 1 rule is tested, 1 could not be judged" {
		t.Errorf("exit code %d: %s", report.ExitCode(), report.Summary())
	}
}

// A test that fails for a reason of its own has not noticed the mutant.
func TestFailuresThatSayNothing(t *testing.T) {
	for _, test := range []struct {
		name, run, want string
		after           mutant.Verdict // of the second mutant
	}{
		{"a flaky test", "TestMatrix|TestFlaky", "TestFlaky of example.com/flaky failed once and passed when it was run again", mutant.Survived},
		{"ended by a signal", "TestMatrix|TestKilled", "the tests were ended from outside", mutant.NotJudged},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := service(t, "flaky")
			cfg.Run, cfg.Parallel = test.run, 1
			t.Setenv("FLAKY_DIR", t.TempDir())
			mutants := run(t, cfg).Rules[0].Mutants
			if mutants[0].Verdict != mutant.NotJudged || !strings.Contains(mutants[0].Note, test.want) || mutants[1].Verdict != test.after {
				t.Errorf("got %+v", mutants)
			}
		})
	}
}

// Whoever interrupts a long run is told what was known by then.
func TestInterrupted(t *testing.T) {
	cfg := service(t, "weak")
	cfg.Run, cfg.Parallel = "TestMatrix|TestCallers", 1
	ctx, cancel := context.WithCancel(t.Context())
	cfg.Progress = func(done, all int) { cancel() }
	report, err := mutant.Run(ctx, cfg)
	if !errors.Is(err, context.Canceled) || len(report.Rules) == 0 {
		t.Fatalf("%v, %+v", err, report)
	}
	mutants := report.Rules[0].Mutants
	if mutants[0].Verdict != mutant.Killed || mutants[1].Verdict != mutant.NotJudged || mutants[1].Note != "interrupted" {
		t.Errorf("got %+v", mutants)
	}
}

func TestMistakes(t *testing.T) {
	cfg := service(t, "taken")
	for _, test := range []struct{ name, pattern, want string }{
		{"no rules", "./ruleless", mutant.ErrNoRules.Error()},
		{"does not build", "./broken", "undefined: missing"},
		{"no such package", "./nowhere", "nowhere"},
		{"an option", "-exec=touch stolen", "malformed import path"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg.Packages = []string{test.pattern}
			if _, err := mutant.Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	cfg.Timeout = 0
	if _, err := mutant.Run(t.Context(), cfg); err == nil || errors.Is(err, mutant.ErrNoRules) {
		t.Errorf("no timeout: %v", err)
	}
}

func TestReport(t *testing.T) {
	report := mutant.Report{Rules: []mutant.Rule{
		{Pattern: "GET /a", File: "api.go", Line: 3, Rule: `Scope("a")`, State: mutant.Untested, Mutants: []mutant.Mutant{
			{Rule: `Public("mutant")`, Verdict: mutant.Killed, By: "example.com/a TestA"},
			{Rule: "Authenticated()", Verdict: mutant.Survived},
		}},
		{File: "api.go", Line: 4, Rule: `Scope("b")`, State: mutant.Unknown, Note: "the package does not build with it: go build:\napi.go:4:1: no", Mutants: []mutant.Mutant{}},
	}}
	var table, document bytes.Buffer
	if err := errors.Join(report.WriteTable(&table), report.WriteJSON(&document)); err != nil {
		t.Fatal(err)
	}
	want := `GET /a   api.go:3   Scope("a")
  killed      Public("mutant")                 example.com/a TestA
  survived    Authenticated()
Scope("b")   api.go:4   Scope("b")
  not judged  the package does not build with it: go build:
    api.go:4:1: no

0 of 2 rules are tested, 1 could not be judged
No test would miss:
  GET /a (api.go:3)
`
	if table.String() != want {
		t.Errorf("got\n%s", table.String())
	}
	var back struct {
		Version, Tested, Untested, NotJudged int
		Rules                                []mutant.Rule
	}
	if err := json.Unmarshal(document.Bytes(), &back); err != nil || back.Version != 1 || back.Untested != 1 || back.NotJudged != 1 || len(back.Rules) != 2 {
		t.Errorf("%v: %s", err, document.String())
	}
}
