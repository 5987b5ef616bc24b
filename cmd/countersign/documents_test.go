package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestDocumentsTypeWhatTheProgramTakes holds each `countersign …` of the pages, of the files that init writes and of the help to the
// commands, flags and arguments that there are.
func TestDocumentsTypeWhatTheProgramTakes(t *testing.T) {
	checked := 0
	check := func(where, text string, whole bool) {
		for _, words := range typedIn(text) {
			checked++
			if err := takes(words, whole); err != nil {
				t.Errorf("%s: countersign %s: %v", where, strings.Join(words, " "), err)
			}
		}
	}
	for _, name := range files(t, "../../README.md", "../../docs/*.md", "scaffold/template/*.yml.tmpl") {
		blocks, spans := codeOf(t, name)
		for _, line := range blocks {
			check(filepath.Base(name), line, true)
		}
		for _, span := range spans {
			check(filepath.Base(name), span, false)
		}
	}
	runnable(t, newRoot(), func(_ *testing.T, cmd *cobra.Command) {
		for line := range strings.Lines(cmd.Example) {
			check("countersign "+cmd.Name()+" --help", line, true)
		}
	})
	if checked < 200 {
		t.Errorf("only %d commands were found: the test looks in the wrong place", checked)
	}
}

// flagsOfOthers stand on the pages and are flags of other programs.
var flagsOfOthers = map[string]bool{"cacert": true, "disable-nodegroup-eviction": true}

// TestDocumentsNameFlagsThatExist looks at the flags that a text names without their command.
func TestDocumentsNameFlagsThatExist(t *testing.T) {
	known := map[string]bool{}
	runnable(t, newRoot(), func(_ *testing.T, cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) { known[f.Name] = true })
	})
	named := regexp.MustCompile(`^--([a-z][a-z-]*)`)
	found := 0
	for _, name := range files(t, "../../README.md", "../../docs/*.md") {
		_, spans := codeOf(t, name)
		for _, span := range spans {
			flag := named.FindStringSubmatch(span)
			if flag == nil {
				continue
			}
			found++
			if !known[flag[1]] && !flagsOfOthers[flag[1]] {
				t.Errorf("%s: no command has --%s", filepath.Base(name), flag[1])
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d flags were found: the test looks in the wrong place", found)
	}
}

// takes reports why the program would not take the words. Of an excerpt (whole is false) the arguments may be missing.
func takes(words []string, whole bool) error {
	for i, word := range words {
		if word == "…" {
			words, whole = words[:i], false
			break
		}
		// What a variable holds, and what is left out, is not there to be judged.
		whole = whole && !strings.ContainsAny(word, "$…")
	}
	cmd, rest, err := newRoot().Find(words)
	if err != nil {
		return err
	}
	if !cmd.Runnable() && len(rest) > 0 {
		return fmt.Errorf("%s has no such command", cmd.Name())
	}
	cmd.InitDefaultHelpFlag()
	if err := cmd.ParseFlags(rest); err != nil && !errors.Is(err, pflag.ErrHelp) && !placeholder.MatchString(err.Error()) {
		return err
	}
	if !whole || !cmd.Runnable() {
		return nil
	}
	return errors.Join(cmd.ValidateArgs(cmd.Flags().Args()), cmd.ValidateRequiredFlags())
}

// placeholder is what pflag says of --parallel N.
var placeholder = regexp.MustCompile(`^invalid argument "[A-Z]+" for`)

// invocation is the program's name where a shell would run it.
var invocation = regexp.MustCompile("(?:^|[\\s(\"'$`]|\\./cmd/)countersign(?: |$)")

var shellComment = regexp.MustCompile(`(^|\s)#.*`)

// typedIn are the calls of the program in a line of shell, each as its words.
func typedIn(line string) [][]string {
	var calls [][]string
	line = shellComment.ReplaceAllString(line, "")
	for _, at := range invocation.FindAllStringIndex(line, -1) {
		calls = append(calls, shellWords(line[at[1]:]))
	}
	return calls
}

// shellWords splits what stands before the end of a simple command. Of quotes and substitutions it knows what the pages need.
func shellWords(text string) []string {
	var words []string
	var word strings.Builder
	quote, quoted := rune(0), false
	end := func() {
		if word.Len() > 0 || quoted {
			words = append(words, word.String())
		}
		word.Reset()
		quoted = false
	}
	for _, c := range text {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '"' || c == '\'':
			quote, quoted = c, true
		case c == ' ' || c == '\t' || c == '\n':
			end()
		case strings.ContainsRune("|;&<>)`", c):
			end()
			return words
		default:
			word.WriteRune(c)
		}
	}
	end()
	return words
}

// codeOf returns the lines of a document's code blocks that are typed, and what stands between backquotes in its text. Of a file that is no Markdown
// every line is code.
func codeOf(t *testing.T, name string) (lines, spans []string) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(data), "\\\n", " ")
	fence, console := false, false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		switch {
		case filepath.Ext(name) != ".md":
			lines = append(lines, line)
		case strings.HasPrefix(strings.TrimSpace(line), "```"):
			fence, console = !fence, strings.HasSuffix(line, "console")
		case fence && console:
			if command, is := strings.CutPrefix(line, "$ "); is {
				lines = append(lines, command)
			}
		case fence, strings.HasPrefix(line, "    "):
			lines = append(lines, line)
		default:
			for i, span := range strings.Split(line, "`") {
				if i%2 == 1 {
					spans = append(spans, span)
				}
			}
		}
	}
	return lines, spans
}

// files are the files of the patterns, each of which has one at least.
func files(t *testing.T, patterns ...string) []string {
	t.Helper()
	var all []string
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.FromSlash(pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(found), err)
		}
		all = append(all, found...)
	}
	return all
}
