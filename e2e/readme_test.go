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
	const preamble = `go() { [[ $1 == run ]] || { command go "$@"; return; }; shift 2; "$COUNTERSIGN" "$@" --state "$STATE"; }` + "\n"
	ran, started := 0, 0
	for _, session := range sessions(t, "../README.md") {
		before := preamble // a later command needs the variables that the earlier ones set
		for _, line := range session {
			if strings.HasSuffix(line.command, " dev") {
				s.compareStart(line.output)
				started++
				continue
			}
			got, err := s.bash(env, before+line.command)
			if err != nil {
				t.Errorf("$ %s\n%v\n%s", line.command, err, got)
			}
			if strings.TrimSpace(got) != strings.TrimSpace(line.output) {
				t.Errorf("$ %s\nprinted\n%s\nthe README says\n%s", line.command, got, line.output)
			}
			before += line.command + " >/dev/null\n"
			ran++
		}
	}
	if ran < 4 || started != 1 {
		t.Errorf("%d starts and %d other commands were found in the README's sessions", started, ran)
	}
}

// varies is what differs from one state and machine to the next.
var varies = regexp.MustCompile(`localhost:\d+|ap-southeast-1_[A-Za-z0-9]{9}|--cacert \S+\)`)

// compareStart holds what the running dev printed, up to its proof, to what the README shows.
func (s *system) compareStart(shown string) {
	s.t.Helper()
	want := varies.ReplaceAllString(strings.TrimSpace(shown), "…")
	got := varies.ReplaceAllString(s.awaitProof(), "…")
	if !strings.HasPrefix(got, want) {
		s.t.Errorf("dev printed\n%s\nthe README says\n%s", got, want)
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
