package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

func help(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), append(args, "--help"), &stdout, &stderr); code != 0 || stderr.Len() > 0 {
		t.Fatalf("%q: code %d, %s", args, code, &stderr)
	}
	return stdout.String()
}

func TestEveryCommandHasItsChapter(t *testing.T) {
	text := help(t)
	if strings.Contains(text, "\nMore:\n") {
		t.Errorf("a command is in no chapter:\n%s", text)
	}
	for _, chapter := range chapters {
		for _, name := range chapter.commands {
			if strings.Count(text, "\n  "+name+" ") != 1 {
				t.Errorf("%s is not in the help once", name)
			}
		}
	}
}

// Examples stay in one piece, to be typed, and so do lists that are set in.
func TestHelpFitsATerminal(t *testing.T) {
	runnable(t, newRoot(), func(t *testing.T, cmd *cobra.Command) {
		about, _, _ := strings.Cut(help(t, strings.Fields(cmd.CommandPath())[1:]...), "\nUsage:\n")
		for line := range strings.Lines(about) {
			if width := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); width > plainWidth && line[0] != ' ' {
				t.Errorf("%d columns: %s", width, line)
			}
		}
	})
}

func TestFill(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", ""},
		{"one two three", "one two\nthree"},
		{"one\ntwo\nthree", "one two\nthree"},
		{"one\n\ntwo", "one\n\ntwo"},
		{"one:\n  two three four\nfive", "one:\n  two three four\nfive"},
		{"# a heading\none", "# a heading\none"},
		{"abcdefghijkl m", "abcdefghijkl\nm"},
		{"äöüäöü ä", "äöüäöü ä"},
	} {
		if got := fill(tt.text, 8); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestMistypedCommandsAreToldWhatIsNear(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"prov", `unknown command "prov" for "countersign" (did you mean `},
		{"confg", `unknown command "confg" for "countersign" (did you mean config?); see: countersign --help`},
		{"config chek", `unknown command "chek" for "countersign config" (did you mean check?); see: countersign config --help`},
		{"issuer keys rotat", `unknown command "rotat" for "countersign issuer keys" (did you mean rotate?); see: countersign issuer keys --help`},
		{"pool xyz", `unknown command "xyz" for "countersign pool"; see: countersign pool --help`},
	} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), strings.Fields(tt.args), &stdout, &stderr)
		if code != exitCannotRun || stdout.Len() > 0 || !strings.HasPrefix(stderr.String(), "countersign: "+tt.want) {
			t.Errorf("%s: code %d, %s%s", tt.args, code, &stdout, &stderr)
		}
	}
}

func TestOutputIsTypedForFormat(t *testing.T) {
	root := newRoot()
	for _, name := range []string{"prove", "diff", "mutate"} {
		i := slices.IndexFunc(root.Commands(), func(c *cobra.Command) bool { return c.Name() == name })
		flags := root.Commands()[i].Flags()
		if err := flags.Set("output", "json"); err != nil || flags.Lookup("format").Value.String() != "json" {
			t.Errorf("%s: --output json left --format at %s, %v", name, flags.Lookup("format").Value, err)
		}
	}
}

func TestVersionSaysWhatItWasBuiltWith(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"version", "\nbuilt    go1."},
		{"version --output json", `"go": "go1.`},
		{"--version", "countersign "},
	} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), strings.Fields(tt.args), &stdout, &stderr); code != 0 || !strings.Contains(stdout.String(), tt.want) {
			t.Errorf("%s: code %d, %s%s", tt.args, code, &stdout, &stderr)
		}
	}
	var text bytes.Buffer
	if err := (build{Version: "v1.2.3", Commit: "abc", Time: "2026-11-23T07:00:00Z", Modified: true, Go: "go1.26.8", Platform: "linux/amd64"}).print(&text, "text"); err != nil ||
		text.String() != "countersign v1.2.3\ncommit   abc, 2026-11-23T07:00:00Z, with changes\nbuilt    go1.26.8 linux/amd64\n" {
		t.Errorf("%v %s", err, &text)
	}
}
