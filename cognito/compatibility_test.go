package cognito_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

const compatibilityPage = "../docs/cognito-compatibility.md"

// TestCompatibilityPage compares the page with the table in the code; COUNTERSIGN_UPDATE=1 writes it.
func TestCompatibilityPage(t *testing.T) {
	want := renderCompatibility(cognito.Compatibility())
	if os.Getenv("COUNTERSIGN_UPDATE") == "1" {
		if err := os.WriteFile(compatibilityPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(compatibilityPage)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what the code says; write it with COUNTERSIGN_UPDATE=1 go test ./cognito", compatibilityPage)
	}
}

func renderCompatibility(features []cognito.Feature) string {
	var b strings.Builder
	b.WriteString(`# Compatibility with Amazon Cognito

What the issuer does with each part of Cognito that concerns machines. This page is written from the table in package
cognito, and a test holds the two together.

- *supported*: it acts as Cognito's does.
- *accepted and echoed*: it is checked, kept and given back; nothing acts on it.
- *refused*: it is an error.
- *chosen*: Cognito's behaviour is not documented, or documented in two ways; this is what the issuer does.
`)
	area := ""
	for _, f := range features {
		if f.Area != area {
			area = f.Area
			fmt.Fprintf(&b, "\n## %s\n\n| name | here | note |\n|---|---|---|\n", area)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", f.Name, f.Support, f.Note)
	}
	return b.String()
}
