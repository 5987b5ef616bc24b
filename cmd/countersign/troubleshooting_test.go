package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTroubleshootingHasStories holds the page to the program: what it says that image, deploy and destroy say is provoked by a story or a test.
func TestTroubleshootingHasStories(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "troubleshooting.md"))
	if err != nil {
		t.Fatal(err)
	}
	proofs := readAll(t, "testdata/script/*.txtar", "image/*_test.go", "deploy/*_test.go", "../../e2e/registry/*_test.go")
	section, checked := "", 0
	for line := range strings.Lines(string(text)) {
		if heading, is := strings.CutPrefix(line, "## "); is {
			section = strings.TrimSpace(heading)
		}
		if !slices.Contains([]string{"image", "deploy", "destroy"}, section) || !strings.HasPrefix(line, "| `") {
			continue
		}
		first, _, _ := strings.Cut(line[2:], " | ")
		for _, found := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(first, -1) {
			checked++
			if !strings.Contains(proofs, found[1]) {
				t.Errorf("%s: nothing provokes %q", section, found[1])
			}
		}
	}
	if checked < 40 {
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
