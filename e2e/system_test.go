package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/e2e/program"
)

func TestMain(m *testing.M) { program.Main(m) }

// A system is a `countersign dev` on ports of its own.
type system struct {
	t     *testing.T
	bin   string
	state string
	log   string
	dev   *exec.Cmd
}

func newSystem(t *testing.T) *system {
	t.Helper()
	bin := program.Path(t)
	dir := t.TempDir()
	s := &system{t: t, bin: bin, state: filepath.Join(dir, "state"), log: filepath.Join(dir, "dev.log")}
	t.Cleanup(func() {
		s.stop(syscall.SIGKILL)
		if t.Failed() {
			data, _ := os.ReadFile(s.log)
			t.Logf("the dev's output:\n%s", data)
		}
	})
	return s
}

// start runs dev and returns its environment once it is up.
func (s *system) start(args ...string) []string {
	s.t.Helper()
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	args = append([]string{"dev", "--state", s.state, "--api-addr", "localhost:0", "--edge-addr", "localhost:0", "--issuer-addr", "localhost:0"}, args...)
	s.dev = exec.Command(s.bin, args...)
	s.dev.Stdout, s.dev.Stderr = log, log
	if err := s.dev.Start(); err != nil {
		s.t.Fatal(err)
	}
	var stderr bytes.Buffer
	env := exec.Command(s.bin, "env", "--wait", "60s", "--state", s.state)
	env.Stderr = &stderr
	out, err := env.Output()
	if err != nil {
		s.t.Fatalf("env: %v\n%s", err, &stderr)
	}
	var vars []string
	for line := range strings.Lines(string(out)) {
		if export, ok := strings.CutPrefix(strings.TrimSpace(line), "export "); ok {
			name, value, _ := strings.Cut(export, "=")
			vars = append(vars, name+"="+strings.Trim(value, "'"))
		}
	}
	return append(vars, "COUNTERSIGN="+s.bin, "STATE="+s.state, "AWS_PAGER=", "AWS_MAX_ATTEMPTS=1", "AWS_SESSION_TOKEN=")
}

// awaitProof returns what dev has printed, once it has proved its routes: its variables are there earlier.
func (s *system) awaitProof() string {
	s.t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		data, err := os.ReadFile(s.log)
		if err != nil {
			s.t.Fatal(err)
		}
		if strings.Contains(string(data), "Ctrl-C stops it") {
			return string(data)
		}
	}
	s.t.Fatal("dev did not end its proof")
	return ""
}

// stop ends dev with the signal and waits until it is gone.
func (s *system) stop(signal os.Signal) {
	if s.dev == nil {
		return
	}
	s.dev.Process.Signal(signal)
	s.dev.Wait()
	s.dev = nil
}

// bash runs a script with the environment of the running dev and returns what it printed on both streams.
func (s *system) bash(env []string, script string) (string, error) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), "bash", "-euo", "pipefail", "-c", script)
	cmd.Env = append(os.Environ(), env...)
	cmd.Dir = ".."
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// need fails the test for each tool that is not there.
func need(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Errorf("this test needs %s: %v", tool, err)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
}
