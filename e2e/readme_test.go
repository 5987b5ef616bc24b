package e2e

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestREADMESession types the README's terminal sessions and compares what they print. The README starts the system
// with `go run ./cmd/countersign dev` on its usual ports; here it runs on ports of its own, and `go run` is the built
// program on that state.
func TestREADMESession(t *testing.T) {
	need(t, "bash", "curl")
	s := newSystem(t)
	env := s.start()
	preamble := `go() { [[ $1 == run ]] || { command go "$@"; return; }; shift 2; "$COUNTERSIGN" "$@" --state "$STATE"; }` + "\n"
	ran := 0
	for _, session := range sessions(t, "../README.md") {
		for i := range session {
			if strings.HasSuffix(session[i].command, " dev") {
				continue // it is running
			}
			// A later command needs the variables that the earlier ones set.
			script := preamble
			for _, earlier := range session[:i] {
				if !strings.HasSuffix(earlier.command, " dev") {
					script += earlier.command + " >/dev/null\n"
				}
			}
			got, err := s.bash(env, script+session[i].command)
			if err != nil {
				t.Errorf("$ %s\n%v\n%s", session[i].command, err, got)
			}
			if strings.TrimSpace(got) != strings.TrimSpace(session[i].output) {
				t.Errorf("$ %s\nprinted\n%s\nthe README says\n%s", session[i].command, got, session[i].output)
			}
			ran++
		}
	}
	if ran < 4 {
		t.Errorf("only %d commands were found in the README's sessions", ran)
	}
}

type typed struct{ command, output string }

// sessions returns what the console blocks of a Markdown file type and show.
func sessions(t *testing.T, file string) [][]typed {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var found [][]typed
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(string(data), -1) {
		var session []typed
		for line := range strings.Lines(block[1]) {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				session = append(session, typed{command: strings.TrimSpace(command)})
			} else if len(session) > 0 {
				session[len(session)-1].output += line
			}
		}
		found = append(found, session)
	}
	return found
}
