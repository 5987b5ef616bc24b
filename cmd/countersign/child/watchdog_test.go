//go:build unix

package child_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/child"
)

// What is killed ends nothing itself, and Linux ends its children but not theirs.
func TestServiceEndsWithASupervisorThatIsKilled(t *testing.T) {
	addr := freeAddr(t)
	supervisor := exec.Command(os.Args[0])
	supervisor.Env = append(os.Environ(), "CHILD=supervisor", "ADDR="+addr)
	supervisor.Stderr = os.Stderr
	out, err := supervisor.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := supervisor.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "up <nil>\n" {
		supervisor.Process.Kill()
		t.Fatalf("%q, %v", line, err)
	}
	if isFree(addr) {
		t.Error("nothing serves")
	}
	supervisor.Process.Kill()
	supervisor.Wait()
	tick, late := time.NewTicker(10*time.Millisecond), time.After(time.Minute)
	defer tick.Stop()
	for !isFree(addr) {
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("the server still holds its address")
		}
	}
}

// Who waits for a service that does not end is told what for.
func TestServiceThatIgnoresSIGTERMIsKilled(t *testing.T) {
	c, cfg, l := start(t, "deaf", func(cfg *child.Config) { cfg.Grace = 2*time.Second + 100*time.Millisecond })
	if err := await(t, c); err != nil {
		t.Fatal(err)
	}
	c.Close()
	l.await(t, "shop: it has not ended at SIGTERM; it is killed in 100ms")
	if !isFree(cfg.Addr) {
		t.Error("it still serves")
	}
}

// Who waits for a build is told so: the first one takes a minute where nothing is in Go's cache.
func TestSlowBuildIsToldOf(t *testing.T) {
	dir := t.TempDir()
	compiler, ahead := filepath.Join(dir, "go"), filepath.Join(dir, "ahead")
	script := "#!/bin/sh\nwhile [ ! -e " + ahead + " ]; do sleep 0.02; done\nexit 1\n"
	if err := os.WriteFile(compiler, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	_, _, l := start(t, "serve", func(cfg *child.Config) { cfg.Command = []string{compiler, "run", "."} })
	l.await(t, "shop: it is being built")
	if err := os.WriteFile(ahead, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	l.await(t, "shop: it cannot be built: go build . failed; it is built again when it changes")
}
