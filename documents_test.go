package countersign_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocumentsLinkToWhatIsThere follows the links of the README and of the pages, and holds each page to being found.
func TestDocumentsLinkToWhatIsThere(t *testing.T) {
	pages, err := filepath.Glob("docs/*.md")
	if err != nil || len(pages) < 5 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	linked := map[string]bool{}
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	for _, page := range append(pages, "README.md", "CHANGELOG.md") {
		for _, match := range link.FindAllStringSubmatch(read(t, page), -1) {
			target := filepath.Join(filepath.Dir(page), match[1])
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which is not there", page, match[1])
			}
			if page == "README.md" {
				linked[target] = true
			}
		}
	}
	for _, page := range pages {
		if !linked[page] {
			t.Errorf("README.md does not link to %s", page)
		}
	}
}

func TestREADMEHasTheTwoCommands(t *testing.T) {
	readme := read(t, "README.md")
	if lines := strings.Count(readme, "\n"); lines > 150 {
		t.Errorf("the README has %d lines, want at most 150", lines)
	}
	for _, command := range []string{"go run ./cmd/countersign dev", "go test ./... ./cmd/countersign/..."} {
		if !strings.Contains(readme, command) {
			t.Errorf("README.md lacks the command: %s", command)
		}
	}
	if command := "go test ./... ./cmd/countersign/..."; !strings.Contains(read(t, ".ci/run"), command) {
		t.Errorf(".ci/run does not run the README's command: %s", command)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
