package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// Two runs of provision at once would make two app clients of one name, and Cognito would not mind.
func TestWorkIsDoneOnceAtATime(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(home, "cache"))
	release, err := lockWork("rotate", "countersign.yaml", "reader")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockWork("rotate", "./countersign.yaml", "reader"); err == nil || !strings.Contains(err.Error(), "another rotate of ./countersign.yaml reader is under way on this machine") {
		t.Errorf("a second one began: %v", err)
	}
	other, err := lockWork("rotate", "countersign.yaml", "writer")
	if err != nil {
		t.Errorf("another client has to wait: %v", err)
	}
	other()
	release()
	again, err := lockWork("rotate", "countersign.yaml", "reader")
	if err != nil {
		t.Errorf("after the first had ended: %v", err)
	}
	again()
}

func TestWorkIsDoneWithoutAHome(t *testing.T) {
	t.Setenv("HOME", "/dev/null")
	t.Setenv("XDG_CACHE_HOME", "/dev/null/cache")
	if _, err := lockWork("provision", "countersign.yaml", ""); err != nil {
		t.Error(err)
	}
}
