package dev

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// State is a state directory: the store, the key file that seals it, the local certificate authority and, while a
// system runs, how to reach it. Everything in it is for its owner only.
type State string

// DefaultState returns the state directory of the current user: $XDG_STATE_HOME/countersign, ~/.local/state/countersign,
// or the configuration directory of systems that have no state directory.
func DefaultState() (State, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return State(filepath.Join(dir, "countersign")), nil
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "windows" {
		dir, err := os.UserConfigDir()
		if err != nil {
			return "", fmt.Errorf("no state directory: %w; name one with --state DIR", err)
		}
		return State(filepath.Join(dir, "countersign")), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no state directory: %w; name one with --state DIR", err)
	}
	return State(filepath.Join(home, ".local", "state", "countersign")), nil
}

func (s State) path(name string) string { return filepath.Join(string(s), name) }

func (s State) running() string { return s.path("running.json") }

// quoted is the directory as a shell reads it, for commands that are shown to be typed.
func (s State) quoted() string {
	plain := func(r rune) bool {
		return '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || strings.ContainsRune("-_./", r)
	}
	if strings.IndexFunc(string(s), func(r rune) bool { return !plain(r) }) < 0 {
		return string(s)
	}
	return "'" + strings.ReplaceAll(string(s), "'", `'\''`) + "'"
}
