package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// What dev tells people to type must be there to be typed.
func TestProgramIsTypedAsItWas(t *testing.T) {
	t.Chdir("../..") // as in the README
	absolute, err := filepath.Abs("bin/countersign")
	if err != nil {
		t.Fatal(err)
	}
	for arg0, want := range map[string]string{
		"countersign":        "countersign",
		"bin/countersign":    shellWord(absolute),
		"/opt/a b/c":         "'/opt/a b/c'",
		"/opt/it's/c":        `'/opt/it'\''s/c'`,
		"/go-builds/c":       "/go-builds/c",
		"/home/me/go-build":  "/home/me/go-build",
		"/tmp/go-build3/b/c": "go run ./cmd/countersign",
		"/home/me/.cache/go-build/d5/d5d0-d/countersign": "go run ./cmd/countersign",
	} {
		if got := program(arg0); got != want {
			t.Errorf("%s: %s, want %s", arg0, got, want)
		}
	}
	t.Chdir(t.TempDir())
	if got, want := program("/tmp/go-build3/b/c"), "go run github.com/countersign-dev/countersign/cmd/countersign"; !strings.HasPrefix(got, want) {
		t.Errorf("elsewhere: %s, want %s", got, want)
	}
}
