package registry

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/e2e/program"
)

const repository = "../.."

func TestMain(m *testing.M) { program.Main(m) }

// countersign types a command in a directory and returns its exit code and what it wrote.
func countersign(t *testing.T, dir string, env []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	bin := program.Path(t)
	cmd := exec.CommandContext(t.Context(), bin, args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "GOWORK=", "GOFLAGS=-buildvcs=false"), env...)
	var out, text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &text
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	return code, strings.TrimSpace(out.String()), text.String()
}

// mustRun is countersign where it has to succeed; it returns the standard output.
func mustRun(t *testing.T, dir string, env []string, args ...string) string {
	t.Helper()
	code, stdout, stderr := countersign(t, dir, env, args...)
	if code != 0 {
		t.Fatalf("countersign %s: exit code %d\n%s%s", strings.Join(args, " "), code, stdout, stderr)
	}
	return stdout
}

// need fails the test for each tool that is not there, and returns the path of the last one. Python's tools are those of the virtual
// environment of .ci/run, where there is one.
func need(t *testing.T, tools ...string) (path string) {
	t.Helper()
	for _, tool := range tools {
		var err error
		if path, err = exec.LookPath(tool); err == nil {
			continue
		}
		cache, _ := os.UserCacheDir()
		found, _ := filepath.Glob(filepath.Join(cache, "countersign-ci", "*", "bin", tool))
		if len(found) == 0 {
			t.Fatalf("%s is not installed; .ci/run installs what the tests need", tool)
		}
		path = found[0]
	}
	return path
}

// await asks until the answer is yes.
func await(t *testing.T, what string, yes func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if yes() {
			return
		}
	}
	t.Fatalf("%s: not within two minutes", what)
}
