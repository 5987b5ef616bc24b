package e2e

import (
	"bytes"
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestPageInABrowser opens the page that shows who may call what, as a browser does that enforces its policy.
func TestPageInABrowser(t *testing.T) {
	need(t, "chromium")
	s := newSystem(t)
	url := variable(t, s.start(), "AWS_ENDPOINT_URL")
	s.awaitProof()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	browser := exec.CommandContext(ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr",
		"--user-data-dir="+t.TempDir(), "--dump-dom", url+"/")
	var page, log bytes.Buffer
	browser.Stdout, browser.Stderr = &page, &log
	if err := browser.Run(); err != nil {
		t.Fatalf("%v\n%s", err, &log)
	}
	for _, want := range []string{
		"Who may call what", "/api/demo/protectedRole/{name}", "/api/demo/protectedUpload", "liveness probe",
		"readClient", "writeClient", "microService", "Proved.",
	} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page does not show %q", want)
		}
	}
	for _, complaint := range []string{"Content Security Policy", "Refused to", "CONSOLE"} {
		if strings.Contains(log.String(), complaint) {
			t.Errorf("the browser complains (%s):\n%s", complaint, &log)
		}
	}
}

// variable is the value of a variable of the environment.
func variable(t *testing.T, env []string, name string) string {
	t.Helper()
	for _, pair := range env {
		if value, ok := strings.CutPrefix(pair, name+"="); ok {
			return value
		}
	}
	t.Fatalf("there is no variable %s", name)
	return ""
}
