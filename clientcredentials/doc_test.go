package clientcredentials

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// page is the page of documentation for this package.
const page = "../docs/client.md"

// TestThePageHasOnlyCodeThatRuns: each Go block of the page stands in an example, line for line.
func TestThePageHasOnlyCodeThatRuns(t *testing.T) {
	examples := flush(t, "example_test.go") + flush(t, "example_more_test.go")
	blocks := strings.Split(flush(t, page), "```go\n")[1:]
	if len(blocks) < 5 {
		t.Fatalf("%d Go blocks found", len(blocks))
	}
	for _, block := range blocks {
		code, _, _ := strings.Cut(block, "```")
		if !strings.Contains(examples, code) {
			t.Errorf("no example has\n%s", code)
		}
	}
}

// flush reads a file and drops its indentation.
func flush(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for line := range strings.Lines(string(data)) {
		b.WriteString(strings.Trim(line, " \t\n") + "\n")
	}
	return b.String()
}

// TestThePageHasTheNumbers compares the page's table with the constants.
func TestThePageHasTheNumbers(t *testing.T) {
	text := flush(t, page)
	short := func(d time.Duration) string {
		switch {
		case d%time.Hour == 0:
			return fmt.Sprint(int(d.Hours()), " h")
		case d%time.Minute == 0:
			return fmt.Sprint(int(d.Minutes()), " m")
		case d%time.Second == 0:
			return fmt.Sprint(int(d.Seconds()), " s")
		}
		return fmt.Sprint(d.Milliseconds(), " ms")
	}
	for what, value := range map[string]string{
		"a token is no longer sent before its end":                     short(maxMargin) + ", or a tenth of its life",
		"life of a token of which nobody says when it ends":            short(defaultLife),
		"one attempt, discovery included":                              short(attemptTimeout),
		"attempts while a caller waits for the first token":            fmt.Sprint(maxTries),
		"pause after a failure that may pass":                          short(firstPause) + ", doubled up to " + short(longestPause),
		"pause after a refusal":                                        short(firstRefusalPause) + ", doubled up to " + short(longestPause),
		"longest Retry-After that is kept to":                          short(maxRetryAfter),
		"discovery document is read again after":                       short(documentMaxAge),
		"least time between renewals because an API refused the token": short(forceWindow),
	} {
		if row := "| " + what + " | " + value + " |"; !strings.Contains(text, row) {
			t.Errorf("the page lacks %s", row)
		}
	}
}
