package issuer_test

import (
	"bufio"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/issuer"
	"github.com/countersign-dev/countersign/cognito"
)

// This file kills the issuer with SIGKILL while clients write to it through AWS' own SDK, and then asks whether every
// change that a client got an answer for is there. The issuer is this test binary, started again with crashDir set.
//
// SIGKILL takes the process and not the page cache. That a commit is on the disk before it is answered, so that a power
// loss takes nothing either, is what TestSQLiteSyncsEachCommit holds.
const (
	crashDir     = "COUNTERSIGN_TEST_CRASH_DIR"
	crashWriters = 4
	crashRounds  = 50 // kills under load
	crashStarts  = 15 // kills of a first start, at any moment of it
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		fmt.Fprintln(os.Stderr, serveUntilKilled(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// serveUntilKilled is the child: it prints its address and serves the JSON API until it is killed, or until standard
// input ends because the parent is gone.
func serveUntilKilled(dir string) error {
	ctx := context.Background()
	state, err := issuer.OpenState(ctx, dir)
	if err != nil {
		return err
	}
	service, err := cognito.New(ctx, cognito.Config{Store: state.Store, NewKey: quickKey})
	if err != nil {
		return err
	}
	verifier, err := issuer.NewSigV4(issuer.SigV4Config{Credentials: []issuer.Credentials{state.Credentials}})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           cognito.Handler(service, cognito.HandlerConfig{Authenticate: verifier.Authenticate}),
		ReadHeaderTimeout: 10 * time.Second,
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = server.Close()
	}()
	fmt.Printf("http://%s\n", listener.Addr())
	return server.Serve(listener)
}

// quickKey: a pool with RSA keys would take longer to make than the test.
func quickKey() (crypto.Signer, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return key, err
}

// A child is one life of the issuer.
type child struct {
	cmd    *exec.Cmd
	stdin  io.Closer
	stdout *bufio.Reader
	stderr strings.Builder
}

func startChild(t *testing.T, dir string) *child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: exec.CommandContext(t.Context(), self)}
	c.cmd.Env = append(os.Environ(), crashDir+"="+dir)
	c.cmd.Stderr = &c.stderr
	stdin, err := c.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.stdin, c.stdout = stdin, bufio.NewReader(stdout)
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// address waits until the child serves.
func (c *child) address(t *testing.T) string {
	t.Helper()
	line, err := c.stdout.ReadString('\n')
	if err != nil {
		c.kill()
		t.Fatalf("the issuer does not start: %v\n%s", err, c.stderr.String())
	}
	return strings.TrimSpace(line)
}

func (c *child) kill() {
	_ = c.cmd.Process.Kill() // SIGKILL
	_ = c.stdin.Close()
	_ = c.cmd.Wait()
}

func TestKillUnderLoad(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	random := mathrand.New(mathrand.NewPCG(seedOf(t), 0))
	writers := newCrashWriters(t, dir)
	acknowledged := 0
	for round := range crashRounds {
		c := startChild(t, dir)
		url := c.address(t)
		done := make(chan int, len(writers))
		answered := make(chan struct{}, 1)
		for _, w := range writers {
			go func() { done <- w.writeUntilDead(url, answered) }()
		}
		<-answered // from here on there is load
		<-time.After(time.Duration(random.Int64N(int64(120 * time.Millisecond))))
		c.kill()
		for range writers {
			acknowledged += <-done
		}
		if checkAfterKill(t, dir, writers); t.Failed() {
			t.Fatalf("in round %d, after %d acknowledged changes", round, acknowledged)
		}
	}
	if acknowledged < crashRounds {
		t.Errorf("%d changes in %d rounds: this was no load", acknowledged, crashRounds)
	}
	t.Logf("%d kills, %d acknowledged changes, none lost", crashRounds, acknowledged)
}

// TestKillFirstStart kills the issuer while it makes its key file, its database and its credentials.
func TestKillFirstStart(t *testing.T) {
	random := mathrand.New(mathrand.NewPCG(seedOf(t), 0))
	began := time.Now()
	c := startChild(t, filepath.Join(t.TempDir(), "whole"))
	c.address(t)
	whole := time.Since(began)
	c.kill()
	for range crashStarts {
		dir := filepath.Join(t.TempDir(), "state")
		c := startChild(t, dir)
		<-time.After(time.Duration(random.Int64N(int64(whole))))
		c.kill()
		s, err := issuer.OpenState(t.Context(), dir)
		if err != nil {
			t.Fatalf("after a killed first start: %v", err)
		}
		closeState(t, s)
	}
}

func seedOf(t *testing.T) uint64 {
	seed := mathrand.Uint64()
	t.Logf("seed %d", seed)
	return seed
}

// checkAfterKill opens what the dead issuer left and compares it with what its clients were told.
func checkAfterKill(t *testing.T, dir string, writers []*crashWriter) {
	t.Helper()
	s, err := issuer.OpenState(t.Context(), dir)
	if err != nil {
		t.Fatalf("the next start: %v", err)
	}
	defer closeState(t, s)
	service, err := cognito.New(t.Context(), cognito.Config{Store: s.Store, NewKey: quickKey})
	if err != nil {
		t.Fatalf("the next start: %v", err)
	}
	for _, w := range writers {
		w.compare(t, service)
	}
	if err := integrity(t.Context(), filepath.Join(dir, issuer.DatabaseFile)); err != nil {
		t.Error(err)
	}
}

func integrity(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	var finding string
	err = db.QueryRowContext(ctx, `PRAGMA integrity_check`).Scan(&finding)
	if finding != "ok" {
		err = errors.Join(err, errors.New("integrity_check: "+finding))
	}
	return errors.Join(err, db.Close())
}
