package child_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/child"
)

// A log is what a service and its supervisor say.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
	grew chan struct{}
}

func newLog() *log { return &log{grew: make(chan struct{}, 1)} }

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.grew <- struct{}{}:
	default:
	}
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// await waits until the log has the text.
func (l *log) await(t *testing.T, text string) {
	t.Helper()
	late := time.After(time.Minute)
	for !strings.Contains(l.String(), text) {
		select {
		case <-l.grew:
		case <-late:
			t.Fatalf("no %q in\n%s", text, l)
		}
	}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	addr, err := child.FreeAddr("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// start runs this test binary as the service, in the given role.
func start(t *testing.T, role string, change func(*child.Config)) (*child.Child, child.Config, *log) {
	t.Helper()
	l := newLog()
	cfg := child.Config{
		Name: "shop", Command: []string{os.Args[0]}, Addr: freeAddr(t), Ready: "/readyz", Bin: t.TempDir(), Output: l,
		Notice: func(text string) { io.WriteString(l, text+"\n") },
	}
	cfg.Env = append(os.Environ(), "CHILD="+role, "ADDR="+cfg.Addr)
	if change != nil {
		change(&cfg)
	}
	c, err := child.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, cfg, l
}

func await(t *testing.T, c *child.Child) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return c.Await(ctx)
}

func get(t *testing.T, addr string) string {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get("http://" + addr + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func isFree(addr string) bool {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	l.Close()
	return true
}

func TestServiceAnswersAndEnds(t *testing.T) {
	c, cfg, l := start(t, "serve", nil)
	if err := await(t, c); err != nil {
		t.Fatal(err)
	}
	if got := get(t, cfg.Addr); got != "first" || c.State() != (child.State{Up: true, Run: 1}) {
		t.Errorf("%q, %+v", got, c.State())
	}
	l.await(t, "shop | listening on "+cfg.Addr+"\n")
	c.Close()
	if !isFree(cfg.Addr) {
		t.Error("its address is still taken")
	}
}

// What a shell or npm started goes with it: a grandchild would hold the address.
func TestTheWholeGroupEnds(t *testing.T) {
	c, cfg, _ := start(t, "parent", nil)
	if err := await(t, c); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if !isFree(cfg.Addr) {
		t.Error("its address is still taken")
	}
}

func TestServiceThatIsNotReadyIsWaitedFor(t *testing.T) {
	ready := filepath.Join(t.TempDir(), "ready")
	c, _, l := start(t, "late", func(cfg *child.Config) { cfg.Env = append(cfg.Env, "READY="+ready) })
	l.await(t, "not ready")
	if c.State().Up {
		t.Error("503 was taken for an answer")
	}
	if err := os.WriteFile(ready, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := await(t, c); err != nil {
		t.Error(err)
	}
}

func TestServiceThatEndsIsStartedAgain(t *testing.T) {
	c, _, l := start(t, "fail", nil)
	if err := await(t, c); err == nil || err.Error() != "shop: it ended: exit status 3" {
		t.Errorf("got %v", err)
	}
	l.await(t, "shop | no database\n")
	l.await(t, "it ended: exit status 3; it is started again in 500ms\n")
	l.await(t, "it is started again in 1s\n")
}

func TestServiceThatListensElsewhereIsToldWhere(t *testing.T) {
	c, cfg, _ := start(t, "elsewhere", func(cfg *child.Config) { cfg.Patient = 50 * time.Millisecond; cfg.Grace = time.Second })
	if err := await(t, c); err == nil || !strings.Contains(err.Error(), "does not answer at http://"+cfg.Addr+"; it is to listen where the variable ADDR, or PORT, says") {
		t.Errorf("got %v", err)
	}
}

func TestAnotherProgramIsNotTakenForTheService(t *testing.T) {
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	c, _, _ := start(t, "serve", func(cfg *child.Config) { cfg.Addr = other.Addr().String() })
	if err := await(t, c); err == nil || !strings.Contains(err.Error(), "is taken; stop what listens there, or name another with --api-addr") {
		t.Errorf("got %v", err)
	}
}

func TestProgramThatIsNotThere(t *testing.T) {
	c, _, _ := start(t, "serve", func(cfg *child.Config) { cfg.Command = []string{filepath.Join(t.TempDir(), "absent")} })
	if err := await(t, c); err == nil || !strings.Contains(err.Error(), "it cannot be started") {
		t.Errorf("got %v", err)
	}
	if _, err := child.Start(child.Config{}); err == nil {
		t.Error("nothing to run, and no error")
	}
}

func TestLinesOfAProofAreHeldBack(t *testing.T) {
	c, cfg, l := start(t, "serve", nil)
	if err := await(t, c); err != nil {
		t.Fatal(err)
	}
	l.await(t, "listening on "+cfg.Addr)
	release := c.Hold()
	c.Restart()
	for c.State().Run < 2 || !c.State().Up {
		<-c.Changed()
	}
	for c.Held() == 0 { // that it answers may be known before its line is read
		<-time.After(time.Millisecond)
	}
	release(false)
	l.await(t, "shop | (1 lines during the proof are not shown)\n")
	if n := strings.Count(l.String(), "listening on"); n != 1 {
		t.Errorf("%d lines are shown\n%s", n, l)
	}
}
