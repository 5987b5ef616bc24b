package deploy_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain is kubectl too, under that name: it fails as SAYS says, answers a question for a kind from the file of that name, or forwards.
func TestMain(m *testing.M) {
	if strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe") != "kubectl" {
		os.Exit(m.Run())
	}
	if says := os.Getenv("SAYS"); says != "" {
		fmt.Fprintln(os.Stderr, says)
		os.Exit(1)
	}
	args := strings.Join(os.Args[1:], " ")
	if strings.Contains(args, "port-forward") {
		forward()
		return
	}
	for _, kind := range []string{"deployment", "replicasets", "pods", "events"} {
		if strings.Contains(args, "get "+kind) {
			text, err := os.ReadFile(filepath.Join(os.Getenv("ANSWERS"), kind))
			if err != nil {
				os.Exit(3)
			}
			os.Stdout.Write(text)
		}
	}
}

// forward forwards one connection to BACKEND, and ends when it is interrupted.
func forward() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		os.Exit(3)
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, os.Interrupt)
	fmt.Printf("Forwarding from %s -> 8080\nForwarding from [::1]:1 -> 8080\n", l.Addr())
	go func() {
		in, err := l.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", os.Getenv("BACKEND"))
		if err != nil {
			return
		}
		go io.Copy(out, in)
		io.Copy(in, out)
	}()
	<-ended
}

// playKubectl puts this program on the PATH as kubectl.
func playKubectl(t *testing.T) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	name := "kubectl" + filepath.Ext(self)
	if filepath.Ext(self) == ".test" {
		name = "kubectl"
	}
	if err := os.Symlink(self, filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	t.Setenv("SAYS", "")
}
