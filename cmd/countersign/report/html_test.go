package report_test

import (
	"crypto/sha256"
	"encoding/base64"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The page allows itself its own style and nothing else.
func TestPagePolicy(t *testing.T) {
	out := written(t, small(), "html")
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(out)
	if style == nil {
		t.Fatal("no style")
	}
	hash := sha256.Sum256([]byte(style[1]))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'; img-src data:; base-uri 'none'; form-action 'none'"
	policy := strings.Index(out, `<meta http-equiv="Content-Security-Policy" content="`+strings.ReplaceAll(strings.ReplaceAll(want, "'", "&#39;"), "+", "&#43;")+`"/>`)
	if policy < 0 {
		t.Errorf("the page has not the policy %s", want)
	}
	if policy > strings.Index(out, "<style>") {
		t.Error("the policy comes after what it is about")
	}
	for _, never := range []string{"http-equiv=\"refresh\"", "@import", "url(", "<iframe", "<form", "<script"} {
		if strings.Contains(out, never) {
			t.Errorf("the page has %s", never)
		}
	}
}

// One palette for the console and the page: its contrast is tested there.
func TestPagesLookAlike(t *testing.T) {
	palette := func(file string) string {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		colours, _, found := strings.Cut(string(text), "* { box-sizing")
		if !found {
			t.Fatalf("%s does not begin with its colours", file)
		}
		return colours
	}
	if palette("style.css") != palette("../console/style.css") {
		t.Error("the page has other colours than the console")
	}
}

func TestPageShowsEveryCase(t *testing.T) {
	out := written(t, small(), "html")
	for _, row := range small().Rows {
		if !strings.Contains(out, row.Case) || !strings.Contains(out, row.Clause) && row.OK() == false {
			t.Errorf("%s is not on the page", row.Case)
		}
	}
	for _, text := range []string{"✕ Not proved: 2 of 13 cases differ.", "service/api.go:31", "countersign v1.2.3", "the issuer&#39;s key is not at hand"} {
		if !strings.Contains(out, text) {
			t.Errorf("%q is not on the page", text)
		}
	}
	if !strings.Contains(written(t, proved(), "html"), "✓ Proved.") {
		t.Error("a proof is not called one")
	}
}
