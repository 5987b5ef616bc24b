package countersign_test

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign"
)

// TestDocumentsLinkToWhatIsThere follows the links of the pages, to their headings too, and holds each page of docs to being found.
func TestDocumentsLinkToWhatIsThere(t *testing.T) {
	pages, err := filepath.Glob("docs/*.md")
	if err != nil || len(pages) < 5 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	linked := map[string]bool{}
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for _, page := range append(pages, "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md") {
		for _, match := range link.FindAllStringSubmatch(read(t, page), -1) {
			name, heading, _ := strings.Cut(match[1], "#")
			if strings.Contains(name, "://") {
				continue
			}
			target := page
			if name != "" {
				target = filepath.Join(filepath.Dir(page), name)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which is not there", page, match[1])
			} else if heading != "" && !slices.Contains(headings(t, target), heading) {
				t.Errorf("%s links to %s, and there is no such heading", page, match[1])
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

// TestThePageAboutTheGuardHasItsConfiguration finds every member of Config, and every variable that ConfigFromEnv reads, in its table.
func TestThePageAboutTheGuardHasItsConfiguration(t *testing.T) {
	_, table, _ := strings.Cut(read(t, "docs/guard.md"), "\n| member | variable |")
	table, _, _ = strings.Cut(table, "\n\n")
	config := reflect.TypeFor[countersign.Config]()
	for i := range config.NumField() {
		if name := config.Field(i).Name; !strings.Contains(table, "`"+name+"`") {
			t.Errorf("the table lacks the member %s", name)
		}
	}
	variables := regexp.MustCompile(`"(COUNTERSIGN_[A-Z_]+)"`).FindAllStringSubmatch(read(t, "env.go"), -1)
	if len(variables) < 8 {
		t.Errorf("only %d variables were found in env.go", len(variables))
	}
	for _, variable := range variables {
		if !strings.Contains(table, "`"+variable[1]+"`") {
			t.Errorf("the table lacks the variable %s", variable[1])
		}
	}
}

// headings are those of a page as GitHub's links write them.
func headings(t *testing.T, page string) []string {
	t.Helper()
	var all []string
	left := regexp.MustCompile(`[^a-z0-9 _-]`)
	for _, match := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(read(t, page), -1) {
		all = append(all, strings.ReplaceAll(left.ReplaceAllString(strings.ToLower(match[1]), ""), " ", "-"))
	}
	return all
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
