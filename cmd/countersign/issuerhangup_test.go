//go:build !windows

package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestAHangupBeforeTheIssuerIsUp: logrotate sends SIGHUP when it pleases, also while the start waits for a database.
func TestAHangupBeforeTheIssuerIsUp(t *testing.T) {
	database, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	dir := t.TempDir()
	config := filepath.Join(dir, "issuer.yaml")
	text := "listen: localhost:0\nstore: {postgres: {dsnEnv: DSN}}\nsealKey: seal.key\ncredentials: keys.yaml\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	done(t, "issuer", "key-file", filepath.Join(dir, "seal.key"))
	done(t, "issuer", "credentials", "add", filepath.Join(dir, "keys.yaml"))
	command := exec.Command("countersign", "issuer", "--config", config)
	command.Env = append(os.Environ(), fmt.Sprintf("DSN=postgres://issuer@%s/issuer?sslmode=disable", database.Addr()))
	var said bytes.Buffer
	command.Stderr = &said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer command.Process.Kill()
	conn, err := database.Accept() // and never an answer
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, signal := range []os.Signal{syscall.SIGHUP, syscall.SIGTERM} {
		if err := command.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
	}
	_ = command.Wait()
	if code := command.ProcessState.ExitCode(); code != exitCannotRun || !strings.Contains(said.String(), "interrupted before the issuer was up") {
		t.Errorf("%v: %s", command.ProcessState, said.String())
	}
}
