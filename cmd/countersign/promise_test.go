package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// From nothing to a proved service in three lines, with nothing edited between them: git init, countersign init, countersign dev. The
// time is told, for those who compare; a machine that is busy takes longer, and that is no failure.
func TestThreeLinesToAProvedService(t *testing.T) {
	repository, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_NOSYSTEM": "1",
		"GOFLAGS": "-mod=mod", "GOWORK": "off", "GOPROXY": "off", "GOTOOLCHAIN": "local",
	} {
		t.Setenv(name, value)
	}
	dir, state := t.TempDir(), t.TempDir()
	began := time.Now()
	for _, line := range []string{
		"git init -q .",
		"countersign init --module example.com/you/service --replace " + repository,
		"countersign config check",
		"go test ./...",
		"countersign dev --once --state " + state + " --api-addr localhost:0 --edge-addr localhost:0 --issuer-addr localhost:0",
	} {
		start := time.Now()
		words := strings.Fields(line)
		cmd := exec.Command(words[0], words[1:]...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		t.Logf("%6.2f s  %s %s", time.Since(start).Seconds(), words[0], words[1])
		if strings.Contains(line, " dev ") && strings.Count(string(out), ": proved (3 routes") != 2 {
			t.Errorf("it is not proved\n%s", out)
		}
	}
	t.Logf("%6.2f s  from git init to a proved service", time.Since(began).Seconds())
}
