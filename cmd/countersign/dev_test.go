package main

import (
	"bytes"
	"context"
	"path/filepath"
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

func TestInterruptedStartSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	code, stdout, stderr := runOnce(ctx, t)
	if want := "countersign: interrupted before the system was up\n"; code != exitCannotRun || stdout != "" || stderr != want {
		t.Errorf("code %d, printed %q, %q; want %q", code, stdout, stderr, want)
	}
}
