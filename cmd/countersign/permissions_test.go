package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestProvisionPermissions holds the policy that docs/provision.md prints to the calls in the source: none is missing, and none is granted for nothing.
func TestProvisionPermissions(t *testing.T) {
	input := regexp.MustCompile(`&(idp|secretsmanager)\.(\w+)Input\{`)
	prefix := map[string]string{"idp": "cognito-idp:", "secretsmanager": "secretsmanager:"}
	calls := map[string]bool{"cognito-idp:TagResource": true} // CreateUserPool asks for it, where it sets tags
	for _, pattern := range []string{"provision/*.go", "rotate/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, call := range input.FindAllStringSubmatch(string(text), -1) {
				calls[prefix[call[1]]+call[2]] = true
			}
		}
	}
	wantActions(t, "provision.md", slices.Sorted(maps.Keys(calls)))
}

// TestDestroyPermissions holds that of docs/deploy.md to the calls that a run makes which removes everything.
func TestDestroyPermissions(t *testing.T) {
	s, _ := newDoomed(t)
	s.mustRun("destroy", "--yes", "--delete-images", "--delete-pool")
	var calls []string
	for _, call := range s.proxy.Calls() {
		if !strings.Contains(call, " ") { // not of AWS's protocol
			calls = append(calls, call)
		}
	}
	slices.Sort(calls)
	wantActions(t, "deploy.md", slices.Compact(calls))
}

// wantActions compares the calls with the actions of the policy in a page, with or without the names of their services.
func wantActions(t *testing.T, page string, calls []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```json\n(\\{\n  \"Version\": \"2012-10-17\".*?)```").FindSubmatch(text)
	if found == nil {
		t.Fatalf("%s has no policy", page)
	}
	var policy struct{ Statement []struct{ Action []string } }
	if err := json.Unmarshal(found[1], &policy); err != nil {
		t.Fatal(err)
	}
	var granted []string
	for _, statement := range policy.Statement {
		for _, action := range statement.Action {
			if !strings.Contains(calls[0], ":") {
				_, action, _ = strings.Cut(action, ":")
			}
			granted = append(granted, action)
		}
	}
	slices.Sort(granted)
	if !slices.Equal(granted, calls) {
		t.Errorf("docs/%s grants\n%q\nand the calls are\n%q", page, granted, calls)
	}
}
