package sdk

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/countersign-dev/countersign/e2e/program"
)

// asFetcher makes this test's own binary a program that fetches a URL with Go's default client.
const asFetcher = "COUNTERSIGN_E2E_FETCH"

func TestMain(m *testing.M) {
	if url := os.Getenv(asFetcher); url != "" {
		os.Exit(fetch(url))
	}
	program.Main(m)
}

// start runs dev and returns an environment of its variables in front of which nothing else speaks of AWS or of proxies.
func start(t *testing.T, args ...string) []string {
	t.Helper()
	file := program.Path(t)
	state := filepath.Join(t.TempDir(), "state")
	dev := exec.Command(file, append([]string{"dev", "--quiet", "--state", state, "--api-addr", "localhost:0", "--edge-addr", "localhost:0", "--issuer-addr", "localhost:0"}, args...)...)
	dev.Stderr = t.Output()
	if err := dev.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = dev.Process.Signal(syscall.SIGINT)
		_ = dev.Wait()
	})
	out, err := exec.Command(file, "env", "--wait", "60s", "--state", state).Output()
	if err != nil {
		t.Fatalf("env: %v", err)
	}
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "AWS_MAX_ATTEMPTS=1"}
	for line := range strings.Lines(string(out)) {
		if export, ok := strings.CutPrefix(strings.TrimSpace(line), "export "); ok {
			name, value, _ := strings.Cut(export, "=")
			env = append(env, name+"="+strings.Trim(value, "'"))
		}
	}
	return env
}

func lookup(t *testing.T, env []string, name string) string {
	t.Helper()
	for _, pair := range env {
		if value, ok := strings.CutPrefix(pair, name+"="); ok {
			return value
		}
	}
	t.Fatalf("the environment has no %s", name)
	return ""
}

// without returns the environment less a variable.
func without(env []string, name string) (less []string) {
	for _, pair := range env {
		if !strings.HasPrefix(pair, name+"=") {
			less = append(less, pair)
		}
	}
	return less
}

// installed is a place in which CI installs tools.
func installed(t *testing.T, path ...string) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(append([]string{cache, "countersign-ci"}, path...)...)
	if _, err := os.Stat(file); err != nil {
		t.Fatalf("%v: .ci/run installs it", err)
	}
	return file
}

// output runs a program and returns what it prints.
func output(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = env
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", filepath.Base(name), err, out, &stderr)
	}
	return string(out)
}
