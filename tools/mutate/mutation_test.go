package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestApply(t *testing.T) {
	const source = "if a || b {\n\treturn\n}\nreturn c\n"
	tests := map[string]struct {
		mutations []mutation
		want      string
		problem   string
	}{
		"one edit":            {[]mutation{one("m", "", "f.go", "a ||", "a && !OFF ||")}, "if a && !mutantIs(\"m\") || b {\n\treturn\n}\nreturn c\n", ""},
		"edits that touch":    {[]mutation{one("m", "", "f.go", "b {", "b && !OFF {"), one("n", "", "f.go", "a || ", "(a && !OFF) || ")}, "if (a && !mutantIs(\"n\")) || b && !mutantIs(\"m\") {\n\treturn\n}\nreturn c\n", ""},
		"of another file":     {[]mutation{one("m", "", "g.go", "a", "OFF")}, source, ""},
		"text that is gone":   {[]mutation{one("m", "", "f.go", "d ||", "OFF ||")}, "", `"m" is there 0 times`},
		"text that is common": {[]mutation{one("m", "", "f.go", "return", "OFF")}, "", `"m" is there 2 times`},
		"edits that overlap":  {[]mutation{one("m", "", "f.go", "a || b", "OFF"), one("n", "", "f.go", "b {", "OFF {")}, "", "two edits overlap"},
		"never switched on":   {[]mutation{one("m", "", "f.go", "a ||", "a && x ||")}, "", "does not ask OFF"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := apply("f.go", source, test.mutations)
			if test.problem != "" {
				if err == nil || !strings.Contains(err.Error(), test.problem) {
					t.Errorf("error %v, want one with %q", err, test.problem)
				}
				return
			}
			if err != nil || got != test.want {
				t.Errorf("%q, %v; want %q", got, err, test.want)
			}
		})
	}
}

// The table is held to the source by every run of the tests, so that whoever moves a check learns of it at once.
func TestEveryEditFitsTheSource(t *testing.T) {
	root, err := findRoot()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, m := range table() {
		if names[m.name] {
			t.Errorf("two mutants are named %q", m.name)
		}
		names[m.name] = true
		if m.clause == "" {
			t.Errorf("%q keeps no clause", m.name)
		}
	}
	if _, err := writeOverlay(root, t.TempDir(), table()); err != nil {
		t.Error(err)
	}
}

// small is a module with two checks, of which its tests hold one. The program is called with tables of its own.
func small(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":   "module example.com/small\n\ngo 1.25.0\n",
		"small.go": "package small\n\nfunc Accept(n int) bool {\n\tif n < 0 {\n\t\treturn false\n\t}\n\tif n > 100 {\n\t\treturn false\n\t}\n\treturn true\n}\n",
		"flaky_test.go": "package small\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n\nfunc TestSometimes(t *testing.T) {\n" +
			"\tif _, err := os.Stat(\"seen\"); os.Getenv(\"COUNTERSIGN_MUTANT\") == \"above\" && err != nil {\n" +
			"\t\tos.WriteFile(\"seen\", nil, 0o600)\n\t\tt.Error(\"this time\")\n\t}\n}\n",
		"small_test.go": "package small\n\nimport \"testing\"\n\nfunc TestAccept(t *testing.T) {\n\tt.Run(\"below\", func(t *testing.T) {\n" +
			"\t\tif Accept(-1) {\n\t\t\tt.Error(\"it accepts -1\")\n\t\t}\n\t})\n\tif !Accept(7) {\n\t\tt.Error(\"it refuses 7\")\n\t}\n}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestJudge(t *testing.T) {
	below := one("below", "at least 0", "small.go", "n < 0", "n < 0 && !OFF")
	above := one("above", "at most 100", "small.go", "n > 100", "n > 100 && !OFF")
	broken := one("broken", "it ends", "small.go", "\treturn true", "\tif OFF {\n\t\tpanic(n)\n\t}\n\treturn true")
	gone := one("gone", "it ends", "small.go", "\treturn true", "\tif OFF {\n\t\tgo func() { panic(n) }()\n\t\tselect {}\n\t}\n\treturn true")
	tests := map[string]struct {
		all  []mutation
		code int
		want []string
		err  string
	}{
		"killed":             {[]mutation{below}, 0, []string{`killed +below +at least 0 .*small TestAccept/below`, `1 mutants, 1 killed, 0 survived`}, ""},
		"killed by a panic":  {[]mutation{broken}, 0, []string{`killed +broken .*small TestAccept`}, ""},
		"killed by a crash":  {[]mutation{gone}, 0, []string{`killed +gone .*small \(crash\)`}, ""},
		"survived":           {[]mutation{below, above}, 1, []string{`SURVIVED +above`, `SURVIVED: above \(at most 100\)\n\tsmall.go: no test needs: n > 100`, `2 mutants, 1 killed, 1 survived`}, "no test notices"},
		"an edit is stale":   {[]mutation{one("gone", "-", "small.go", "n > 99", "OFF")}, 1, nil, "no longer fits"},
		"no Go afterwards":   {[]mutation{one("broken", "-", "small.go", "n > 100", "n > OFF")}, 1, nil, "do not compile"},
		"red all the time":   {[]mutation{one("always", "-", "small.go", "n < 0", "n < 0 && false && !OFF")}, 1, nil, "red before anything is switched off"},
		"a file that is not": {[]mutation{one("lost", "-", "large.go", "n < 0", "OFF")}, 1, nil, "large.go"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := suite{root: small(t), module: "example.com/small", packages: []string{"."}}
			var out bytes.Buffer
			code, err := s.judge(context.Background(), test.all, test.all, 2, &out)
			if code != test.code || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("%d, %v; want %d and an error with %q\n%s", code, err, test.code, test.err, out.String())
			}
			for _, pattern := range test.want {
				if !regexp.MustCompile(pattern).MatchString(out.String()) {
					t.Errorf("no %q in:\n%s", pattern, out.String())
				}
			}
		})
	}
}

func TestUsage(t *testing.T) {
	var out bytes.Buffer
	if code, err := run(context.Background(), []string{"-list", "-run", "^crit$"}, &out); code != 0 || err != nil || out.String() != "crit  RFC 7515, Section 4.1.11  internal/jose/token.go\n" {
		t.Errorf("-list: %d, %v, %q", code, err, out.String())
	}
	for _, args := range [][]string{{"-run", "("}, {"-p", "0"}, {"more"}} {
		if code, err := run(context.Background(), args, &out); code != 2 || err == nil {
			t.Errorf("%q: %d, %v; want 2 and an error", args, code, err)
		}
	}
}

func TestFirstFailure(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"nested":      {"--- FAIL: TestA (0.01s)\n    --- FAIL: TestA/b (0.00s)\n        --- FAIL: TestA/b/c (0.00s)\n--- FAIL: TestD (0.01s)\n", "TestA/b/c"},
		"two":         {"--- FAIL: TestA (0.01s)\n--- FAIL: TestD (0.01s)\n", "TestA"},
		"timed out":   {"panic: test timed out after 20s\n", "(no end)"},
		"not a test":  {"fatal error: stack overflow\n", "(crash)"},
		"fuzz corpus": {"--- FAIL: FuzzX (0.00s)\n    --- FAIL: FuzzX/seed#3 (0.00s)\n", "FuzzX/seed#3"},
	}
	for name, test := range tests {
		if got := firstFailure(test.text); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
