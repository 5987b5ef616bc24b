package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTroubleshootingHasStories holds the page to the program: what it says that a command says is provoked by a story or a test. What is seen in the
// cluster is said by others.
func TestTroubleshootingHasStories(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "troubleshooting.md"))
	if err != nil {
		t.Fatal(err)
	}
	proofs := readAll(t, "testdata/script/*.txtar", "config/testdata/*.bad.yaml", "*/*_test.go", "provision*_test.go", "rotate*_test.go", "destroy*_test.go", "locks_test.go",
		"../../e2e/aws/*_test.go", "../../e2e/registry/*_test.go")
	section, checked := "", 0
	for line := range strings.Lines(string(text)) {
		if heading, is := strings.CutPrefix(line, "## "); is {
			section = strings.TrimSpace(heading)
		}
		if slices.Contains([]string{"", "In the cluster", "Elsewhere"}, section) || !strings.HasPrefix(line, "| `") {
			continue
		}
		first, _, _ := strings.Cut(line[2:], " | ")
		for _, found := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(first, -1) {
			checked++
			for part := range strings.SplitSeq(found[1], "…") { // what differs from case to case
				if !strings.Contains(proofs, strings.TrimSpace(part)) {
					t.Errorf("%s: nothing provokes %q of %q", section, part, found[1])
				}
			}
		}
	}
	if checked < 70 {
		t.Errorf("only %d symptoms were found", checked)
	}
}

// readAll reads the files, with what stories write for regular expressions and quotes taken away.
func readAll(t *testing.T, patterns ...string) string {
	t.Helper()
	var all strings.Builder
	for _, pattern := range patterns {
		files, err := filepath.Glob(filepath.FromSlash(pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all.WriteString(strings.NewReplacer(`\`, "", "''", "'").Replace(string(text)))
		}
	}
	return all.String()
}
