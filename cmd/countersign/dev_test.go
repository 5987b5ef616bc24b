package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"
)

// runOnce is `countersign dev --once` on free ports, with further arguments.
func runOnce(ctx context.Context, t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, problems bytes.Buffer
	code = run(ctx, append([]string{"dev", "--once", "--state", filepath.Join(t.TempDir(), "state"),
		"--api-addr=localhost:0", "--edge-addr=localhost:0", "--issuer-addr=localhost:0"}, args...), &out, &problems)
	return code, out.String(), problems.String()
}

// As the help of --once says: 1 is a difference, 2 is that something could not be run.
func TestOnceTellsNotRunFromDifferent(t *testing.T) {
	code, stdout, _ := runOnce(t.Context(), t, "--allow", "192.0.2.0/24") // the edge lets no proof of this machine through
	if code != exitCannotRun || !strings.Contains(stdout, "COULD NOT RUN") {
		t.Errorf("code %d, want %d\n%s", code, exitCannotRun, stdout)
	}
}

func TestInterruptedStartSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	code, stdout, stderr := runOnce(ctx, t)
	if want := "countersign: interrupted before the system was up\n"; code != exitCannotRun || stdout != "" || stderr != want {
		t.Errorf("code %d, printed %q, %q; want %q", code, stdout, stderr, want)
	}
}
