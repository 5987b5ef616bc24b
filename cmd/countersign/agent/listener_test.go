package agent

import (
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func listenHere(t *testing.T, path string) *listener {
	t.Helper()
	l, err := Listen(path, 0o600, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.(*listener)
}

// accepted sends the errors of Accept, nil for each connection.
func accepted(l net.Listener) <-chan error {
	results := make(chan error)
	go func() {
		for {
			conn, err := l.Accept()
			results <- err
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	return results
}

func dial(t *testing.T, path string, results <-chan error) {
	t.Helper()
	conn, err := net.DialTimeout("unix", path, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := <-results; err != nil {
		t.Fatal(err)
	}
}

// TestTheSocketIsRemoved: whoever cleans the directory does not cut off the programs for good.
func TestTheSocketIsRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent.sock")
	l := listenHere(t, path)
	results := accepted(l)
	dial(t, path, results)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	l.look()
	dial(t, path, results)
	l.look() // and then all is well
	dial(t, path, results)
	if info, err := os.Lstat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the new socket: %v, %v", info, err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := <-results; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept after Close: %v", err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is left behind: %v", err)
	}
}

// TestTheSocketIsAnothers: an agent on whose path another one listens now ends, and leaves that one's socket.
func TestTheSocketIsAnothers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent.sock")
	old := listenHere(t, path)
	results := accepted(old)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	successor := listenHere(t, path)
	old.look()
	if err := <-results; err == nil || !strings.Contains(err.Error(), "is another's now") {
		t.Errorf("Accept: %v", err)
	}
	if err := old.Close(); err != nil {
		t.Error(err)
	}
	dial(t, path, accepted(successor))
}

// TestTheDirectoryIsRemoved: the socket is there again as soon as it can be.
func TestTheDirectoryIsRemoved(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	path := filepath.Join(dir, "agent.sock")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	l := listenHere(t, path)
	results := accepted(l)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	l.look()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil { // whatever the umask
		t.Fatal(err)
	}
	l.look()
	if _, err := os.Lstat(path); err == nil {
		t.Error("the socket is where everybody can replace it")
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	l.look()
	dial(t, path, results)
}

// TestOneUserHoldsNotAllConnections: what is over the bound is closed at once, and a place that is free again is given.
func TestOneUserHoldsNotAllConnections(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent.sock")
	l := listenHere(t, path)
	l.peers.limit = 2
	held := make(chan net.Conn)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			held <- conn
		}
	}()
	connect := func() net.Conn {
		conn, err := net.DialTimeout("unix", path, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	connect()
	first := <-held
	connect()
	second := <-held
	if _, err := connect().Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("a third connection: %v, want it closed", err)
	}
	_ = first.Close()
	_ = first.Close() // not two places
	connect()
	third := <-held
	if _, err := connect().Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("after one has gone and another has come: %v, want it closed", err)
	}
	_, _ = second.Close(), third.Close()
}
