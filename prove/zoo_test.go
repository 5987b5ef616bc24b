package prove_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/prove"
)

// One file for each bad token, named after it, so that people find what a report names.
func TestZooFiles(t *testing.T) {
	files, err := filepath.Glob("zoo/*.json")
	if err != nil || len(files) < 90 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	all := prove.BadTokens()
	if len(all) != len(files) {
		t.Errorf("%d files and %d bad tokens", len(files), len(all))
	}
	named := map[string]bool{}
	for _, bad := range all {
		file := "zoo/" + strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(bad.Name), "-"), "-") + ".json"
		if _, err := os.Stat(file); err != nil {
			t.Errorf("%s: %v", bad.Name, err)
		}
		if named[bad.Name] {
			t.Errorf("%s is there twice", bad.Name)
		}
		named[bad.Name] = true
		if !regexp.MustCompile(`^RFC \d+, Section \d`).MatchString(bad.Clause) {
			t.Errorf("%s: clause %q", bad.Name, bad.Clause)
		}
	}
}

// Each file is the one spelling of its bad token, so that other tools may write them too.
func TestZooFilesSurviveARoundTrip(t *testing.T) {
	for _, bad := range prove.BadTokens() {
		text, err := json.Marshal(bad)
		if err != nil {
			t.Fatal(err)
		}
		var again prove.BadToken
		if err := json.Unmarshal(text, &again); err != nil {
			t.Fatal(err)
		}
		second, err := json.Marshal(again)
		if err != nil || string(second) != string(text) {
			t.Errorf("%s: %s and %s", bad.Name, text, second)
		}
	}
}
