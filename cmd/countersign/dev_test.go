package main

import (
	"bytes"
	"context"
	"log/slog"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/dev"
	"github.com/countersign-dev/countersign/prove"
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
	system, err := dev.Start(t.Context(), dev.Config{
		State:   dev.State(filepath.Join(t.TempDir(), "state")),
		APIAddr: "localhost:0", EdgeAddr: "localhost:0", IssuerAddr: "localhost:0",
		Allow:  []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, // the edge lets no proof of this machine through
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer system.Close()
	var stdout bytes.Buffer
	code, err := proveSystem(t.Context(), system, &stdout, func(prove.Report, prove.Report) error { return nil })
	if code != exitCannotRun || err != nil || !strings.Contains(stdout.String(), "COULD NOT RUN") {
		t.Errorf("code %d, %v, want %d\n%s", code, err, exitCannotRun, &stdout)
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
